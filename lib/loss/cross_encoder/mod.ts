/**
 * Losses of cross-encoders, over the logits of pairs or of lists, one file each.
 *
 * @module
 */
export { adrMse, type AdrMseOptions } from "./adr_mse.ts";
export { binaryCrossEntropy, type BinaryCrossEntropyOptions } from "./binary_cross_entropy.ts";
export { crossEntropy } from "./cross_entropy.ts";
export { lambda, type LambdaOptions, type LambdaWeighting, rankNet, type RankNetOptions } from "./lambda.ts";
export {
  listMle,
  type ListMleOptions,
  positionListMle,
  type PositionListMleOptions,
  type PositionWeights,
} from "./list_mle.ts";
export { listNet, type ListNetOptions } from "./list_net.ts";
export { marginMse, type MarginMseOptions } from "./margin_mse.ts";
export { mse, type MseOptions } from "./mse.ts";
export {
  type CrossEncoderLabel,
  crossEncoderLosses as losses,
  crossEncoderLossOf as lossOf,
  type CrossEncoderLossSpec,
  type DescribeCrossEncoderLoss,
} from "./named.ts";
export { multipleNegativesRanking, type MultipleNegativesRankingOptions } from "./multiple_negatives_ranking.ts";
