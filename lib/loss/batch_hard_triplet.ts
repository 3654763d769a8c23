/**
 * Batch-hard triplets: every text against the farthest of its class and the nearest of the others.
 *
 * @module
 */
import {
  activate,
  add,
  affine,
  concatColumns,
  crossEntropy,
  mean,
  multiply,
  reshape,
  rowMax,
  scaleRows,
  subtract,
} from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import { type BatchTripletOptions, distanceMatrix, lossOverClasses } from "./class_distances.ts";
import type { Loss } from "./loss.ts";
import { pairMask } from "./masks.ts";

const PAPER = "Hermans, Beyer & Leibe 2017, arXiv 1703.07737";

/**
 * L = mean_a max(0, max_p d(a, p) − min_n d(a, n) + m) over the batch; p of a's class, n of another; embeddings [B, D] →
 * [1]
 *
 * Columns: one text, and a class. A batch needs at least two rows of each class and two classes, which the sampler
 * sees to; without another class nothing pulls. From a model that has no idea of the classes yet, the hardest triplets
 * may pull all texts to one point, where the loss is m: {@linkcode batchAllTriplet} gets out of there. Source: Hermans,
 * Beyer & Leibe 2017, arXiv 1703.07737.
 *
 * @param options Distance and margin.
 * @returns The loss, for texts with a class. Without classes its `apply` throws a `TrainingError`.
 *
 * @example
 * ```ts
 * import { batchHardTriplet, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // On a line: class 0 at 0 and 1, class 1 at 3 and 4. Only 1 and 3 are nearer to the other class than the margin allows.
 * const { value, gradients } = await tryLoss(batchHardTriplet({ margin: 2 }), [[[0], [1], [3], [4]]], [0, 0, 1, 1]);
 * assert.equal(value, (0 + 1 + 1 + 0) / 4);
 * assert.ok(gradients[0]![1]![0]! > 0); // downhill is to the left for the text at 1: towards its own class
 * ```
 */
export function batchHardTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  const described = { name: "batch_hard_triplet", options: { distance, margin }, paper: PAPER };
  return lossOverClasses(described, (tape, x, classes) => {
    const gap = hardestGap(tape, distanceMatrix(tape, distance, x), classes);
    return mean(tape, activate(tape, "relu", affine(tape, gap, 1, margin)));
  });
}

/**
 * L = mean_a log(1 + exp(max_p d(a, p) − min_n d(a, n))): {@linkcode batchHardTriplet} without a margin to choose; it
 * never stops pulling; embeddings [B, D] → [1]
 *
 * Columns: one text, and a class. Source: Hermans, Beyer & Leibe 2017, arXiv 1703.07737.
 *
 * @param options Distance.
 * @returns The loss, for texts with a class. Without classes its `apply` throws a `TrainingError`.
 *
 * @example
 * ```ts
 * import { batchHardSoftMarginTriplet, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const apart = await tryLoss(batchHardSoftMarginTriplet(), [[[0], [1], [5], [6]]], [0, 0, 1, 1]);
 * const mixed = await tryLoss(batchHardSoftMarginTriplet(), [[[0], [5], [1], [6]]], [0, 0, 1, 1]);
 * assert.ok(0 < apart.value && apart.value < mixed.value);
 * ```
 */
export function batchHardSoftMarginTriplet(options: Omit<BatchTripletOptions, "margin"> = {}): Loss<"class"> {
  const { distance = "euclidean" } = options;
  const described = { name: "batch_hard_soft_margin_triplet", options: { distance }, paper: PAPER };
  return lossOverClasses(described, (tape, x, classes) => {
    const size = classes.length;
    const gap = hardestGap(tape, distanceMatrix(tape, distance, x), classes);
    // log(1 + exp g) is the cross-entropy of the logits (0, g) against the first.
    const logits = concatColumns(tape, [constant(tape.engine.zeros([size, 1])), reshape(tape, gap, [size, 1])]);
    return crossEntropy(tape, logits, tape.engine.zeros([size], "i32"));
  });
}

/**
 * max_p d(a, p) − min_n d(a, n) by row; [B, B] → [B]
 *
 * A row without another of its class has 0 in place of the first. Rows of a's own class count as negatives only beyond
 * the row's farthest one: where a class is alone in its batch, the two cancel.
 */
function hardestGap(tape: Tape, distances: Tensor, classes: Int32Array): Tensor {
  const size = classes.length;
  const positive = pairMask(tape, [size, size], (i, j) => i !== j && classes[i] === classes[j]);
  const farthest = rowMax(tape, multiply(tape, distances, positive));
  const same = pairMask(tape, [size, size], (i, j) => classes[i] === classes[j]);
  const moved = add(tape, distances, scaleRows(tape, same, rowMax(tape, distances)));
  const nearest = affine(tape, rowMax(tape, affine(tape, moved, -1)), -1);
  return subtract(tape, farthest, nearest);
}
