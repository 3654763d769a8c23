/**
 * Binary classification of pairs by a threshold on their similarity.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import { averagePrecision, matthewsCorrelation } from "./classification.ts";
import { cutsOf } from "./cuts.ts";
import { expectBinary, expectFinite } from "./expect.ts";
import type { Values } from "../numeric/correlation.ts";
import { type Embeddings, pairwiseSimilarities, SIMILARITIES, type Similarity } from "../embed/pairwise.ts";

/** The keys of one similarity, as sentence-transformers names them. */
export type BinaryScore =
  | "accuracy"
  | "accuracy_threshold"
  | "f1"
  | "f1_threshold"
  | "precision"
  | "recall"
  | "ap"
  | "mcc";

const SCORES: readonly BinaryScore[] = [
  "accuracy",
  "accuracy_threshold",
  "f1",
  "f1_threshold",
  "precision",
  "recall",
  "ap",
  "mcc",
];

/** The scores of all similarities, and the highest of each as `max_…`. */
export type BinaryMetrics = {
  readonly [key in `${"cosine" | "manhattan" | "euclidean" | "dot" | "max"}_${BinaryScore}`]?: number;
};

/**
 * How well similarities of pairs tell those that belong together (label 1) from those that do not (label 0):
 * sentence-transformers' `BinaryClassificationEvaluator`. For each similarity the best accuracy and best F1 over all
 * thresholds, with precision and recall there, average precision, and Matthews' correlation at the threshold of the
 * best F1. Thresholds of Euclidean and Manhattan are distances.
 *
 * @param first [n, width] embeddings.
 * @param second [n, width] embeddings.
 * @param labels [n] 1 or 0.
 * @returns Scores by key, `cosine_accuracy` and so on, and the highest of all similarities, `max_accuracy`.
 * @throws {EvaluationError} All pairs have the same label, or one that is neither 0 nor 1; or not a label for each.
 * @throws {DatasetError} Embeddings of other rows or widths, or that are not finite.
 *
 * @example
 * ```ts
 * import { binaryMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const first = { data: Float32Array.of(1, 0, 1, 0, 1, 0), width: 2, rows: 3 };
 * const second = { data: Float32Array.of(1, 0.1, 1, 1, 0, 1), width: 2, rows: 3 };
 * assert.equal(binaryMetrics(first, second, [1, 1, 0]).cosine_f1, 1);
 * ```
 */
export function binaryMetrics(first: Embeddings, second: Embeddings, labels: Values): BinaryMetrics {
  return thresholdsOf(pairwiseSimilarities(first, second), labels);
}

/**
 * The same of similarities that are known already: for rows that came a few at a time.
 *
 * @param similarities [n] of each kind, from `pairwiseSimilarities`.
 * @param labels [n] 1 or 0.
 * @returns Scores by key, as {@linkcode binaryMetrics} gives them.
 * @throws {EvaluationError} All pairs have the same label, or one that is neither 0 nor 1; not a label for each; or a
 *   similarity that is not finite.
 *
 * @example
 * ```ts
 * import { thresholdsOf } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const [near, far] = [[.9, .8, .1], [-.1, -.2, -3]];
 * const metrics = thresholdsOf({ cosine: near, dot: near, euclidean: far, manhattan: far }, [1, 1, 0]);
 * assert.equal(metrics.cosine_f1, 1);
 * ```
 */
export function thresholdsOf(similarities: Readonly<Record<Similarity, Values>>, labels: Values): BinaryMetrics {
  expectBinary(labels, similarities.cosine.length);
  for (const kind of SIMILARITIES) expectFinite(kind, similarities[kind], labels.length);
  let positives = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === 1) positives++;
  if (positives === 0 || positives === labels.length) {
    throw new EvaluationError("pairs of both classes are needed", {
      expected: "labels 0 and 1",
      found: `${positives} of ${counted(labels.length, "label")} are 1`,
    });
  }
  const metrics: Record<string, number> = {};
  for (const kind of SIMILARITIES) {
    const sign = kind === "euclidean" || kind === "manhattan" ? -1 : 1;
    for (const [name, value] of Object.entries(scoresOf(similarities[kind], labels))) {
      metrics[`${kind}_${name}`] = name.endsWith("threshold") ? sign * value : value;
    }
  }
  for (const name of SCORES) {
    metrics[`max_${name}`] = Math.max(...SIMILARITIES.map((kind) => metrics[`${kind}_${name}`]!));
  }
  return metrics;
}

/**
 * Scores of one ranking, by the rule of sentence-transformers' `find_best_acc_and_threshold` and
 * `find_best_f1_and_threshold`: pairs in order of similarity, the highest first, and a cut wherever the similarity changes.
 * No threshold parts equal similarities. Accuracy may also be best above the first pair (nothing is alike), and both
 * accuracy and F1 below the last one (everything is).
 *
 * @param similarities [n], the higher the more alike.
 * @param labels [n] 1 or 0.
 * @returns Scores by key.
 */
export function scoresOf(similarities: Values, labels: Values): Record<BinaryScore, number> {
  const n = similarities.length;
  let [positives, highest] = [0, -Infinity];
  for (let i = 0; i < n; i++) {
    positives += labels[i]!;
    highest = Math.max(highest, similarities[i]!);
  }
  const best = {
    accuracy: (n - positives) / n,
    accuracy_threshold: nextAbove(highest),
    f1: 0,
    f1_threshold: 0,
    precision: 0,
    recall: 0,
    ap: 0,
    mcc: 0,
  };
  for (const { score, next, rows, hits } of cutsOf(similarities, (row) => labels[row] === 1)) {
    // Half-way to the next similarity, unless rounding brings the middle down to that.
    const middle = next === undefined ? score : (score + next) / 2;
    const threshold = middle === next ? score : middle;
    const misses = rows - hits;
    const accuracy = (hits + (n - positives - misses)) / n;
    if (accuracy > best.accuracy) Object.assign(best, { accuracy, accuracy_threshold: threshold });
    if (hits === 0) continue;
    const precision = hits / rows;
    const recall = hits / positives;
    const f1 = 2 * precision * recall / (precision + recall);
    if (f1 > best.f1) Object.assign(best, { f1, precision, recall, f1_threshold: threshold });
  }
  best.ap = averagePrecision(labels, similarities);
  const predictions = new Uint8Array(n);
  for (let i = 0; i < n; i++) predictions[i] = similarities[i]! >= best.f1_threshold ? 1 : 0;
  best.mcc = matthewsCorrelation(labels, predictions);
  return best;
}

/** The next float32 above a value: the threshold that no pair reaches. */
function nextAbove(value: number): number {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = value;
  if (float[0]! === 0) bits[0] = 1;
  else bits[0]! += float[0]! > 0 ? 1 : -1;
  return float[0]!;
}
