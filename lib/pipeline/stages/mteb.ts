/**
 * mteb: a model on a task of the benchmark.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import {
  embedderOf,
  evaluateTask,
  type MtebTask,
  openDatasetFolder,
  type TaskResult,
  writeSampleTasks,
} from "../../evaluate/mteb/mod.ts";
import { jsonFormat, type ModelFolder, modelFormat, writeJson } from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { Progress } from "../../stage/progress.ts";
import { type SourceFiles, sourceFormat } from "../../stage/roots.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";

/** What the evaluation of a task gave. */
export interface TaskEvaluation {
  /** Scores by split and subset. */
  readonly result: TaskResult;
  /** What is worth knowing of the data. */
  readonly warnings: readonly string[];
}

/** Settings of {@linkcode evaluateOnTask}. */
export interface TaskParameters {
  /** The task. */
  readonly task: MtebTask;
  /** Names of columns, by ours. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
  /** Languages, levels, …; default: the task's own. */
  readonly subsets?: readonly string[] | undefined;
  /** Commit of the data on the hub. */
  readonly revision?: string | undefined;
}

/** The data of the sample's tasks. */
export const mtebSample: Stage<Record<never, never>, Record<never, never>, SourceFiles> = defineStage({
  name: "mteb-sample",
  version: 1,
  inputs: {},
  output: sourceFormat,
  run: ({ scratch }) => attempt(() => writeSampleTasks(scratch)),
});

/** A model on a task: one result for each model, task and version of the data. */
export const evaluateOnTask: Stage<TaskParameters, { model: ModelFolder; data: SourceFiles }, TaskEvaluation> =
  defineStage<
    TaskParameters,
    { model: ModelFolder; data: SourceFiles },
    TaskEvaluation
  >({
    name: "mteb",
    version: 4, // tokens as the reference has them, to the last bit of a score
    inputs: { model: modelFormat, data: sourceFormat },
    output: jsonFormat<TaskEvaluation>("evaluation.json"),
    computes: true,
    run: Effect.fnUntraced(function* ({ parameters: { task, columns, subsets, revision }, inputs, scratch }) {
      const engine = yield* (yield* TensorEngine).open;
      const { emit } = yield* Progress;
      const note = (text: string) => emit({ _tag: "note", text });
      const biEncoder = yield* openBiEncoder(inputs.model);
      yield* attempt(async () => {
        const [folder] = await inputs.data.read();
        const files = task.files === undefined ? { folder: await openDatasetFolder(folder!) } : { base: folder };
        const warnings: string[] = [];
        const warn = (message: string) => void warnings.push(message);
        const embedder = embedderOf(engine, biEncoder, task);
        const result = await evaluateTask(embedder, task, { ...files, columns, revision }, { subsets, warn, note });
        await writeJson(join(scratch, "evaluation.json"), { result, warnings });
      });
    }),
  });
