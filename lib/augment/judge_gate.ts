/**
 * Whether a judge is worth asking: how well it orders pairs that people labelled, beside the cosine of the bi-encoder that it
 * is to teach. A student learns nothing from a teacher that knows less.
 *
 * @module
 */
import { averagePrecision } from "../evaluate/classification.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import { spearman } from "../numeric/correlation.ts";

/** A judge beside the bi-encoder that it is to teach, on pairs that neither has learnt from. */
export interface JudgeGate {
  /** Of graded pairs the rank correlation, of classes the average precision. */
  readonly metric: "spearman" | "average_precision";
  /** What the judge reaches; 0 where it says the same of all pairs. */
  readonly judge: number;
  /** What the cosine of the bi-encoder reaches, untouched. */
  readonly base: number;
  /** Standard error of their difference, by drawing the pairs again with replacement (a paired bootstrap). */
  readonly uncertainty: number;
  /** Pairs that were asked about. */
  readonly rows: number;
  /** Whether the judge is better, by more than this uncertainty. */
  readonly passed: boolean;
}

/** How often the pairs are drawn again. */
const RESAMPLES = 200;

/**
 * Compares a judge with a bi-encoder's cosine.
 *
 * @param judge [n] scores of the judge.
 * @param base [n] cosines.
 * @param truth [n] labels of people; of 0 and 1 alone they are classes.
 * @returns Both by the same metric, and whether the judge is the better one by more than chance.
 * @throws {DatasetError} Not as many of each, or labels that are all the same.
 *
 * @example
 * ```ts
 * import { judgeGate } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const { metric, judge, base } = judgeGate([0.9, 0.6, 0.1], [0.9, 0.1, 0.6], [1, 0.5, 0]);
 * assert.deepEqual({ metric, judge, base }, { metric: "spearman", judge: 1, base: 0.5 });
 * ```
 */
export function judgeGate(
  judge: ArrayLike<number>,
  base: ArrayLike<number>,
  truth: ArrayLike<number>,
): JudgeGate {
  const rows = truth.length;
  if (judge.length !== rows || base.length !== rows || rows === 0) {
    throw new DatasetError("a judge is measured on as many scores as labels", {
      expected: `${rows} of each, at least one`,
      found: `${judge.length} of the judge, ${base.length} cosines`,
    });
  }
  const labels = Array.from(truth);
  if (labels.every((label) => label === labels[0])) {
    throw new DatasetError("pairs that are all labelled alike do not measure a judge", {
      expected: "two different labels",
      found: `${rows} times ${labels[0]}`,
    });
  }
  const classes = labels.every((label) => label === 0 || label === 1);
  const worth = (scores: ArrayLike<number>, rows: Int32Array) => {
    const [said, is] = [Float64Array.from(rows, (row) => scores[row]!), Float64Array.from(rows, (row) => labels[row]!)];
    return classes ? averagePrecision(is, said) : spearman(said, is) || 0;
  };
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const [ofJudge, ofBase] = [worth(judge, all), worth(base, all)];
  const differences = Array.from({ length: RESAMPLES }, (_, draw) => {
    const random = randomStream(0, randomPurpose("bootstrap"), draw);
    const drawn = all.map(() => random.int(rows));
    return worth(judge, drawn) - worth(base, drawn);
  });
  const mean = differences.reduce((sum, value) => sum + value, 0) / RESAMPLES;
  const uncertainty = Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (RESAMPLES - 1));
  return {
    metric: classes ? "average_precision" : "spearman",
    judge: ofJudge,
    base: ofBase,
    uncertainty,
    rows,
    passed: ofJudge - ofBase > uncertainty,
  };
}

/**
 * How many gold pairs are held out to measure a judge by, where nothing is said: a tenth, but at least 200 and at most 1,000;
 * of fewer than a thousand a fifth, and none of fewer than fifty.
 *
 * @param rows Gold pairs in all.
 * @returns How many of them.
 */
export function judgeRows(rows: number): number {
  if (rows < 50) return 0;
  return Math.min(1000, Math.max(Math.round(rows / 10), Math.min(200, Math.floor(rows / 5))));
}
