/**
 * What must agree with numpy, scipy and scikit-learn: correlations, logistic regression, k-means, random streams, maps.
 *
 * @module
 */
export * from "./correlation.ts";
export * from "./lbfgs.ts";
export * from "./line_search.ts";
export * from "./logistic_regression.ts";
export * from "./matrix.ts";
export * from "./mersenne_twister.ts";
export * from "./mini_batch_kmeans.ts";
export * from "./p_value.ts";
export * from "./projection.ts";
export * from "./rounding.ts";
