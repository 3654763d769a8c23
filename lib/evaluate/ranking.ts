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
 * @param scores [n], by place.
 * @param options Which of two equal scores goes first.
 * @returns [n] places, the best first.
 * @throws {EvaluationError} A score is not a number.
 *
 * @example
 * ```ts
 * import { rankByScore } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...rankByScore([0.1, 0.9, 0.9])], [1, 2, 0]);
 * ```
 */
export function rankByScore(scores: Values, options: RankOptions = {}): Int32Array {
  const { ties = "first" } = options;
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

/**
 * 1 if anything relevant is among the first k, else 0: accuracy@k, hit rate.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @returns 0 or 1.
 *
 * @example
 * ```ts
 * import { hitAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.deepEqual([hitAt([0, 0, 1], 2), hitAt([0, 0, 1], 3)], [0, 1]);
 * ```
 */
export function hitAt(gains: Values, k: number): number {
  return hitsAt(gains, k) > 0 ? 1 : 0;
}

/**
 * Share of the first k that is relevant; ranks that are missing count as irrelevant.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { precisionAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(precisionAt([1, 0, 1], 10), 0.2);
 * ```
 */
export function precisionAt(gains: Values, k: number): number {
  return hitsAt(gains, k) / k;
}

/**
 * Share of the relevant documents that is among the first k; 0 if there is none.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @param options How many documents are relevant, found or not. Default: those of the list.
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { recallAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(recallAt([1, 0, 0, 1], 2), 1 / 2);
 * assert.equal(recallAt([1, 0, 0, 1], 2, { relevant: 5 }), 1 / 5); // three were not even found
 * ```
 */
export function recallAt(gains: Values, k: number, options: { readonly relevant?: number } = {}): number {
  const { relevant = hitsAt(gains, Infinity) } = options;
  return relevant === 0 ? 0 : hitsAt(gains, k) / relevant;
}

/**
 * 1 / rank (from 1) of the first relevant document, 0 if it is not among the first k: the mean over queries is MRR@k.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { reciprocalRankAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.deepEqual([reciprocalRankAt([0, 0, 1], 10), reciprocalRankAt([0, 0, 1], 2)], [1 / 3, 0]);
 * ```
 */
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

/**
 * Σ over relevant ranks r < k of precision@(r + 1), divided: the mean over queries is MAP@k.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @param options What the sum is divided by.
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { averagePrecisionAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(averagePrecisionAt([1, 0, 1], 10), (1 + 2 / 3) / 2);
 * ```
 */
export function averagePrecisionAt(gains: Values, k: number, options: AveragePrecisionOptions = {}): number {
  const { relevant = hitsAt(gains, Infinity), divisor = "min" } = options;
  let [hits, sum] = [0, 0];
  for (let r = 0; r < Math.min(k, gains.length); r++) if (gains[r]! > 0) sum += ++hits / (r + 1);
  return relevant === 0 ? 0 : sum / (divisor === "min" ? Math.min(k, relevant) : relevant);
}

/** Σ gains[r] / log₂(r + 2) over the first k: discounted cumulative gain (Järvelin & Kekäläinen 2002). */
function dcgAt(gains: Values, k: number): number {
  let sum = 0;
  for (let r = 0; r < Math.min(k, gains.length); r++) sum += gains[r]! / Math.log2(r + 2);
  return sum;
}

/**
 * DCG@k of the list over that of the best order: normalised discounted cumulative gain (Järvelin & Kekäläinen 2002).
 * DCG@k = Σ gains[r] / log₂(r + 2) over r < k. 0 if nothing is relevant.
 *
 * @param gains Relevance by rank, 0 for the irrelevant.
 * @param k How deep to look.
 * @param options The gains of all relevant documents, found or not. Default: those of the list.
 * @returns From 0 to 1.
 *
 * @example
 * ```ts
 * import { ndcgAt } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(ndcgAt([0, 1, 0], 10), 1 / Math.log2(3));
 * assert.ok(ndcgAt([0, 1, 0], 10, { ideal: [1, 1] }) < 1 / Math.log2(3)); // another one was not found
 * ```
 */
export function ndcgAt(gains: Values, k: number, options: { readonly ideal?: Values } = {}): number {
  const { ideal = gains } = options;
  const best = dcgAt(Float64Array.from(ideal).sort().reverse(), k);
  return best === 0 ? 0 : dcgAt(gains, k) / best;
}

/**
 * scikit-learn's `ndcg_score` of one row: documents of equal score share the mean of their gains over the ranks they
 * take together. `gains` and `scores` are by document, not by rank.
 *
 * @param gains Relevance by document, 0 for the irrelevant.
 * @param scores By document, the higher the earlier.
 * @param options How deep to look. Default: through all.
 * @returns From 0 to 1, equal to scikit-learn's `ndcg_score`.
 *
 * @example
 * ```ts
 * import { ndcgOfScores } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(ndcgOfScores([0, 1], [0.2, 0.9]), 1);
 * assert.equal(ndcgOfScores([0, 1], [0.2, 0.9], { k: 1 }), 1);
 * ```
 */
export function ndcgOfScores(gains: Values, scores: Values, options: { readonly k?: number } = {}): number {
  const { k = Infinity } = options;
  const order = rankByScore(scores);
  const sorted = ranked(gains, order);
  for (let start = 0; start < order.length;) {
    let end = start;
    let sum = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) sum += sorted[end++]!;
    sorted.fill(sum / (end - start), start, end);
    start = end;
  }
  return ndcgAt(sorted, k, { ideal: gains });
}

function hitsAt(gains: Values, k: number): number {
  let hits = 0;
  for (let r = 0; r < Math.min(k, gains.length); r++) if (gains[r]! > 0) hits++;
  return hits;
}
