/**
 * Semantic textual similarity: how well similarities of embeddings agree with graded pairs.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import { expectFinite } from "./expect.ts";
import { MOST_FLOAT32_RANKS, pearson, ranksInto, type Values } from "../numeric/correlation.ts";
import { type Embeddings, pairwiseSimilarities, SIMILARITIES, type Similarity } from "../embed/pairwise.ts";

/** The ten keys of sentence-transformers' EmbeddingSimilarityEvaluator. */
export type SimilarityMetrics = {
  readonly [key in `${"pearson" | "spearman"}_${"cosine" | "manhattan" | "euclidean" | "dot" | "max"}`]: number;
};

/**
 * How well similarities of pairs agree with gold ones: sentence-transformers' `EmbeddingSimilarityEvaluator`.
 * Pearson's and Spearman's correlation of `gold` with cosine, dot product, negative Euclidean and negative Manhattan
 * distance, and the highest of each.
 *
 * @param first [n, width] embeddings.
 * @param second [n, width] embeddings.
 * @param gold [n] similarities that people gave, on any scale.
 * @returns Ten correlations by key.
 * @throws {EvaluationError} Another number of gold similarities, fewer than two different ones, or one that is not finite.
 * @throws {DatasetError} Embeddings that are not finite.
 *
 * @example
 * ```ts
 * import { similarityMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const first = { data: Float32Array.of(1, 0, 1, 0, 1, 0), width: 2, rows: 3 };
 * const second = { data: Float32Array.of(1, 0, 1, 1, 0, 1), width: 2, rows: 3 };
 * assert.equal(similarityMetrics(first, second, [5, 3, 0]).spearman_cosine, 1);
 * ```
 */
export function similarityMetrics(first: Embeddings, second: Embeddings, gold: Values): SimilarityMetrics {
  if (first.rows !== gold.length || second.rows !== gold.length || first.width !== second.width) {
    throw new EvaluationError("embeddings and gold similarities do not match", {
      expected: `${counted(gold.length, "pair")} of equal width`,
      found: `${first.rows} × ${first.width} and ${second.rows} × ${second.width}`,
    });
  }
  return correlationsOf(pairwiseSimilarities(first, second), gold);
}

/**
 * The same of similarities that are known already: for rows that came a few at a time.
 *
 * @param similarities [n] of each kind, from `pairwiseSimilarities`.
 * @param gold [n] similarities that people gave, on any scale.
 * @returns Ten correlations by key.
 * @throws {EvaluationError} Fewer than two different gold similarities, another number of one kind, or a value that is not
 *   finite.
 *
 * @example
 * ```ts
 * import { correlationsOf } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const close = [.9, .5, .1];
 * const similarities = { cosine: close, dot: close, euclidean: [-.1, -2, -3], manhattan: [-.1, -3, -2] };
 * assert.deepEqual(correlationsOf(similarities, [5, 3, 0]).spearman_manhattan, .5);
 * ```
 */
export function correlationsOf(similarities: Readonly<Record<Similarity, Values>>, gold: Values): SimilarityMetrics {
  expectFinite("gold similarities", gold);
  for (const kind of SIMILARITIES) expectFinite(kind, similarities[kind], gold.length);
  let differs = false;
  for (let i = 1; i < gold.length && !differs; i++) differs = gold[i] !== gold[0];
  if (!differs) {
    throw new EvaluationError("a correlation needs at least two different gold similarities", {
      found: gold.length < 2 ? counted(gold.length, "pair") : `${counted(gold.length, "pair")}, all graded ${gold[0]}`,
    });
  }
  // Sixteen bytes a row, for all kinds.
  const Ranks = gold.length <= MOST_FLOAT32_RANKS ? Float32Array : Float64Array;
  const sorted = new Float64Array(gold.length);
  const goldRanks = ranksInto(gold, new Ranks(gold.length), sorted);
  const result = new Ranks(gold.length);
  const metrics: Record<string, number> = {};
  for (const kind of SIMILARITIES) {
    metrics[`pearson_${kind}`] = orZero(pearson(gold, similarities[kind]));
    metrics[`spearman_${kind}`] = orZero(pearson(goldRanks, ranksInto(similarities[kind], result, sorted)));
  }
  for (const correlation of ["pearson", "spearman"]) {
    metrics[`${correlation}_max`] = Math.max(...SIMILARITIES.map((kind) => metrics[`${correlation}_${kind}`]!));
  }
  return metrics as SimilarityMetrics;
}

/** A model that gives all pairs the same similarity knows nothing: correlation 0 rather than NaN. */
function orZero(correlation: number): number {
  return Number.isNaN(correlation) ? 0 : correlation;
}
