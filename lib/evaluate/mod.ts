/**
 * Evaluation of embeddings, with sentence-transformers' key names.
 *
 * @module
 */
export * from "./abstention.ts";
export * from "./binary.ts";
export * from "./classification.ts";
export * from "./correlation.ts";
export * from "./cross_encoder.ts";
export * from "./cross_encoder_metrics.ts";
export * from "./encode.ts";
export * from "./label_metrics.ts";
export * from "./lbfgs.ts";
export * from "./line_search.ts";
export * from "./logistic_regression.ts";
export * from "./mersenne_twister.ts";
export * from "./mini_batch_kmeans.ts";
export * from "./mteb/mod.ts";
export * from "./overlap.ts";
export * from "./p_value.ts";
export * from "./pairwise.ts";
export * from "./projection.ts";
export * from "./ranking.ts";
export * from "./retrieval.ts";
export * from "./rounding.ts";
export * from "./search.ts";
export * from "./similarity.ts";
export * from "./triplet.ts";
export * from "./v_measure.ts";
