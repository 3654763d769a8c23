/**
 * Losses of cross-encoders, over the logits of pairs, one file each.
 *
 * @module
 */
export { binaryCrossEntropy, type BinaryCrossEntropyOptions } from "./binary_cross_entropy.ts";
export { crossEntropy } from "./cross_entropy.ts";
export { marginMse, type MarginMseOptions } from "./margin_mse.ts";
export { mse, type MseOptions } from "./mse.ts";
export { multipleNegativesRanking, type MultipleNegativesRankingOptions } from "./multiple_negatives_ranking.ts";
