/**
 * Scores of rankings, in float64.
 *
 * Two families of definitions are in use. Information retrieval (`…At`, as trec_eval and sentence-transformers'
 * InformationRetrievalEvaluator) looks at one ranked list; scikit-learn (`averagePrecision` of `classification.ts`,
 * {@linkcode ndcgOfScores}) looks at scores, and treats equal ones as one rank.
 *
 * Notation: gains[r] ≥ 0 is the relevance of what stands at rank r (from 0), 0 for the irrelevant.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import type { Values } from "../numeric/correlation.ts";

/** Options of {@linkcode rankByScore}. */
export interface RankOptions {
  /**
   * Which of two equal scores goes first: the one that stood `first` or `last` before. Default first. With positives
   * listed before negatives, `last` keeps a model that gives all the same score from looking perfect.
   */
  readonly ties?: "first" | "last";
}

/**
 * Places by score in descending order.
 *
 * @example
 * ```ts
 * import { rankByScore } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...rankByScore([0.1, 0.9, 0.9])], [1, 2, 0]);
 * ```
 */
export function rankByScore(scores: Values, { ties = "first" }: RankOptions = {}): Int32Array {
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i]!)) {
      throw new EvaluationError("a score is not a number", { where: `place ${i}`, found: "NaN" });
    }
  }
  const sign = ties === "first" ? 1 : -1;
  return Int32Array.from({ length: scores.length }, (_, i) => i)
    .sort((a, b) => scores[b]! - scores[a]! || sign * (a - b));
}

/** The gains in the order of a ranking. */
export function ranked(gains: Values, order: Int32Array): Float64Array {
  return Float64Array.from(order, (place) => gains[place]!);
}

/** 1 if anything relevant is among the first k, else 0: accuracy@k, hit rate. */
export function hitAt(gains: Values, k: number): number {
  return hitsAt(gains, k) > 0 ? 1 : 0;
}

/** Share of the first k that is relevant; ranks that are missing count as irrelevant. */
export function precisionAt(gains: Values, k: number): number {
  return hitsAt(gains, k) / k;
}

/** Share of all `relevant` documents that is among the first k; 0 if there is none. */
export function recallAt(gains: Values, k: number, relevant: number = hitsAt(gains, Infinity)): number {
  return relevant === 0 ? 0 : hitsAt(gains, k) / relevant;
}

/** 1 / rank (from 1) of the first relevant document, 0 if it is not among the first k: the mean over queries is MRR@k. */
export function reciprocalRankAt(gains: Values, k: number): number {
  for (let r = 0; r < Math.min(k, gains.length); r++) if (gains[r]! > 0) return 1 / (r + 1);
  return 0;
}

/** Options of {@linkcode averagePrecisionAt}. */
export interface AveragePrecisionOptions {
  /** How many documents are relevant, found or not. Default: as many as are in the list. */
  readonly relevant?: number;
  /** Divide by min(k, relevant), as sentence-transformers, or by `relevant`, as trec_eval's map_cut. Default min. */
  readonly divisor?: "min" | "relevant";
}

/** Σ over relevant ranks r < k of precision@(r + 1), divided: the mean over queries is MAP@k. */
export function averagePrecisionAt(gains: Values, k: number, options: AveragePrecisionOptions = {}): number {
  const { relevant = hitsAt(gains, Infinity), divisor = "min" } = options;
  let [hits, sum] = [0, 0];
  for (let r = 0; r < Math.min(k, gains.length); r++) if (gains[r]! > 0) sum += ++hits / (r + 1);
  return relevant === 0 ? 0 : sum / (divisor === "min" ? Math.min(k, relevant) : relevant);
}

/** Σ gains[r] / log₂(r + 2) over the first k: discounted cumulative gain (Järvelin & Kekäläinen 2002). */
export function dcgAt(gains: Values, k: number): number {
  let sum = 0;
  for (let r = 0; r < Math.min(k, gains.length); r++) sum += gains[r]! / Math.log2(r + 2);
  return sum;
}

/**
 * DCG@k of the list over that of the best order of `ideal`, the gains of all relevant documents, found or not (default:
 * those of the list). 0 if nothing is relevant.
 *
 * @example
 * ```ts
 * import { ndcgAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(ndcgAt([1, 0, 0], 10), 1);
 * assert.equal(ndcgAt([0, 1, 0], 10), 1 / Math.log2(3));
 * ```
 */
export function ndcgAt(gains: Values, k: number, ideal: Values = gains): number {
  const best = dcgAt(Float64Array.from(ideal).sort().reverse(), k);
  return best === 0 ? 0 : dcgAt(gains, k) / best;
}

/**
 * scikit-learn's `ndcg_score` of one row: documents of equal score share the mean of their gains over the ranks they
 * take together. `gains` and `scores` are by document, not by rank.
 */
export function ndcgOfScores(gains: Values, scores: Values, k = Infinity): number {
  const order = rankByScore(scores);
  const sorted = ranked(gains, order);
  for (let start = 0; start < order.length;) {
    let end = start;
    let sum = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) sum += sorted[end++]!;
    sorted.fill(sum / (end - start), start, end);
    start = end;
  }
  return ndcgAt(sorted, k, gains);
}

function hitsAt(gains: Values, k: number): number {
  let hits = 0;
  for (let r = 0; r < Math.min(k, gains.length); r++) if (gains[r]! > 0) hits++;
  return hits;
}
