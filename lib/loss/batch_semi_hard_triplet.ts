/**
 * Batch-semi-hard triplets: every pair of a class against the nearest text of another that is still farther away.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import { activate, add, affine, mean, multiply, rowMax, subtract } from "../tensor/ops.ts";
import { inference, type Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import {
  type BatchTripletOptions,
  distanceMatrix,
  lossOverClasses,
  nothing,
  positivePairs,
  type TripletDistances,
  tripletDistances,
} from "./class_distances.ts";
import type { Loss } from "./loss.ts";
import { NEVER, spread } from "./masks.ts";

/**
 * L = mean over all pairs (a, p) of one class of max(0, d(a, p) − d(a, n) + m), n the nearest of another class with
 * d(a, n) > d(a, p), or, if there is none, the farthest of another class; embeddings [B, D] → [1]
 *
 * Columns: one text, and a class. Holds P · B distances, as {@linkcode batchAllTriplet}. Source: Schroff, Kalenichenko &
 * Philbin 2015, arXiv 1503.03832.
 *
 * @param options Distance and margin.
 * @returns The loss, for texts with a class. Without classes its `apply` throws a `TrainingError`.
 *
 * @example
 * ```ts
 * import { batchSemiHardTriplet, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // On a line: class 0 at 0 and 2, class 1 at 1 and 3. From 0 the negative at 1 is too hard, the one at 3 semi-hard.
 * const { value } = await tryLoss(batchSemiHardTriplet({ margin: 2 }), [[[0], [2], [1], [3]]], [0, 0, 1, 1]);
 * assert.equal(value, (1 + 3 + 3 + 1) / 4); // from 2 and from 1 no negative is beyond the positive: the farthest counts
 * ```
 */
export function batchSemiHardTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  const paper = "Schroff, Kalenichenko & Philbin 2015, arXiv 1503.03832";
  const described = { name: "batch_semi_hard_triplet", options: { distance, margin }, paper };
  return lossOverClasses(described, (tape, x, classes) => {
    const pairs = positivePairs(classes);
    if (pairs.anchors.length === 0) return nothing(tape, x);
    const triplets = tripletDistances(tape, distanceMatrix(tape, distance, x), classes, pairs);
    const gaps = subtract(tape, triplets.near, semiHard(tape, triplets));
    return mean(tape, activate(tape, "relu", affine(tape, gaps, 1, margin)));
  });
}

/** d(a, n) of each pair's semi-hard negative, 0 where the batch has no other class; [P, B] → [P] */
function semiHard(tape: Tape, { near, far, different }: TripletDistances): Tensor {
  const { engine } = tape;
  const distance = spread(inference(engine), near, far.value.shape[1]!).value;
  const farther = engine.activate("relu", engine.unary("sign", engine.binary("subtract", far.value, distance)));
  const outside = engine.binary("multiply", farther, different.value);
  const found = engine.rowReduce("max", outside);
  const smallest = affine(
    tape,
    rowMax(tape, add(tape, affine(tape, far, -1), constant(engine.affine(outside, -NEVER, NEVER)))),
    -1,
  );
  const largest = rowMax(tape, multiply(tape, far, different));
  const among = (x: Tensor, chosen: Handle) => multiply(tape, x, constant(chosen));
  return add(tape, among(smallest, found), among(largest, engine.affine(found, -1, 1)));
}
