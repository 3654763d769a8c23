/**
 * The common jobs as functions that can be awaited, with no Effect type in sight.
 *
 * @module
 */
export type { RankedDocument } from "../evaluate/cross_encoder.ts";
export type { SentenceOptions, TokenOptions } from "../embed/outputs.ts";
export {
  encode,
  type EncodeJobOptions,
  evaluate,
  type GradedPairs,
  type JobOptions,
  type RetrievalCorpus,
  type RetrievalPairs,
} from "./encode.ts";
export {
  type DistilledTexts,
  distillEncoder,
  type DistillEncoderInput,
  type DistillEncoderSettings,
  type ParallelTexts,
} from "./distillation.ts";
export { finetune, type FinetuneOptions } from "./finetune.ts";
export type { DatasetsOption, FinetuneSet, FinetuneSetOptions } from "./finetune_sets.ts";
export type { LabelColumns, PairColumns, ScoredColumns } from "./rows.ts";
export { gpl, type GplInput } from "./gpl.ts";
export {
  type AnsweredQuestions,
  type JudgedPairs,
  type ListRows,
  type MeasuredJudge,
  trainCrossEncoder,
  type TrainCrossEncoderOptions,
} from "./judge.ts";
export type { DimensionReport } from "../pipeline/matryoshka.ts";
export { predict, rank } from "./pairs.ts";
export {
  contrastiveTension,
  type ContrastiveTensionInput,
  type PlainTextsInput,
  simcse,
  type SimcseInput,
  tsdae,
  type TsdaeInput,
} from "./plain_texts.ts";
export { augmentedSbert, type AugmentedSbertInput, type AugmentedSbertResult, type TextPairs } from "./scenarios.ts";
export type { FinetuneSettings, HoldOutOption, MeasuredTraining, OutputOptions } from "./training.ts";
export { word2vec, type Word2vecInput } from "./word2vec.ts";
export {
  type Encode,
  type EncodeRole,
  type EncodeStream,
  type OpenCrossEncoder,
  openCrossEncoder,
  type OpenModel,
  openModel,
  type OpenModelOptions,
  type StreamOptions,
} from "./open.ts";
export {
  distill,
  type DistillInput,
  prune,
  type PruneInput,
  randomVectors,
  type RandomVectorsInput,
  type StaticOptions,
  type StaticResult,
} from "./static.ts";
