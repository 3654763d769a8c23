/**
 * The Massive Text Embedding Benchmark: a model on any of its tasks, or on tasks of one's own, with mteb's scores.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../lib/attempt.ts";
import { parseColumns } from "../lib/data/column_mapping.ts";
import {
  firstFormatJson,
  mainScoreOf,
  PROTOCOL_COLUMNS,
  SAMPLE_TASKS,
  taskResultJson,
} from "../lib/evaluate/mteb/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { outputFolder, reportBase } from "../lib/pipeline/report_base.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { mainScore, meanOf, mtebPage, type MtebReport, taskData, wantedTasks } from "../lib/pipeline/mteb.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { readingOfModel } from "../lib/pipeline/card.ts";
import { model } from "../lib/stage/roots.ts";
import { fileLines } from "../lib/pipeline/report.ts";
import { text } from "../lib/pipeline/settings.ts";
import { valueOf } from "../lib/stage/stage.ts";
import { evaluateOnTask, mtebSample } from "../lib/pipeline/stages/mteb.ts";

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
  meanings: {
    "model": "the model: a folder or a model of the hub; #NAME behind it: an adapter within it",
    "columns": "names of columns, by those of the task: text=title,label=topic",
  },
  presets: { sample: {}, chapter: { "tasks": "Banking77Classification", "format": "1.1" }, test: {} },
  run: Effect.fnUntraced(function* (invocation) {
    const { values, preset } = invocation;
    const output = yield* outputFolder(invocation);
    const named = yield* attempt(() => wantedTasks(invocation));
    const columns = values["columns"] === undefined
      ? undefined
      : parseColumns(text(values, "columns")!, PROTOCOL_COLUMNS);
    const base = yield* model(text(values, "model"));
    const sample = named.length === 0 ? yield* mtebSample({}, {}) : undefined;
    const wanted = sample === undefined
      ? named
      : SAMPLE_TASKS.slice(0, preset === "test" ? 2 : undefined).map((task) => ({ task, folder: undefined }));

    const files: Record<string, string> = {};
    const tasks: MtebReport["tasks"][number][] = [];
    const warnings: string[] = [];
    for (const each of wanted) {
      const { task } = each;
      const { data, revision } = sample === undefined ? yield* taskData(each) : { data: sample };
      const parameters = { task, columns, subsets: text(values, "subsets")?.split(","), revision };
      const done = yield* evaluateOnTask({ model: base, data }, parameters, task.name);
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
      ...(yield* reportBase(invocation, {
        warnings,
        output,
        files: [...Object.keys(files), "report.json", "report.html"],
      })),
      seed: 42,
      model: text(values, "model") ?? "the sample's base model",
      reading: yield* readingOfModel(base),
      tasks,
      types: Object.fromEntries(
        Object.entries(types).map(([type, own]) => [type, meanOf(own.flatMap(({ value }) => value ?? []))]),
      ),
    };
    yield* attempt(() =>
      writeOutput(output, {
        ...files,
        "report.html": mtebPage(report),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      })
    );
    return report;
  }),
  print: (report: MtebReport) =>
    [
      ...report.tasks.map(({ name, score, value, cached }) =>
        `${name.padEnd(36)}${score.padEnd(18)}${value?.toFixed(5) ?? "undefined"}${cached ? "  (from the cache)" : ""}`
      ),
      ...report.warnings.map((warning) => `warning: ${warning}`),
      ...fileLines(report),
    ].join("\n"),
};

if (import.meta.main) await main(command);
