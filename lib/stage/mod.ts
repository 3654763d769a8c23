/**
 * Stages: pure functions from artifacts to an artifact, done once for each key; their cache, runner and engine.
 *
 * @module
 */
export { defaultCacheFolder } from "../environment.ts";
export { readJson, writeJson } from "../checkpoint/folder.ts";
export {
  type CountedDataset,
  type CutMetrics,
  datasetFormat,
  type DatasetSummary,
  embeddingsFormat,
  type Evaluation,
  evaluationFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  type ModelShape,
  summaryOf,
  trainedFormat,
  type TrainedModel,
  type UsedColumns,
  writeDataset,
  writeEmbeddings,
} from "./artifact.ts";
export type { Stored } from "./cache.ts";
export {
  type CacheEntry,
  listEntries,
  pruneEntries,
  type PruneOptions,
  type Verification,
  verifyEntries,
} from "./cache_care.ts";
export { TensorEngine } from "./engine.ts";
export { filesOf, keyOfFiles } from "./digest.ts";
export { type Json, type PathOf, type Task, taskOf } from "./key.ts";
export type { Manifest } from "./manifest.ts";
export {
  columnsInWords,
  note,
  phase,
  Progress,
  type ProgressEvent,
  type ProgressShape,
  progressTo,
  type ReadColumns,
  silentProgress,
} from "./progress.ts";
export { model, type ModelOf, source, type SourceFiles, sourceFormat } from "./roots.ts";
export { type RunOptions, runStages } from "./run.ts";
export {
  type Artifact,
  defineStage,
  type Executed,
  type Format,
  type FunctionIn,
  type Inputs,
  type SeedOf,
  type Services,
  type Stage,
  type StageContext,
  type StageDefinition,
  StageRunner,
  valueOf,
} from "./stage.ts";
