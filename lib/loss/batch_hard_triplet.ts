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
import { type BatchTripletOptions, distanceMatrix, expectClasses, pairMask } from "./class_distances.ts";
import type { Loss } from "./loss.ts";

/**
 * mean_a max(0, max_p d(a, p) − min_n d(a, n) + m) over the batch; p of a's class, n of another
 *
 * Columns: one text, and a class. A batch needs at least two rows of each class and two classes, which the sampler
 * sees to; without another class nothing pulls. From a model that has no idea of the classes yet, the hardest triplets
 * may pull all texts to one point, where the loss is m: `batchAllTriplet` gets out of there. Source: Hermans, Beyer &
 * Leibe 2017, arXiv 1703.07737.
 *
 * @example
 * ```ts
 * import { batchHardTriplet } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.deepEqual(batchHardTriplet().options, { distance: "euclidean", margin: 5 });
 * ```
 */
export function batchHardTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  return {
    name: "batch_hard_triplet",
    texts: { min: 1, max: 1 },
    label: "class",
    inBatch: false,
    grouped: true,
    options: { distance, margin },
    paper: "Hermans, Beyer & Leibe 2017, arXiv 1703.07737",
    apply(tape, [x], _labels, _head, classes) {
      const known = expectClasses("batch_hard_triplet", x!.value.shape[0]!, classes);
      const gap = hardestGap(tape, distanceMatrix(tape, distance, x!), known);
      return mean(tape, activate(tape, "relu", affine(tape, gap, 1, margin)));
    },
  };
}

/**
 * mean_a log(1 + exp(max_p d(a, p) − min_n d(a, n))): the same without a margin to choose, and it never stops pulling
 *
 * Columns: one text, and a class. Source: Hermans, Beyer & Leibe 2017, arXiv 1703.07737.
 *
 * @example
 * ```ts
 * import { batchHardSoftMarginTriplet } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(batchHardSoftMarginTriplet().grouped, true);
 * ```
 */
export function batchHardSoftMarginTriplet(options: Omit<BatchTripletOptions, "margin"> = {}): Loss<"class"> {
  const { distance = "euclidean" } = options;
  return {
    name: "batch_hard_soft_margin_triplet",
    texts: { min: 1, max: 1 },
    label: "class",
    inBatch: false,
    grouped: true,
    options: { distance },
    paper: "Hermans, Beyer & Leibe 2017, arXiv 1703.07737",
    apply(tape, [x], _labels, _head, classes) {
      const size = x!.value.shape[0]!;
      const known = expectClasses("batch_hard_soft_margin_triplet", size, classes);
      const gap = hardestGap(tape, distanceMatrix(tape, distance, x!), known);
      // log(1 + exp g) is the cross-entropy of the logits (0, g) against the first.
      const logits = concatColumns(tape, [constant(tape.engine.zeros([size, 1])), reshape(tape, gap, [size, 1])]);
      return crossEntropy(tape, logits, tape.engine.zeros([size], "i32"));
    },
  };
}

/**
 * max_p d(a, p) − min_n d(a, n) by row; [B, B] → [B]
 *
 * A row without another of its class has 0 in place of the first. Rows of a's own class count as negatives only beyond
 * the row's farthest one: where a class is alone in its batch, the two cancel.
 */
function hardestGap(tape: Tape, distances: Tensor, classes: Int32Array): Tensor {
  const size = classes.length;
  const positive = pairMask(tape, size, (i, j) => i !== j && classes[i] === classes[j]);
  const farthest = rowMax(tape, multiply(tape, distances, positive));
  const same = pairMask(tape, size, (i, j) => classes[i] === classes[j]);
  const moved = add(tape, distances, scaleRows(tape, same, rowMax(tape, distances)));
  const nearest = affine(tape, rowMax(tape, affine(tape, moved, -1)), -1);
  return subtract(tape, farthest, nearest);
}
