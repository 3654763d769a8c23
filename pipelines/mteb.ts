/**
 * The Massive Text Embedding Benchmark: a model on any of its tasks, or on tasks of one's own, with mteb's scores.
 *
 * @module
 */
import { Effect } from "effect";
import { dirname, join } from "node:path";
import { attempt } from "../lib/attempt.ts";
import { parseColumns } from "../lib/data/columns.ts";
import { parseJson5 } from "../lib/data/json5.ts";
import { UsageError } from "../lib/error.ts";
import {
  embedderOf,
  evaluateTask,
  firstFormatJson,
  isDatasetFile,
  mainScoreOf,
  type MtebTask,
  openDatasetFolder,
  parseTask,
  SAMPLE_TASKS,
  taskNamed,
  type TaskResult,
  taskResultJson,
  writeSampleTasks,
} from "../lib/evaluate/mteb/mod.ts";
import { fetchSnapshot } from "../lib/hub/snapshot.ts";
import { freeBiEncoder, loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { jsonFormat, type ModelFolder, modelFormat, writeJson } from "../lib/pipeline/artifact.ts";
import { keyOfFiles } from "../lib/pipeline/cache.ts";
import { type Command, type Invocation, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/pipeline/engine.ts";
import { outputFolder, reportBase } from "../lib/pipeline/finish.ts";
import { COMPUTING, type FlagValues } from "../lib/pipeline/flags.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { htmlTable, page, section } from "../lib/pipeline/page.ts";
import { Progress } from "../lib/pipeline/progress.ts";
import type { ReportBase } from "../lib/pipeline/report.ts";
import { model, type SourceFiles, sourceFormat } from "../lib/pipeline/roots.ts";
import { text } from "../lib/pipeline/settings.ts";
import { artifact, defineStage, type Stage, StageRunner, valueOf } from "../lib/pipeline/stage.ts";

/** What the evaluation of a task gave. */
interface TaskEvaluation {
  readonly result: TaskResult;
  readonly warnings: readonly string[];
}

/** Settings of {@linkcode evaluate}. */
interface TaskParameters {
  readonly task: MtebTask;
  readonly columns?: Readonly<Record<string, string>> | undefined;
  readonly subsets?: readonly string[] | undefined;
  readonly revision?: string | undefined;
}

/** The data of the sample's tasks. */
const sampleData: Stage<Record<never, never>, Record<never, never>, SourceFiles> = defineStage({
  name: "mteb-sample",
  version: 1,
  inputs: {},
  output: sourceFormat,
  run: ({ scratch }) => attempt(() => writeSampleTasks(scratch)),
});

/** A model on a task: one result for each model, task and version of the data. */
const evaluate: Stage<TaskParameters, { model: ModelFolder; data: SourceFiles }, TaskEvaluation> = defineStage<
  TaskParameters,
  { model: ModelFolder; data: SourceFiles },
  TaskEvaluation
>({
  name: "mteb",
  version: 1,
  inputs: { model: modelFormat, data: sourceFormat },
  output: jsonFormat<TaskEvaluation>("evaluation.json"),
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { task, columns, subsets, revision }, inputs, scratch }) {
    const engine = yield* (yield* TensorEngine).open;
    const { note } = yield* Progress;
    yield* attempt(async () => {
      const [folder] = await inputs.data.read();
      const files = task.files === undefined ? { folder: await openDatasetFolder(folder!) } : { base: folder };
      const biEncoder = await loadBiEncoder(engine, (await inputs.model.read()).folder);
      const warnings: string[] = [];
      const warn = (message: string) => void warnings.push(message);
      const embedder = embedderOf(engine, biEncoder, task);
      const result = await evaluateTask(embedder, task, { ...files, columns, revision }, { subsets, warn, note });
      freeBiEncoder(engine, biEncoder);
      await writeJson(join(scratch, "evaluation.json"), { result, warnings });
    });
  }),
});

/** A task and the folder of its files, where it is said. */
interface Wanted {
  readonly task: MtebTask;
  readonly folder: string | undefined;
}

/** The tasks that the flags name; the sample's where they name none. */
async function wantedTasks({ values, preset }: Invocation): Promise<readonly Wanted[]> {
  const [names, file, data] = (["tasks", "task-file", "data"] as const).map((flag) => text(values, flag));
  const named = [...new Set(names?.split(",").map((name) => name.trim()).filter((name) => name !== "") ?? [])];
  const wanted: Wanted[] = named.map((name) => ({ task: taskNamed(name), folder: data }));
  if (file !== undefined) {
    const contents = await Deno.readTextFile(file).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UsageError("there is no such --task-file", { found: file });
    });
    const task = parseTask(parseJson5(contents, file), file);
    wanted.push({ task, folder: data ?? (task.files === undefined ? undefined : dirname(file)) });
  }
  if (wanted.length > 0 && values["model"] === undefined) {
    throw new UsageError("which model shall be evaluated?", {
      hint: preset === "chapter"
        ? "add --model FOLDER: the model that was trained"
        : "add --model sentence-transformers/all-MiniLM-L6-v2",
    });
  }
  if (wanted.length === 0 && (data !== undefined || values["columns"] !== undefined)) {
    throw new UsageError("which task are the data of?", { expected: "--tasks NAME or --task-file FILE" });
  }
  return wanted;
}

/** The data of a task: its own files, a local folder (or one of the task's name within), or the hub's. */
const dataOf = Effect.fnUntraced(function* ({ task, folder }: Wanted) {
  const runner = yield* StageRunner;
  return yield* attempt(async () => {
    if (folder !== undefined) {
      const inner = join(folder, task.name);
      const isInner = await Deno.stat(inner).then(({ isDirectory }) => isDirectory, () => false);
      const place = isInner ? inner : folder;
      const { path, files } = task.files === undefined
        ? await openDatasetFolder(place)
        : { path: place, files: Object.values(task.files) };
      const paths = files.map((file) => join(path, file));
      const card = join(path, "README.md"); // it may say which files are which
      if (task.files === undefined && await Deno.stat(card).then(() => true, () => false)) paths.push(card);
      const missing = await Promise.all(paths.map((file) => Deno.stat(file).then(() => false, () => true)));
      if (missing.includes(true)) {
        throw new UsageError(`a file of ${task.name} is not there`, { found: paths[missing.indexOf(true)]! });
      }
      return { data: artifact(await keyOfFiles(runner.folder, paths), [path], true, sourceFormat) };
    }
    if (task.dataset === undefined) {
      throw new UsageError(`${task.name} has no data`, {
        expected: "files or a dataset in the task, or --data FOLDER",
      });
    }
    const { path: id, revision } = task.dataset;
    const snapshot = await fetchSnapshot({ kind: "dataset", id, revision }, { wanted: isDatasetFile });
    return {
      data: artifact(snapshot.commit, [snapshot.folder], true, sourceFormat),
      revision: snapshot.commit,
    };
  });
});

/** What report.json holds. */
interface MtebReport extends ReportBase {
  readonly schema: "kindred-mteb/1";
  readonly model: string;
  readonly tasks: readonly {
    readonly name: string;
    readonly type: MtebTask["type"];
    readonly score: string;
    readonly value: number | null;
    readonly seconds: number;
    readonly cached: boolean;
    readonly file: string;
  }[];
  /** Mean of the tasks of a type. */
  readonly types: Readonly<Record<string, number>>;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean over splits and subsets, as mteb's `get_score`; null where one of them is undefined. */
function mainScore({ scores }: TaskResult): number | null {
  const values = Object.values(scores).flat().map(({ main_score: value }) => value);
  return values.every((value) => value !== null) ? meanOf(values) : null;
}

function reportPage(report: MtebReport): string {
  const rows = report.tasks.map(({ name, type, score, value, seconds }) => [name, type, score, value, seconds]);
  return page(report, `${report.model} · ${report.tasks.length} tasks`, [
    section("Tasks", htmlTable(["task", "type", "score", "value", "seconds"], rows)),
    section("Mean by type", htmlTable(["type", "mean"], Object.entries(report.types))),
  ]);
}

const list = (values: FlagValues, flag: "subsets"): readonly string[] | undefined => text(values, flag)?.split(",");

/** The command: every task is a stage; one result file for each. */
export const command: Command = {
  name: "mteb",
  summary: "scores a model on tasks of MTEB: --model M --tasks A,B | --task-file F [--data FOLDER] [--format 1.1]",
  flags: [
    ...COMPUTING.filter((flag) => flag !== "seed"), // mteb draws everything from 42
    "output",
    "force",
    "preset",
    "model",
    "tasks",
    "task-file",
    "data",
    "columns",
    "subsets",
    "format",
  ],
  presets: { sample: {}, chapter: { "tasks": "Banking77Classification", "format": "1.1" }, test: {} },
  run: Effect.fnUntraced(function* (invocation) {
    const { values, preset } = invocation;
    const output = yield* outputFolder(invocation);
    const named = yield* attempt(() => wantedTasks(invocation));
    const columns = values["columns"] === undefined ? undefined : parseColumns(text(values, "columns")!);
    const base = yield* model(text(values, "model"));
    const sample = named.length === 0 ? yield* sampleData({}, {}) : undefined;
    const wanted = sample === undefined
      ? named
      : SAMPLE_TASKS.slice(0, preset === "test" ? 2 : undefined).map((task) => ({ task, folder: undefined }));

    const files: Record<string, string> = {};
    const tasks: MtebReport["tasks"][number][] = [];
    const warnings: string[] = [];
    for (const each of wanted) {
      const { task } = each;
      const { data, revision } = sample === undefined ? yield* dataOf(each) : { data: sample };
      const parameters = { task, columns, subsets: list(values, "subsets"), revision };
      const done = yield* evaluate({ model: base, data }, parameters, task.name);
      const { result, warnings: own } = yield* valueOf(done);
      warnings.push(...own);
      const file = `${task.name}.json`;
      files[file] = (text(values, "format") === "1.1" ? firstFormatJson : taskResultJson)(result);
      tasks.push({
        name: task.name,
        type: task.type,
        score: mainScoreOf(task),
        value: mainScore(result),
        seconds: result.evaluation_time,
        cached: done.cached,
        file: join(output, file),
      });
    }
    const types = Object.groupBy(tasks, ({ type }) => type);
    const report: MtebReport = {
      schema: "kindred-mteb/1",
      ...(yield* reportBase(invocation, warnings)),
      seed: 42,
      model: text(values, "model") ?? "the sample's base model",
      tasks,
      types: Object.fromEntries(
        Object.entries(types).map(([type, own]) => [type, meanOf(own.flatMap(({ value }) => value ?? []))]),
      ),
    };
    yield* attempt(() =>
      writeOutput(output, {
        ...files,
        "report.html": reportPage(report),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      })
    );
    return report;
  }),
  print: ({ tasks, warnings }: MtebReport) =>
    [
      ...tasks.map(({ name, score, value, cached }) =>
        `${name.padEnd(36)}${score.padEnd(18)}${value?.toFixed(5) ?? "undefined"}${cached ? "  (from the cache)" : ""}`
      ),
      ...warnings.map((warning) => `warning: ${warning}`),
    ].join("\n"),
};

if (import.meta.main) await main(command);
