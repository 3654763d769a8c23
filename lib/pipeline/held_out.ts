/**
 * Trainings that are tested on rows that were held out, a language model's or a cross-encoder's: report, page, results.
 *
 * @module
 */
import { tableLines } from "./table_lines.ts";
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { type ModelCard, modelCard, shownSettings } from "../train/model_card.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { CountedDataset, TrainedModel } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import { dataReport, TRAINING_FILES } from "./finish.ts";
import { originOf, sourceName } from "./card.ts";
import { heldSettings } from "./held_settings.ts";
import { reportBase } from "./report_base.ts";
import { trainingCurves } from "./training_page.ts";
import { type Leaks, leaksOf, leakWarning } from "./leaks.ts";
import { lineChart } from "./charts.ts";
import { writeOutput } from "./output.ts";
import { dataTable, facts, htmlTable, page, section, settingsTable } from "./page.ts";
import {
  type DataReport,
  fileLines,
  type HeldSettings,
  metricsLines,
  type ReportBase,
  type TrainingReport,
  trainingReport,
} from "./report.ts";
import { text, trainSettings } from "./settings.ts";
import { bestWarning, invocationWarnings, worseWarning } from "./warnings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { baselineRows } from "./without_model.ts";

/** The report of a model that is tested on rows that were held out: a language model, a cross-encoder. */
export interface HeldOutReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-held-out/1";
  /** The data. */
  readonly data: { readonly train: DataReport; readonly eval?: DataReport };
  /** How training went. */
  readonly training: TrainingReport;
  /** Hyper-parameters and shape of the model, as they held. */
  readonly settings: HeldSettings;
  /** Before training; undefined where there was nothing to test. */
  readonly before?: Metrics | undefined;
  /** After it. */
  readonly metrics: Metrics;
  /** What is reached without any model, by the metric that stands for the evaluation. */
  readonly baseline?: Readonly<Record<string, number>> | undefined;
  /** Metrics on the way, by update. */
  readonly evaluations?: TrainingRecord["evaluations"] | undefined;
  /** Folder of the model. */
  readonly model: string;
}

/** What a training has in the end that is tested on rows that were held out. */
export interface HeldOutResults {
  /** Rows that it was trained on. */
  readonly data: Artifact<CountedDataset<Columns>>;
  /** Rows that were held out, if there are any. */
  readonly validation: Artifact<CountedDataset<Columns>> | undefined;
  /** The model. */
  readonly model: Artifact<TrainedModel>;
  /** Metrics before training, where there was something to test. */
  readonly before?: Artifact<Metrics> | undefined;
  /** The metric that training should lower. */
  readonly lower?: string | undefined;
  /** And after it. */
  readonly after?: Artifact<Metrics> | undefined;
  /** What is worth knowing. */
  readonly warnings?: readonly string[];
  /** What is reached without any model. */
  readonly baseline?: Readonly<Record<string, number>> | undefined;
  /** The metric that stands for the evaluation: its course is drawn. */
  readonly metric?: string | undefined;
  /** How many rows there are, in words: of lists, their documents as well. Default: rows. */
  readonly sizes?: { readonly train: string; readonly eval: string } | undefined;
  /** Further sections of the page. */
  readonly sections?: readonly string[] | undefined;
  /** Rows and texts of the evaluation that were trained on. Default: of all their columns. */
  readonly leaks?: Leaks | undefined;
  /** What kind of model it is, and its heading, for the model's card. */
  readonly card: Required<Pick<ModelCard, "kind" | "title">>;
}

/** Writes the folder of results of such a training. */
export const finishHeldOut: (
  invocation: Invocation,
  output: string,
  results: HeldOutResults,
) => Effect.Effect<HeldOutReport, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, output, results) {
    const before = results.before && (yield* valueOf(results.before));
    const metrics = results.after === undefined ? {} : yield* valueOf(results.after);
    const { lower, validation } = results;
    const { values } = invocation;
    const { folder, record } = yield* valueOf(results.model);
    const leaks = results.leaks ?? (validation && leaksOf(yield* valueOf(validation), yield* valueOf(results.data)));
    const { baseline, metric } = results;
    const base = yield* reportBase(invocation, {
      warnings: [
        ...results.warnings ?? [],
        ...record.warnings,
        ...invocationWarnings(invocation, record),
        ...(leaks === undefined ? [] : leakWarning(leaks)),
        ...(lower === undefined || before === undefined
          ? []
          : worseWarning(lower, before, metrics, { where: "on the rows held out", lower: true })),
        ...(metric === undefined || before === undefined
          ? []
          : worseWarning(metric, before, metrics, { where: "on the rows held out" })),
        ...bestWarning(record),
      ],
      output,
      files: TRAINING_FILES,
    });
    return yield* attempt(async () => {
      const training = trainingReport(record, results.model.cached);
      const source = text(values, "train");
      const report: HeldOutReport = {
        schema: "kindred-held-out/1",
        ...base,
        data: {
          train: await dataReport(source, results.data),
          ...(validation && { eval: await dataReport(text(values, "eval") ?? source, validation) }),
        },
        training,
        settings: await heldSettings(results.model),
        ...(before !== undefined && { before }),
        metrics,
        ...(baseline !== undefined && { baseline }),
        ...(record.evaluations.length > 0 && { evaluations: record.evaluations }),
        model: join(output, "model"),
      };
      const origin = await originOf(text(values, "model"));
      const trainedOn = results.sizes?.train ?? counted(report.data.train.rows, "row");
      const tested = report.data.eval === undefined
        ? undefined
        : results.sizes?.eval ?? counted(report.data.eval.rows, "other");
      const rows = Object.keys(metrics).map((key) => [key, before?.[key], metrics[key]]);
      await writeOutput(output, {
        "model/README.md": modelCard({
          ...results.card,
          story: `Trained by Kindred's \`${invocation.name}\` on ${trainedOn}.`,
          baseModel: origin.baseModel,
          license: origin.license,
          facts: {
            "trained from": origin.name,
            "trained on": `${await sourceName(report.data.train.source)}, ${trainedOn}`,
            "longest text, in tokens": report.settings["max seq length"] as number | undefined,
            prompts: report.settings["prompts"] as string | undefined,
            parameters: record.parameters,
            "parameters that were trained": record.trainedParameters,
          },
          evaluation: report.data.eval && {
            on: `${await sourceName(report.data.eval.source)}, ${
              results.sizes?.eval ?? counted(report.data.eval.rows, "row")
            } that ${report.data.eval.rows === 1 ? "was" : "were"} not trained on`,
            before: before ?? {},
            after: metrics,
          },
          settings: shownSettings(trainSettings(values)),
          warnings: report.warnings,
        }),
        "metrics.jsonl": metricsLines({ main: record }),
        "report.html": page(report, {
          lead: `A model was trained on ${trainedOn}${tested === undefined ? "" : ` and tested on ${tested}`}.`,
          run: [dataTable(report.data), settingsTable({ main: report })],
          sections: [
            facts({
              "updates": training.steps,
              "rows seen": training.samples,
              "rows per second": training.samples_per_second.toFixed(0),
              ...Object.fromEntries(Object.entries(metrics).slice(0, 3)),
            }),
            ...(rows.length === 0 ? [] : [section(
              "Rows that were held out",
              htmlTable("Metrics", ["metric", "before", "after"], [
                ...rows,
                ...baselineRows(baseline ?? {}).map(([title, value]) => [title, undefined, value]),
              ]),
            )]),
            trainingCurves({ main: record }),
            ...(metric === undefined || record.evaluations.length === 0 ? [] : [
              lineChart({ title: `${metric} on the way`, across: "update", up: metric }, [{
                name: metric,
                points: [
                  ...(before?.[metric] === undefined ? [] : [[0, before[metric]] as const]),
                  ...record.evaluations.map(([step, values]) => [step, values[metric] ?? NaN] as const),
                ],
              }]),
            ]),
            ...results.sections ?? [],
          ],
        }),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      }, { model: folder });
      return report;
    });
  },
);

/** The report in a few lines for the terminal. */
export function heldOutSummary(report: HeldOutReport): string {
  const { before = {}, metrics, training } = report;
  const rows = [
    ...Object.keys(metrics).map((key) => [key, before[key] ?? null, metrics[key]!] as const),
    ...baselineRows(report.baseline ?? {}).map(([title, value]) => [title, null, value] as const),
  ];
  return [
    `${report.pipeline} (${report.preset}): ${counted(training.steps, "step")}, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}`,
    ...tableLines({ title: "rows that were held out", columns: ["", "before", "after"], rows }),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
    ...fileLines(report),
  ].join("\n");
}
