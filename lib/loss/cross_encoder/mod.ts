/**
 * Losses of cross-encoders, over the logits of pairs, one file each.
 *
 * @module
 */
export * from "./binary_cross_entropy.ts";
export * from "./cross_entropy.ts";
export * from "./margin_mse.ts";
export * from "./mse.ts";
export * from "./multiple_negatives_ranking.ts";
