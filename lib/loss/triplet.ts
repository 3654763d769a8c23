/**
 * Triplet loss: the positive nearer to the anchor than the negative, by a margin.
 *
 * @module
 */
import { activate, affine, mean, subtract } from "../tensor/ops.ts";
import { type Distance, pairwiseDistance } from "./distance.ts";
import type { Loss } from "./loss.ts";

/** Options of {@linkcode triplet}. */
export interface TripletOptions {
  /** What is measured. Default euclidean. */
  readonly distance?: Distance;
  /** How much nearer the positive must be. Default 5 */
  readonly margin?: number;
}

/**
 * mean max(0, d(a, p) − d(a, n) + m)
 *
 * Columns: anchor, positive, negative; no label. Source: Schroff et al. 2015, arXiv 1503.03832.
 *
 * @example
 * ```ts
 * import { triplet } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.deepEqual(triplet().texts, { min: 3, max: 3 });
 * ```
 */
export function triplet(options: TripletOptions = {}): Loss<"none"> {
  const { distance = "euclidean", margin = 5 } = options;
  return {
    name: "triplet",
    texts: { min: 3, max: 3 },
    label: "none",
    inBatch: false,
    options: { distance, margin },
    paper: "Schroff et al. 2015, arXiv 1503.03832",
    apply(tape, [anchor, positive, negative]) {
      const near = pairwiseDistance(tape, distance, anchor!, positive!);
      const far = pairwiseDistance(tape, distance, anchor!, negative!);
      return mean(tape, activate(tape, "relu", affine(tape, subtract(tape, near, far), 1, margin)));
    },
  };
}
