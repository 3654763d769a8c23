/**
 * Semantic textual similarity: how well similarities of embeddings agree with graded pairs.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import { pearson, ranks, type Values } from "../numeric/correlation.ts";
import { type Embeddings, pairwiseSimilarities, SIMILARITIES } from "../embed/pairwise.ts";

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
 * @throws {EvaluationError} Another number of gold similarities, or fewer than two different ones.
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
  if (gold.length < 2 || Array.from(gold).every((value) => value === gold[0])) {
    throw new EvaluationError("a correlation needs at least two different gold similarities", {
      found: gold.length < 2 ? counted(gold.length, "pair") : `${counted(gold.length, "pair")}, all graded ${gold[0]}`,
    });
  }
  const similarities = pairwiseSimilarities(first, second);
  const goldRanks = ranks(gold);
  const metrics: Record<string, number> = {};
  for (const kind of SIMILARITIES) {
    metrics[`pearson_${kind}`] = orZero(pearson(gold, similarities[kind]));
    metrics[`spearman_${kind}`] = orZero(pearson(goldRanks, ranks(similarities[kind])));
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
