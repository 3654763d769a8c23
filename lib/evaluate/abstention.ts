/**
 * Whether a retriever knows when it fails: the normalised area under the abstention curve.
 *
 * @module
 */
import type { Values } from "../numeric/correlation.ts";
import { pairwiseSum } from "../numeric/pairwise_sum.ts";
import { roundHalfEven } from "../numeric/rounding.ts";

/** Rates of queries that are left unanswered: 0, 0.1, …, 0.9, as numpy's `linspace` spells them. */
const RATES: readonly number[] = Array.from({ length: 10 }, (_, i) => i * 0.1);

/**
 * nAUC (Gisserot-Boukhlef et al. 2024): the mean metric of the queries that are answered when the least confident are
 * not, integrated over rates of abstention, between no gain (0) and that of an oracle (1). NaN where abstaining cannot
 * help: all queries score the same. Queries of equal confidence share the mean of their metrics. Sums are paired as
 * numpy's, because whether the oracle gains anything is asked of the last bit.
 *
 * @param confidence How sure the retriever is of each query.
 * @param metric How good its ranking of that query is.
 * @returns The gain, 1 at most; NaN where abstaining cannot help, or there are no queries.
 */
export function abstentionGain(confidence: Values, metric: Values): number {
  if (metric.length === 0) return NaN;
  const curve = abstentionCurve(confidence, metric);
  const oracle = abstentionCurve(metric, metric);
  const area = trapezoid(curve);
  const best = trapezoid(oracle);
  const flat = oracle[0]! * (RATES[9]! - RATES[0]!);
  return best === flat ? NaN : (area - flat) / (best - flat);
}

function abstentionCurve(confidence: Values, metric: Values): number[] {
  const n = metric.length;
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => confidence[a]! - confidence[b]! || a - b);
  const sorted = Float64Array.from(order, (place) => metric[place]!);
  for (let start = 0; start < n;) {
    let end = start + 1;
    while (end < n && confidence[order[end]!] === confidence[order[start]!]) end++;
    sorted.fill(pairwiseSum(sorted, start, end) / (end - start), start, end);
    start = end;
  }
  return RATES.map((rate) => {
    const left = Math.min(roundHalfEven(rate * n), n - 1);
    return pairwiseSum(sorted, left, n) / (n - left);
  });
}

/**
 * Confidence of a ranking by its scores: the highest, their standard deviation, and the lead of the first.
 *
 * @param scores Those of one query's documents, in any order.
 * @returns Three measures of it.
 */
export function confidences(scores: Values): { readonly max: number; readonly std: number; readonly diff1: number } {
  const n = scores.length;
  if (n === 0) return { max: 0, std: 0, diff1: 0 };
  const values = Float64Array.from(scores);
  const mean = pairwiseSum(values, 0, n) / n;
  const std = Math.sqrt(pairwiseSum(values.map((value) => (value - mean) ** 2), 0, n) / n);
  values.sort();
  return { max: values[n - 1]!, std, diff1: n > 1 ? values[n - 1]! - values[n - 2]! : 0 };
}

function trapezoid(curve: readonly number[]): number {
  const parts = Float64Array.from(
    { length: curve.length - 1 },
    (_, i) => (RATES[i + 1]! - RATES[i]!) * (curve[i + 1]! + curve[i]!) / 2,
  );
  return pairwiseSum(parts, 0, parts.length);
}
