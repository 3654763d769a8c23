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
  expectClasses,
  nothing,
  positivePairs,
  spread,
  tripletDistances,
} from "./class_distances.ts";
import type { Loss } from "./loss.ts";

/**
 * Σ max(0, d(a, p) − d(a, n) + m) / (number of those above 0), over all triplets of the batch; a and p of one class, n
 * of another
 *
 * Columns: one text, and a class. Holds P · B distances, P the pairs of one class in a batch of B: B²(k − 1) for k rows
 * a class. Source: Hermans, Beyer & Leibe 2017, arXiv 1703.07737.
 *
 * @example
 * ```ts
 * import { batchAllTriplet } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(batchAllTriplet({ distance: "cosine", margin: 0.2 }).label, "class");
 * ```
 */
export function batchAllTriplet(options: BatchTripletOptions = {}): Loss<"class"> {
  const { distance = "euclidean", margin = 5 } = options;
  return {
    name: "batch_all_triplet",
    texts: { min: 1, max: 1 },
    label: "class",
    inBatch: false,
    grouped: true,
    options: { distance, margin },
    paper: "Hermans, Beyer & Leibe 2017, arXiv 1703.07737",
    apply(tape, [x], _labels, _head, classes) {
      const { engine } = tape;
      const known = expectClasses("batch_all_triplet", x!.value.shape[0]!, classes);
      const pairs = positivePairs(known);
      if (pairs.anchors.length === 0) return nothing(tape, x!);
      const { near, far, different } = tripletDistances(tape, distanceMatrix(tape, distance, x!), known, pairs);
      const lacking = activate(
        tape,
        "relu",
        affine(tape, subtract(tape, spread(tape, near, known.length), far), 1, margin),
      );
      const losses = multiply(tape, lacking, different);
      const pulling = engine.sum(engine.unary("sign", losses.value));
      const count = engine.binary("maximum", pulling, engine.upload(Float32Array.of(1), [1]));
      return multiply(tape, sum(tape, losses), constant(engine.unary("reciprocal", count)));
    },
  };
}
