/**
 * The common jobs as functions that can be awaited, with no Effect type in sight.
 *
 * @module
 */
export type { RankedDocument } from "../evaluate/cross_encoder.ts";
export { encode, evaluate, type GradedPairs, type JobOptions, type RetrievalPairs } from "./encode.ts";
export {
  finetune,
  type FinetuneOptions,
  type FinetuneSettings,
  type LabelColumns,
  type PairColumns,
  type ScoredColumns,
} from "./finetune.ts";
export { predict, rank } from "./pairs.ts";
export {
  augmentedSbert,
  type AugmentedSbertInput,
  type AugmentedSbertResult,
  type TextPairs,
  tsdae,
  type TsdaeInput,
} from "./scenarios.ts";
export type { HoldOutOption, MeasuredTraining, OutputOptions } from "./training.ts";
export { type OpenCrossEncoder, openCrossEncoder, type OpenModel, openModel, type OpenModelOptions } from "./open.ts";
