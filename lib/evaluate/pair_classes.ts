/**
 * Classes of pairs, told by a classifier over their two embeddings: the head of a softmax loss.
 *
 * @module
 */
import type { Embeddings } from "../embed/pairwise.ts";
import { EvaluationError } from "../error.ts";

/** A classifier of pairs: W [classes, features] and b [classes]. */
export interface PairClassifier {
  /** W, row by row; features are u, v, |u − v| and, where it was trained so, u ⊙ v. */
  readonly weight: Float32Array;
  /** b */
  readonly bias: Float32Array;
  /** Whether u ⊙ v is among the features. */
  readonly multiplication: boolean;
}

/**
 * `accuracy`: the share of pairs whose class the classifier names rightly, argmax of W (u; v; |u − v|) + b, as in
 * sentence-transformers' LabelAccuracyEvaluator; of equal values the first class.
 *
 * @param first Embeddings of the first texts: [pairs, width].
 * @param second Those of the second texts.
 * @param classes The class of each pair.
 * @param classifier The head.
 * @returns The share.
 * @throws {EvaluationError} Shapes do not fit.
 *
 * @example
 * ```ts
 * import { classAccuracy } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const embeddings = { data: Float32Array.of(1, 5), width: 1, rows: 2 };
 * const other = { data: Float32Array.of(1, 1), width: 1, rows: 2 };
 * // Class 1 for what is far apart.
 * const classifier = { weight: Float32Array.of(0, 0, 0, 0, 0, 1), bias: Float32Array.of(2, 0), multiplication: false };
 * assert.equal(classAccuracy(embeddings, other, [0, 1], classifier).accuracy, 1);
 * ```
 */
export function classAccuracy(
  first: Embeddings,
  second: Embeddings,
  classes: ArrayLike<number>,
  classifier: PairClassifier,
): { readonly accuracy: number } {
  const { weight, bias, multiplication } = classifier;
  const { width, rows } = first;
  const features = width * (multiplication ? 4 : 3);
  if (
    rows === 0 || second.rows !== rows || second.width !== width || classes.length !== rows ||
    weight.length !== bias.length * features
  ) {
    throw new EvaluationError("pairs, classes and classifier do not fit", {
      expected: `${rows} pairs, ${bias.length} × ${features} weights`,
      found: `${second.rows} second texts of ${
        width === second.width ? "that" : "another"
      } width, ${classes.length} classes, ${weight.length} weights`,
    });
  }
  let right = 0;
  for (let row = 0; row < rows; row++) {
    let [best, highest] = [0, -Infinity];
    for (let label = 0; label < bias.length; label++) {
      let sum = bias[label]!;
      for (let i = 0; i < width; i++) {
        const [u, v] = [first.data[row * width + i]!, second.data[row * width + i]!];
        const at = label * features + i;
        sum += weight[at]! * u + weight[at + width]! * v + weight[at + 2 * width]! * Math.abs(u - v);
        if (multiplication) sum += weight[at + 3 * width]! * u * v;
      }
      if (sum > highest) [best, highest] = [label, sum];
    }
    if (best === classes[row]) right++;
  }
  return { accuracy: right / rows };
}
