/**
 * Evaluation of embeddings, with sentence-transformers' key names.
 *
 * @module
 */
export * from "./binary.ts";
export * from "./classification.ts";
export * from "./correlation.ts";
export * from "./cross_encoder.ts";
export * from "./cross_encoder_metrics.ts";
export * from "./encode.ts";
export * from "./label_metrics.ts";
export * from "./overlap.ts";
export * from "./pairwise.ts";
export * from "./projection.ts";
export * from "./ranking.ts";
export * from "./search.ts";
export * from "./similarity.ts";
export * from "./triplet.ts";
