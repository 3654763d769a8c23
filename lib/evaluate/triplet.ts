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

/** Share of triplets with similarity(anchor, positive) > similarity(anchor, negative) + margin. */
export function tripletMetrics(
  anchor: Embeddings,
  positive: Embeddings,
  negative: Embeddings,
  margin = 0,
): TripletMetrics {
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
