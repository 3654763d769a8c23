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
  /** How far apart two embeddings are. Default euclidean. */
  readonly distance?: Distance;
  /** How much nearer than the negative the positive must be, in the unit of the distance. Default 5. */
  readonly margin?: number;
}

/**
 * L = mean max(0, d(a, p) − d(a, n) + m); a, p, n [B, D] → [1]
 *
 * Columns: anchor, positive, negative; no label. Source: Schroff et al. 2015, arXiv 1503.03832.
 *
 * @param options Distance and margin.
 * @returns The loss, for triplets.
 *
 * @example
 * ```ts
 * import { triplet, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // On a line: the positive 1 away, the negative 3; a margin of 5 lacks 3.
 * const { value, gradients } = await tryLoss(triplet(), [[[0]], [[1]], [[3]]]);
 * assert.equal(value, 1 - 3 + 5);
 * assert.deepEqual(gradients[2], [[-1]]); // the negative must go farther away
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
