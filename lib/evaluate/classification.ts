/**
 * Scores of classifiers, in float64, equal to scikit-learn's.
 *
 * Notation: n rows; for class c, hits h_c (said and true), predicted p_c, actual t_c.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import { expectOneOf } from "../expect.ts";
import { cutsOf } from "./cuts.ts";
import type { Values } from "../numeric/correlation.ts";

/**
 * How scores of classes become one: the mean over classes, over all decisions, or over classes weighted by how often
 * they occur; `binary` is the score of class 1 alone.
 */
export type Average = "macro" | "micro" | "weighted" | "binary";

/** Precision, recall and their harmonic mean. */
export interface PrecisionRecallF1 {
  /** Σh / Σp: how often the classifier was right when it said so. */
  readonly precision: number;
  /** Σh / Σt: how much of the class it found. */
  readonly recall: number;
  /** 2h / (p + t) */
  readonly f1: number;
}

/**
 * Share of rows with the right class.
 *
 * @param labels [n] classes.
 * @param predictions [n] what was said.
 * @returns From 0 to 1.
 * @throws {EvaluationError} There are no rows, or another number of predictions.
 *
 * @example
 * ```ts
 * import { accuracy } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(accuracy([0, 1, 2, 2], [0, 1, 1, 2]), 0.75);
 * ```
 */
export function accuracy(labels: Values, predictions: Values): number {
  sameLength(labels, predictions);
  let hits = 0;
  for (let i = 0; i < labels.length; i++) if (labels[i] === predictions[i]) hits++;
  return hits / labels.length;
}

/** Hits, predictions and occurrences of every class that was seen or said, by class in ascending order. */
function classCounts(
  labels: Values,
  predictions: Values,
): readonly { readonly class: number; readonly hits: number; readonly predicted: number; readonly actual: number }[] {
  sameLength(labels, predictions);
  const counts = new Map<number, { class: number; hits: number; predicted: number; actual: number }>();
  const of = (name: number) => {
    let count = counts.get(name);
    if (count === undefined) counts.set(name, count = { class: name, hits: 0, predicted: 0, actual: 0 });
    return count;
  };
  for (let i = 0; i < labels.length; i++) {
    of(labels[i]!).actual++;
    of(predictions[i]!).predicted++;
    if (labels[i] === predictions[i]) of(labels[i]!).hits++;
  }
  return [...counts.values()].sort((a, b) => a.class - b.class);
}

/**
 * Precision, recall and F1 as `precision_recall_fscore_support` with `zero_division=0`: what has no denominator is 0.
 * Classes are those that occur in labels or predictions.
 *
 * @param labels [n] classes.
 * @param predictions [n] what was said.
 * @param average How the scores of classes become one.
 * @returns All three, from 0 to 1.
 * @throws {EvaluationError} There are no rows, another number of predictions, or with `binary` a class other than 0
 *   and 1.
 * @throws {UsageError} There is no such average.
 *
 * @example
 * ```ts
 * import { precisionRecallF1 } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const { precision, recall } = precisionRecallF1([0, 1, 1, 1], [0, 0, 1, 1], "binary");
 * assert.deepEqual([precision, recall], [1, 2 / 3]);
 * ```
 */
export function precisionRecallF1(labels: Values, predictions: Values, average: Average): PrecisionRecallF1 {
  expectOneOf("average", average, ["macro", "micro", "weighted", "binary"]);
  const counts = classCounts(labels, predictions);
  if (average === "micro") {
    const total = { hits: 0, predicted: 0, actual: 0 };
    for (const { hits, predicted, actual } of counts) {
      total.hits += hits;
      total.predicted += predicted;
      total.actual += actual;
    }
    return ratios(total);
  }
  if (average === "binary") {
    const other = counts.find((count) => count.class !== 0 && count.class !== 1);
    if (other !== undefined) {
      throw new EvaluationError("a binary score is for two classes", {
        expected: "0 and 1",
        found: String(other.class),
      });
    }
    return ratios(counts.find((count) => count.class === 1) ?? { hits: 0, predicted: 0, actual: 0 });
  }
  let [precision, recall, f1, weights] = [0, 0, 0, 0];
  for (const count of counts) {
    const weight = average === "macro" ? 1 : count.actual;
    const own = ratios(count);
    precision += weight * own.precision;
    recall += weight * own.recall;
    f1 += weight * own.f1;
    weights += weight;
  }
  return { precision: precision / weights, recall: recall / weights, f1: f1 / weights };
}

function ratios(
  { hits, predicted, actual }: { readonly hits: number; readonly predicted: number; readonly actual: number },
): PrecisionRecallF1 {
  return {
    precision: predicted === 0 ? 0 : hits / predicted,
    recall: actual === 0 ? 0 : hits / actual,
    f1: predicted + actual === 0 ? 0 : 2 * hits / (predicted + actual),
  };
}

/**
 * F1, 2h / (p + t), by the given average: see {@linkcode precisionRecallF1}.
 *
 * @param labels [n] classes.
 * @param predictions [n] what was said.
 * @param average How the scores of classes become one.
 * @returns From 0 to 1.
 * @throws {EvaluationError} There are no rows, another number of predictions, or with `binary` a class other than 0
 *   and 1.
 * @throws {UsageError} There is no such average.
 *
 * @example
 * ```ts
 * import { f1Score } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(f1Score([0, 1, 2, 2], [0, 1, 2, 1], "micro"), 0.75);
 * ```
 */
export function f1Score(labels: Values, predictions: Values, average: Average): number {
  return precisionRecallF1(labels, predictions, average).f1;
}

/**
 * Average precision of scores against labels 0 and 1: Σ (Rₖ − Rₖ₋₁) Pₖ over the distinct scores in descending order, P
 * and R precision and recall of what scores at least as much. 0 where no label is 1.
 *
 * @param labels [n] 1 for what is relevant, else 0.
 * @param scores [n], the higher the likelier.
 * @returns From 0 to 1, equal to scikit-learn's `average_precision_score`.
 * @throws {EvaluationError} There are no rows, another number of scores, or one that is not a number.
 *
 * @example
 * ```ts
 * import { averagePrecision } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(averagePrecision([1, 1, 0], [0.9, 0.8, 0.1]), 1);
 * assert.equal(averagePrecision([1, 0, 1], [0.9, 0.8, 0.1]), (1 + 2 / 3) / 2);
 * ```
 */
export function averagePrecision(labels: Values, scores: Values): number {
  sameLength(labels, scores);
  let positives = 0;
  for (let i = 0; i < scores.length; i++) if (labels[i]! > 0) positives++;
  if (positives === 0) return 0;
  let [sum, before] = [0, 0];
  for (const { rows, hits } of cutsOf(scores, (row) => labels[row]! > 0)) {
    sum += (hits - before) / positives * (hits / rows);
    before = hits;
  }
  return sum;
}

/**
 * Matthews' correlation of classes, for any number of them (Gorodkin 2004): with c hits of n rows,
 * (c n − Σ pₖ tₖ) / √((n² − Σ pₖ²)(n² − Σ tₖ²)); 0 where either side is constant.
 *
 * @param labels [n] classes.
 * @param predictions [n] what was said.
 * @returns From −1 to 1, equal to scikit-learn's `matthews_corrcoef`.
 * @throws {EvaluationError} There are no rows, or another number of predictions.
 *
 * @example
 * ```ts
 * import { matthewsCorrelation } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(matthewsCorrelation([0, 1, 1], [0, 1, 1]), 1);
 * assert.equal(matthewsCorrelation([0, 1, 1], [1, 1, 1]), 0);
 * ```
 */
export function matthewsCorrelation(labels: Values, predictions: Values): number {
  const n = labels.length;
  let [hits, pt, pp, tt] = [0, 0, 0, 0];
  for (const count of classCounts(labels, predictions)) {
    hits += count.hits;
    pt += count.predicted * count.actual;
    pp += count.predicted ** 2;
    tt += count.actual ** 2;
  }
  const scale = Math.sqrt((n * n - pp) * (n * n - tt));
  return scale === 0 ? 0 : (hits * n - pt) / scale;
}

/** The column of the highest value of each row of [n, width]; of equal ones the first. */
export function argmaxRows(scores: Values, width: number): Int32Array {
  const best = new Int32Array(scores.length / width);
  for (let row = 0; row < best.length; row++) {
    for (let column = 1; column < width; column++) {
      if (scores[row * width + column]! > scores[row * width + best[row]!]!) best[row] = column;
    }
  }
  return best;
}

function sameLength(labels: Values, other: Values): void {
  if (labels.length === other.length && labels.length > 0) return;
  throw new EvaluationError(labels.length === 0 ? "there is nothing to score" : "labels and predictions do not match", {
    expected: labels.length === 0 ? "at least one row" : counted(labels.length, "prediction"),
    found: `${other.length}`,
  });
}
