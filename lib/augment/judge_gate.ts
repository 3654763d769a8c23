/**
 * Whether a judge is worth asking: how well it orders pairs that people labelled, beside the cosine of the bi-encoder that it
 * is to teach. A student learns nothing from a teacher that knows less.
 *
 * @module
 */
import { comparePaired, type PairedComparison } from "./paired_comparison.ts";

/** A judge beside the bi-encoder that it is to teach, on pairs that neither has learnt from. */
export interface JudgeGate extends Pick<PairedComparison, "metric" | "uncertainty" | "rows"> {
  /** What the judge reaches; 0 where it says the same of all pairs. */
  readonly judge: number;
  /** What the cosine of the bi-encoder reaches, untouched. */
  readonly base: number;
  /** Whether the judge is better, by more than this uncertainty. */
  readonly passed: boolean;
}

/**
 * Compares a judge with a bi-encoder's cosine.
 *
 * @param judge [n] scores of the judge.
 * @param base [n] cosines.
 * @param truth [n] labels of people; of 0 and 1 alone they are classes.
 * @returns Both by the same metric, and whether the judge is the better one by more than chance.
 * @throws {DatasetError} Not as many of each, or labels that are all the same.
 * @throws {EvaluationError} A score or a label that is not a finite number.
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
  const { first, second, ...measured } = comparePaired(judge, base, truth);
  return { ...measured, judge: first, base: second, passed: first - second > measured.uncertainty };
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
