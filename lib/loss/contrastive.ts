/**
 * Contrastive loss: equal pairs close, different ones at least a margin apart.
 *
 * @module
 */
import { activate, add, affine, mean, multiply, square } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import { type Distance, pairwiseDistance } from "./distance.ts";
import type { Loss } from "./loss.ts";

/** Options of {@linkcode contrastive} and {@linkcode onlineContrastive}. */
export interface ContrastiveOptions {
  /** What is measured. Default cosine: 1 − cos. */
  readonly distance?: Distance;
  /** How far apart different texts must be. Default .5 */
  readonly margin?: number;
}

/** What PyTorch's pairwise_distance adds to a difference. */
export const PAIRWISE_SHIFT = 1e-6;

/**
 * mean ½ (y d² + (1 − y) max(0, m − d)²), d = distance(u, v)
 *
 * Columns: two texts, and a score y: 1 if they mean the same, 0 if not. Source: Hadsell, Chopra & LeCun 2006,
 * "Dimensionality reduction by learning an invariant mapping".
 *
 * @example
 * ```ts
 * import { contrastive } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(contrastive().options["margin"], 0.5);
 * ```
 */
export function contrastive(options: ContrastiveOptions = {}): Loss<"score"> {
  const { distance = "cosine", margin = 0.5 } = options;
  return {
    name: "contrastive",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: { distance, margin },
    paper: "Hadsell, Chopra & LeCun 2006, doi 10.1109/CVPR.2006.100",
    apply(tape, [u, v], labels) {
      const same = constant(labels!);
      const different = constant(tape.engine.affine(labels!, -1, 1));
      const d = pairwiseDistance(tape, distance, u!, v!, PAIRWISE_SHIFT);
      const lacking = activate(tape, "relu", affine(tape, d, -1, margin));
      const pulled = multiply(tape, square(tape, d), same);
      const pushed = multiply(tape, square(tape, lacking), different);
      return affine(tape, mean(tape, add(tape, pulled, pushed)), 0.5);
    },
  };
}
