/**
 * Losses over embeddings, one file each.
 *
 * @module
 */
export * from "./angle.ts";
export * from "./batch_all_triplet.ts";
export * from "./batch_hard_triplet.ts";
export * from "./batch_semi_hard_triplet.ts";
export { type BatchTripletOptions, distanceMatrix } from "./class_distances.ts";
export * from "./contrastive.ts";
export * from "./cosent.ts";
export * from "./cosine_similarity.ts";
export * as crossEncoder from "./cross_encoder/mod.ts";
export * from "./cross_encoder_loss.ts";
export * from "./distance.ts";
export * from "./loss.ts";
export * from "./margin_mse.ts";
export * from "./matryoshka.ts";
export * from "./mega_batch_margin.ts";
export * from "./multiple_negatives_ranking.ts";
export * from "./named.ts";
export * from "./online_contrastive.ts";
export * from "./softmax.ts";
export * from "./triplet.ts";
