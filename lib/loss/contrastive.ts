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
  /** How far apart two embeddings are. Default cosine: 1 − cos(u, v). */
  readonly distance?: Distance;
  /** How far apart different texts must be, in the unit of the distance. Default 0.5. */
  readonly margin?: number;
}

/** What PyTorch's pairwise_distance adds to a difference. */
export const PAIRWISE_SHIFT = 1e-6;

/**
 * L = mean ½ (y d² + (1 − y) max(0, m − d)²), d = distance(u, v); u, v [B, D], y [B] → [1]
 *
 * Columns: two texts, and a score y: 1 if they mean the same, 0 if not. Source: Hadsell, Chopra & LeCun 2006,
 * "Dimensionality reduction by learning an invariant mapping", doi 10.1109/CVPR.2006.100.
 *
 * @param options Distance and margin.
 * @returns The loss, for pairs with a score.
 *
 * @example
 * ```ts
 * import { contrastive, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // On a line, 1 apart: an equal pair is too far apart by 1, a different one too near by 2 of the margin of 3.
 * const loss = contrastive({ distance: "manhattan", margin: 3 });
 * assert.ok(Math.abs((await tryLoss(loss, [[[0]], [[1]]], [1])).value - 0.5) < 1e-5);
 * assert.ok(Math.abs((await tryLoss(loss, [[[0]], [[1]]], [0])).value - 2) < 1e-5);
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
