/**
 * Losses, one file each: a loss is a pure function of embeddings (or, in `crossEncoder`, of logits) and labels, and says
 * which columns of a dataset it wants. Shapes in formulas: B rows of a batch, D numbers of an embedding.
 *
 * `losses` describes them as plain JSON, which is what trainings take; the functions themselves are for loops of your own.
 *
 * @module
 */
export { angle } from "./angle.ts";
export { batchAllTriplet } from "./batch_all_triplet.ts";
export { batchHardSoftMarginTriplet, batchHardTriplet } from "./batch_hard_triplet.ts";
export { batchSemiHardTriplet } from "./batch_semi_hard_triplet.ts";
export type { BatchTripletOptions } from "./class_distances.ts";
export { contrastive, type ContrastiveOptions } from "./contrastive.ts";
export {
  contrastiveTension,
  contrastiveTensionInBatch,
  type ContrastiveTensionInBatchOptions,
} from "./contrastive_tension.ts";
export { cosent, type CosentOptions } from "./cosent.ts";
export { cosineSimilarity } from "./cosine_similarity.ts";
export * as crossEncoder from "./cross_encoder/mod.ts";
export type { CrossEncoderLabel, CrossEncoderLossSpec } from "./cross_encoder/named.ts";
export type { CrossEncoderLoss, LogitActivation } from "./cross_encoder_loss.ts";
export type { Distance } from "./distance.ts";
export { distillKlDiv, type DistillKlDivOptions } from "./distill_kl_div.ts";
export {
  type EmbeddingDistance,
  embedDistill,
  type EmbedDistillOptions,
  mse,
  type MseOptions,
} from "./embed_distill.ts";
export type { ListLoss, Lists, ListTotal } from "./list_loss.ts";
export { gistEmbed, type GistEmbedOptions } from "./gist_embed.ts";
export type { Guide, HeadTensor, LabelKind, Loss, LossBatch } from "./loss.ts";
export { marginMse, type MarginMseOptions } from "./margin_mse.ts";
export { matryoshka, type MatryoshkaOptions } from "./matryoshka.ts";
export { megaBatchMargin, type MegaBatchMarginOptions } from "./mega_batch_margin.ts";
export {
  type Direction,
  type Hardness,
  multipleNegativesRanking,
  type MultipleNegativesRankingOptions,
} from "./multiple_negatives_ranking.ts";
export { type DescribeLoss, losses, type LossIdentity, lossOf, type LossSpec, nameLoss } from "./named.ts";
export type { OptionRule } from "./options.ts";
export { onlineContrastive } from "./online_contrastive.ts";
export { softmax, type SoftmaxOptions } from "./softmax.ts";
export type { ScoreBy } from "./teacher_scores.ts";
export { triplet, type TripletOptions } from "./triplet.ts";
export { type TriedLoss, tryLoss } from "./try_loss.ts";
