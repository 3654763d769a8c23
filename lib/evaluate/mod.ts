/**
 * Evaluation of embeddings, with sentence-transformers' key names.
 *
 * @module
 */
export * from "./abstention.ts";
export * from "./binary.ts";
export * from "./classification.ts";
export * from "./cross_encoder.ts";
export * from "./cross_encoder_metrics.ts";
export * from "./label_metrics.ts";
export * from "./mteb/mod.ts";
export * from "./overlap.ts";
export * from "./ranking.ts";
export * from "./retrieval.ts";
export * from "./similarity.ts";
export * from "./triplet.ts";
export * from "./v_measure.ts";
