/**
 * The Massive Text Embedding Benchmark's protocol: tasks, their data, scores as mteb 2.26 computes them, result files.
 *
 * @module
 */
export { type Embedder, embedderOf, promptName } from "./embedder.ts";
export type { TaskFiles } from "./data.ts";
export { evaluateTask, type EvaluateTaskOptions } from "./evaluate.ts";
export { type DatasetFolder, isDatasetFile, openDatasetFolder } from "./files.ts";
export {
  firstFormatJson,
  MTEB_VERSION,
  type Score,
  type SubsetScores,
  type TaskResult,
  taskResultJson,
  type TaskScores,
} from "./result.ts";
export { SAMPLE_TASKS, writeSampleTasks } from "./sample.ts";
export {
  type BitextMiningTask,
  type ClassificationTask,
  type ClusteringTask,
  mainScoreOf,
  type MtebTask,
  type PairClassificationTask,
  parseTask,
  parseTaskFile,
  PROTOCOL_COLUMNS,
  type RetrievalTask,
  type StsTask,
  subsetsOf,
  type SummarizationTask,
  type TaskBasics,
} from "./task.ts";
export { knownTasks, taskNamed } from "./tasks.ts";
