/**
 * Triplet accuracy: how often an anchor is nearer to its positive than to its negative.
 *
 * @module
 */
import { type Embeddings, pairwiseSimilarities, SIMILARITIES } from "../embed/pairwise.ts";

/** Accuracy by similarity, and the highest. */
export type TripletMetrics = {
  readonly [key in `${"cosine" | "manhattan" | "euclidean" | "dot" | "max"}_accuracy`]: number;
};

/**
 * Share of triplets whose positive is more similar to the anchor than the negative, by more than a margin:
 * sentence-transformers' `TripletEvaluator`.
 *
 * @param anchor [n, width] embeddings.
 * @param positive [n, width] embeddings.
 * @param negative [n, width] embeddings.
 * @param options The margin. Default 0.
 * @returns Accuracies by similarity, and the highest.
 *
 * @example
 * ```ts
 * import { tripletMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const of = (...data: number[]) => ({ data: Float32Array.from(data), width: 2, rows: 1 });
 * assert.equal(tripletMetrics(of(1, 0), of(1, 0.2), of(0, 1)).cosine_accuracy, 1);
 * assert.equal(tripletMetrics(of(1, 0), of(1, 0.2), of(0, 1), { margin: 1 }).cosine_accuracy, 0);
 * ```
 */
export function tripletMetrics(
  anchor: Embeddings,
  positive: Embeddings,
  negative: Embeddings,
  options: { readonly margin?: number } = {},
): TripletMetrics {
  const { margin = 0 } = options;
  const near = pairwiseSimilarities(anchor, positive);
  const far = pairwiseSimilarities(anchor, negative);
  const metrics: Record<string, number> = {};
  for (const kind of SIMILARITIES) {
    let hits = 0;
    for (let i = 0; i < anchor.rows; i++) if (near[kind][i]! > far[kind][i]! + margin) hits++;
    metrics[`${kind}_accuracy`] = hits / anchor.rows;
  }
  metrics["max_accuracy"] = Math.max(...Object.values(metrics));
  return metrics as TripletMetrics;
}
