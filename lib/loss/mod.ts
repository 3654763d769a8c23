/**
 * Losses over embeddings, one file each.
 *
 * @module
 */
export * from "./angle.ts";
export * from "./contrastive.ts";
export * from "./cosent.ts";
export * from "./cosine_similarity.ts";
export * from "./distance.ts";
export * from "./loss.ts";
export * from "./margin_mse.ts";
export * from "./matryoshka.ts";
export * from "./multiple_negatives_ranking.ts";
export * from "./online_contrastive.ts";
export * from "./softmax.ts";
export * from "./triplet.ts";
