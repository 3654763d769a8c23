/**
 * A model on a task: every split and subset, by the protocol of its type.
 *
 * @module
 */
import { EvaluationError } from "../../error.ts";
import { pythonRandom } from "../../numeric/mersenne_twister.ts";
import { evaluateClassification } from "./classification.ts";
import { evaluateClustering, evaluateClusteringSets } from "./clustering.ts";
import { readSplit, type TaskFiles } from "./data.ts";
import type { Embedder } from "./embedder.ts";
import { evaluatePairClassification, evaluateSts } from "./pairs.ts";
import { evaluateBitextMining, evaluateRetrieval } from "./ranking.ts";
import { MTEB_VERSION, type SubsetScores, type TaskResult, type TaskScores } from "./result.ts";
import { readRetrieval } from "./retrieval_data.ts";
import { evaluateSummarization } from "./summarization.ts";
import { mainScoreOf, type MtebTask, subsetsOf } from "./task.ts";

/** Options of {@linkcode evaluateTask}. */
export interface EvaluateTaskOptions {
  /** Only these subsets. Default all. */
  readonly subsets?: readonly string[] | undefined;
  /** Told what is odd about the data, but no error. */
  readonly warn?: ((message: string) => void) | undefined;
  /** Told what is evaluated now. */
  readonly note?: ((message: string) => void) | undefined;
}

/**
 * Evaluates a model on a task, as mteb 2.26 does: every subset and split for itself.
 *
 * @param embedder The model: {@linkcode embedderOf}, or embeddings of your own.
 * @param task From {@linkcode taskNamed} or {@linkcode parseTask}.
 * @param files Its data.
 * @param options Which splits and subsets, and who is told of warnings and progress.
 * @returns All scores, for {@linkcode taskResultJson}.
 * @throws {DatasetError} Data that is missing, or does not match the protocol: it names file and row.
 * @throws {UsageError} A split or subset that the task does not have.
 */
export async function evaluateTask(
  embedder: Embedder,
  task: MtebTask,
  files: TaskFiles,
  options: EvaluateTaskOptions = {},
): Promise<TaskResult> {
  const { warn = () => {}, note = () => {} } = options;
  const started = performance.now();
  const random = pythonRandom(42);
  const all = subsetsOf(task);
  const subsets = all.filter(([name]) => options.subsets === undefined || options.subsets.includes(name));
  if (subsets.length === 0) {
    throw new EvaluationError(`${task.name} has none of these subsets`, {
      expected: all.map(([name]) => name).join(", "),
      found: options.subsets?.join(", ") ?? "none",
    });
  }
  const mainScore = mainScoreOf(task);
  const scores: Record<string, SubsetScores[]> = {};
  for (const split of task.eval_splits) {
    scores[split] = [];
    for (const [subset, languages] of subsets) {
      note(`${task.name}: ${split}${subset === "default" ? "" : `, ${subset}`}`);
      const own = await evaluateSubset(embedder, task, files, subset, split, random, warn);
      const main = own[mainScore];
      if (typeof main !== "number") {
        throw new EvaluationError(`${task.name} has no score ${mainScore}`, {
          expected: Object.keys(own).filter((name) => typeof own[name] === "number").join(", "),
          found: mainScore,
          hint: "name one of them as main_score of the task",
        });
      }
      scores[split].push({
        ...own,
        main_score: Number.isFinite(main) ? main : null,
        hf_subset: subset,
        languages,
        mteb_version: MTEB_VERSION,
      });
    }
  }
  return {
    dataset_revision: files.revision ?? "local",
    task_name: task.name,
    mteb_version: MTEB_VERSION,
    scores,
    evaluation_time: (performance.now() - started) / 1000,
    kg_co2_emissions: null,
  };
}

async function evaluateSubset(
  embedder: Embedder,
  task: MtebTask,
  files: TaskFiles,
  subset: string,
  split: string,
  random: ReturnType<typeof pythonRandom>,
  warn: (message: string) => void,
): Promise<TaskScores> {
  const read = (name: string) => readSplit(task, files, subset, name);
  switch (task.type) {
    case "Classification":
      return await evaluateClassification(
        embedder,
        task,
        await read(task.train_split ?? "train"),
        await read(split),
        warn,
      );
    case "STS":
      return await evaluateSts(embedder, task, await read(split));
    case "PairClassification":
      return await evaluatePairClassification(embedder, await read(split));
    case "Retrieval":
    case "Reranking":
      return await evaluateRetrieval(embedder, task, await readRetrieval(task, files, subset, split));
    case "Clustering":
      return task.legacy === true
        ? await evaluateClusteringSets(embedder, await read(split))
        : await evaluateClustering(embedder, task, await read(split), random);
    case "Summarization":
      return await evaluateSummarization(embedder, task, await read(split));
    case "BitextMining":
      return await evaluateBitextMining(embedder, await read(split));
  }
}
