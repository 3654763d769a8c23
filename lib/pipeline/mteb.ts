/**
 * From flags to tasks of the benchmark and their data; and the report of a run.
 *
 * @module
 */
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import { dirname, join } from "node:path";
import { attempt } from "../attempt.ts";
import { type KindredError, UsageError } from "../error.ts";
import {
  isDatasetFile,
  type MtebTask,
  openDatasetFolder,
  parseTaskFile,
  taskNamed,
  type TaskResult,
} from "../evaluate/mteb/mod.ts";
import { exists } from "../exists.ts";
import { fetchSnapshot } from "../hub/snapshot.ts";
import { keyOfFiles } from "../stage/digest.ts";
import type { Invocation } from "./flags.ts";
import type { ReadingReport } from "./card.ts";
import { htmlTable, page, readingFacts, section } from "./page.ts";
import type { ReportBase } from "./report.ts";
import { type SourceFiles, sourceFormat } from "../stage/roots.ts";
import { text } from "./settings.ts";
import { type Artifact, artifact, StageRunner } from "../stage/stage.ts";

/** A task and the folder of its files, where it is said. */
export interface WantedTask {
  /** The task. */
  readonly task: MtebTask;
  /** Folder of its files; undefined: the hub's. */
  readonly folder: string | undefined;
}

/** The tasks that the flags name; the sample's where they name none. */
export async function wantedTasks({ values, preset }: Invocation): Promise<readonly WantedTask[]> {
  const [names, file, data] = (["tasks", "task-file", "data"] as const).map((flag) => text(values, flag));
  const named = [...new Set(names?.split(",").map((name) => name.trim()).filter((name) => name !== "") ?? [])];
  const wanted: WantedTask[] = named.map((name) => ({ task: taskNamed(name), folder: data }));
  if (file !== undefined) {
    const contents = await Deno.readTextFile(file).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      throw new UsageError("the file of --task-file does not exist", { found: file });
    });
    const task = parseTaskFile(contents, file);
    wanted.push({ task, folder: data ?? (task.files === undefined ? undefined : dirname(file)) });
  }
  if (wanted.length > 0 && values["model"] === undefined) {
    throw new UsageError("--model is required", {
      hint: preset === "chapter"
        ? "add --model FOLDER: the model that was trained"
        : "add --model sentence-transformers/all-MiniLM-L6-v2",
    });
  }
  if (wanted.length === 0 && (data !== undefined || values["columns"] !== undefined)) {
    throw new UsageError("--data and --columns need a task", { expected: "--tasks NAME or --task-file FILE" });
  }
  return wanted;
}

/** The data of a task: its own files, a local folder (or one of the task's name within), or the hub's. */
export const taskData: (
  wanted: WantedTask,
) => Effect.Effect<
  { readonly data: Artifact<SourceFiles>; readonly revision?: string },
  KindredError,
  StageRunner
> = Effect.fnUntraced(function* ({ task, folder }: WantedTask) {
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
      if (task.files === undefined && await exists(card)) paths.push(card);
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
export interface MtebReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-mteb/1";
  /** The model. */
  readonly model: string;
  /** How it reads texts; a task has the prompt that the model has for it. */
  readonly reading: ReadingReport;
  /** Main score of every task. */
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

/** Arithmetic mean. */
export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** The mean over splits and subsets, as mteb's `get_score`; null where one of them is undefined. */
export function mainScore({ scores }: TaskResult): number | null {
  const values = Object.values(scores).flat().map(({ main_score: value }) => value);
  return values.every((value) => value !== null) ? meanOf(values) : null;
}

/** The page of a run. */
export function mtebPage(report: MtebReport): string {
  const rows = report.tasks.map(({ name, type, score, value, seconds }) => [name, type, score, value, seconds]);
  return page(report, {
    lead: `${report.model} on ${counted(report.tasks.length, "task")}`,
    sections: [
      readingFacts(report.reading),
      section("Tasks", htmlTable("Main score of every task", ["task", "type", "score", "value", "seconds"], rows)),
      section("Mean by type", htmlTable("Mean of the tasks of a type", ["type", "mean"], Object.entries(report.types))),
    ],
  });
}
