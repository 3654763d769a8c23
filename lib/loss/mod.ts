/**
 * Losses over embeddings, one file each.
 *
 * @module
 */
export * from "./cosine_similarity.ts";
export * from "./loss.ts";
export * from "./multiple_negatives_ranking.ts";
export * from "./softmax.ts";
