/**
 * What mined negatives look like: scores of positives, negatives and their difference.
 *
 * @module
 */
import { type Histogram, histogramOf } from "../numeric/histogram.ts";

/** A distribution; not a number where there is none. */
export interface ScoreSummary {
  /** How many. */
  readonly count: number;
  /** Arithmetic mean. */
  readonly mean: number;
  /** The middle one; of two the lower (as PyTorch has it). */
  readonly median: number;
  /** Standard deviation of a sample (n − 1). */
  readonly std: number;
  /** Least. */
  readonly min: number;
  /** First quartile, interpolated. */
  readonly lowerQuartile: number;
  /** Second quartile, interpolated. */
  readonly middle: number;
  /** Third quartile, interpolated. */
  readonly upperQuartile: number;
  /** Greatest. */
  readonly max: number;
  /** How many lie in each of equal bins from the least to the greatest. */
  readonly histogram: Histogram;
}

/** Statistics of a written-out set of negatives. */
export interface NegativeStatistics {
  /** Scores of anchors with their positives, each pair once. */
  readonly positive: ScoreSummary;
  /** Scores of the negatives, once for every positive that they stand beside. */
  readonly negative: ScoreSummary;
  /** Positive minus negative, for every two that stand in one row. */
  readonly difference: ScoreSummary;
  /** Rows (of triplets or labelled pairs: negatives) that there would be if every anchor had all its negatives. */
  readonly possible: number;
  /** How many of them there are not. */
  readonly missing: number;
}

/** Summarises a distribution. */
export function summarize(values: Float32Array): ScoreSummary {
  const sorted = values.slice().sort();
  const count = sorted.length;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / count;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const quantile = (share: number) => {
    const at = share * (count - 1);
    const [low, high] = [sorted[Math.floor(at)] ?? NaN, sorted[Math.ceil(at)] ?? NaN];
    return low + (high - low) * (at - Math.floor(at));
  };
  return {
    count,
    mean,
    median: sorted[(count - 1) >> 1] ?? NaN,
    std: count < 2 ? NaN : Math.sqrt(squares / (count - 1)),
    min: sorted[0] ?? NaN,
    lowerQuartile: quantile(.25),
    middle: quantile(.5),
    upperQuartile: quantile(.75),
    max: sorted[count - 1] ?? NaN,
    histogram: histogramOf(sorted),
  };
}
