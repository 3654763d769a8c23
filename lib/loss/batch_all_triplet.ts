/**
 * Batch-all triplets: every triplet that a batch holds.
 *
 * @module
 */
import { activate, affine, multiply, subtract, sum } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import {
  type BatchTripletOptions,
  distanceMatrix,
  lossOverClasses,
  nothing,
  positivePairs,
  tripletDistances,
} from "./class_distances.ts";
import type { Loss } from "./loss.ts";
import { spread } from "./masks.ts";

/**
 * L = Σ max(0, d(a, p) − d(a, n) + m) / (number of those above 0), over all triplets of the batch; a and p of one class,
 * n of another; embeddings [B, D] → [1]
 *
 * Columns: one text, and a class. Holds P · B distances, P the pairs of one class in a batch of B: B²(k − 1) for k rows
 * a class. Source: Hermans, Beyer & Leibe 2017, arXiv 1703.07737.
 *
 * @param options Distance and margin.
 * @returns The loss, for texts with a class. Without classes its `apply` throws a `TrainingError`.
 *
 * @example
 * ```ts
 * import { batchAllTriplet, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // On a line: class 0 at 0 and 1, class 1 at 3. The triplets (0, 1, 3) and (1, 0, 3) lack 0 and 1 of the margin of 2.
 * const { value } = await tryLoss(batchAllTriplet({ margin: 2 }), [[[0], [1], [3]]], [0, 0, 1]);
 * assert.equal(value, 1); // the mean over those that lack anything
 * ```
 */
export function batchAllTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  const paper = "Hermans, Beyer & Leibe 2017, arXiv 1703.07737";
  return lossOverClasses({ name: "batch_all_triplet", options: { distance, margin }, paper }, (tape, x, classes) => {
    const { engine } = tape;
    const pairs = positivePairs(classes);
    if (pairs.anchors.length === 0) return nothing(tape, x);
    const { near, far, different } = tripletDistances(tape, distanceMatrix(tape, distance, x), classes, pairs);
    const gaps = subtract(tape, spread(tape, near, classes.length), far);
    const losses = multiply(tape, activate(tape, "relu", affine(tape, gaps, 1, margin)), different);
    const pulling = engine.sum(engine.unary("sign", losses.value));
    const count = engine.binary("maximum", pulling, engine.upload(Float32Array.of(1), [1]));
    return multiply(tape, sum(tape, losses), constant(engine.unary("reciprocal", count)));
  });
}
