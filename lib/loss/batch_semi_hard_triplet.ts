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
  expectClasses,
  nothing,
  positivePairs,
  spread,
  type TripletDistances,
  tripletDistances,
} from "./class_distances.ts";
import type { Loss } from "./loss.ts";

/** Beyond every distance. */
const FAR = 1e30;

/**
 * mean over all pairs (a, p) of one class of max(0, d(a, p) − d(a, n) + m), n the nearest of another class with
 * d(a, n) > d(a, p), or, if there is none, the farthest of another class
 *
 * Columns: one text, and a class. Holds P · B distances, as {@linkcode batchAllTriplet}. Source: Schroff, Kalenichenko &
 * Philbin 2015, arXiv 1503.03832.
 *
 * @example
 * ```ts
 * import { batchSemiHardTriplet } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.deepEqual(batchSemiHardTriplet().texts, { min: 1, max: 1 });
 * ```
 */
export function batchSemiHardTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  return {
    name: "batch_semi_hard_triplet",
    texts: { min: 1, max: 1 },
    label: "class",
    inBatch: false,
    grouped: true,
    options: { distance, margin },
    paper: "Schroff, Kalenichenko & Philbin 2015, arXiv 1503.03832",
    apply(tape, [x], _labels, _head, classes) {
      const known = expectClasses("batch_semi_hard_triplet", x!.value.shape[0]!, classes);
      const pairs = positivePairs(known);
      if (pairs.anchors.length === 0) return nothing(tape, x!);
      const triplets = tripletDistances(tape, distanceMatrix(tape, distance, x!), known, pairs);
      const gaps = subtract(tape, triplets.near, semiHard(tape, triplets));
      return mean(tape, activate(tape, "relu", affine(tape, gaps, 1, margin)));
    },
  };
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
    rowMax(tape, add(tape, affine(tape, far, -1), constant(engine.affine(outside, FAR, -FAR)))),
    -1,
  );
  const largest = rowMax(tape, multiply(tape, far, different));
  const among = (x: Tensor, chosen: Handle) => multiply(tape, x, constant(chosen));
  return add(tape, among(smallest, found), among(largest, engine.affine(found, -1, 1)));
}
