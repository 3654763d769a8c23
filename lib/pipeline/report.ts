/**
 * The report of a run: what `report.json` and `--json` hold, and its few lines for the terminal.
 *
 * @module
 */
import { type ReportTable, tableLines } from "./table_lines.ts";
import { counted } from "../counted.ts";
import { basename } from "node:path";
import type { EngineInfo } from "../engine/engine.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { EVALUATION_TITLES } from "./evaluation.ts";
import type { DimensionReport } from "./matryoshka.ts";
import type { ReadColumns } from "../stage/progress.ts";
import type { EvaluationKind } from "./stages/evaluate_rows.ts";
import { baselineRows, type Baselines } from "./without_model.ts";

export type { ReportTable };

/** How training went. */
export interface TrainingReport {
  /** Updates. */
  readonly steps: number;
  /** Rows. */
  readonly samples: number;
  /** Tokens. */
  readonly tokens: number;
  /** Wall time of the step loop alone. */
  readonly seconds: number;
  /** samples / seconds */
  readonly samples_per_second: number;
  /** tokens / seconds */
  readonly tokens_per_second: number;
  /** [update, mean loss since the last entry] */
  readonly loss: readonly (readonly [number, number])[];
  /** Numbers that were trained. */
  readonly trained_parameters: number;
  /** Numbers that the model and the loss have in all. */
  readonly parameters: number;
  /** The values are those of an earlier run. */
  readonly cached?: boolean;
}

/** Hyper-parameters by name, as they held. */
export type HeldSettings = Readonly<Record<string, string | number | boolean>>;

/** One model that was trained. */
export interface RunReport {
  /** product, control, adaptation, cross-encoder, … */
  readonly role: string;
  /** Hyper-parameters, loss and shape of the model, as they held. */
  readonly settings: HeldSettings;
  /** How training went. */
  readonly training: TrainingReport;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** Its folder. */
  readonly model: string;
}

/** What a model was asked before and after. */
export interface EvaluationReport {
  /** similarity, retrieval, classes or labels. */
  readonly kind: EvaluationKind;
  /** The metric that stands for all. */
  readonly metric: string;
  /** Where the rows are from. */
  readonly source: string;
  /** Whether they were held out of the training data. */
  readonly held_out: boolean;
}

/** Rows of one side of the data. */
export interface DataReport {
  /** Where they are from. */
  readonly source: string;
  /** How many. */
  readonly rows: number;
  /** How many were left out. */
  readonly dropped: number;
  /** What else was counted. */
  readonly counts?: Readonly<Record<string, number>>;
}

/** What every report holds. */
export interface ReportBase {
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** sample, chapter or test. */
  readonly preset: string;
  /** The command line, as a shell takes it. */
  readonly command: string;
  /** Every flag that held, given or by default. */
  readonly flags: Readonly<Record<string, string | number | boolean>>;
  /** Versions of what ran. */
  readonly versions: { readonly kindred: string; readonly deno: string; readonly v8: string };
  /** What was written into the output folder. */
  readonly files: readonly string[];
  /** The seed. */
  readonly seed: number;
  /** Which columns of which files were read, by our names. */
  readonly columns: readonly ReadColumns[];
  /** What computed, why, and which promise of equal bits held. */
  readonly engine: EngineInfo & { readonly reason: string; readonly identical_bits: string };
  /** What ran, and what came from the cache. */
  readonly stages: readonly { name: string; key: string; cached: boolean; seconds: number }[];
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** What report.json of a training holds. */
export interface Report extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-report/1";
  /** The data. */
  readonly data: { readonly train: DataReport; readonly eval?: DataReport };
  /** What the metrics are about; undefined where nothing was evaluated. */
  readonly evaluation?: EvaluationReport;
  /** What is reached without a model: Spearman correlation or ndcg@10 of word overlap, the most frequent class. */
  readonly baseline: Baselines;
  /** How training of the product went. */
  readonly training: TrainingReport;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** Folder of the model. */
  readonly model: string;
  /** Every model that was trained. */
  readonly runs: Readonly<Record<string, RunReport>>;
  /** [update, metrics] */
  readonly evaluations: readonly (readonly [number, Metrics])[];
  /** What these are about, where that is not the evaluation of the report. */
  readonly evaluations_on?: string;
  /** The same metrics of embeddings cut to their first numbers, where it was trained for that. */
  readonly dimensions?: readonly DimensionReport[];
  /** Tables beside the metrics. */
  readonly tables?: readonly ReportTable[];
  /** A training without the data that the pipeline adds, for its own number of epochs. */
  readonly control?: RunReport;
  /** The same for as many updates as the product had. */
  readonly control_equal_steps?: RunReport;
  /** metrics − those of the control. */
  readonly difference?: Metrics;
  /** metrics − those of the control with equal steps. */
  readonly difference_equal_steps?: Metrics;
  /** Values that are a pipeline's own. */
  readonly details?: Readonly<Record<string, number | string | null>>;
}

/** A record as the report shows it. */
export function trainingReport(record: TrainingRecord, cached: boolean): TrainingReport {
  const { steps, samples, tokens, seconds, log, trainedParameters, parameters } = record;
  return {
    steps,
    samples,
    tokens,
    seconds,
    loss: log.map(({ step, loss }) => [step, loss] as const),
    samples_per_second: samples / seconds,
    tokens_per_second: tokens / seconds,
    trained_parameters: trainedParameters,
    parameters,
    ...(cached && { cached }),
  };
}

/**
 * `metrics.jsonl`: one line for each entry of a training's log and for each evaluation on the way, in order of steps; lines
 * of trainings beside the product's say whose they are.
 */
export function metricsLines(records: Readonly<Record<string, TrainingRecord>>): string {
  return Object.entries(records).flatMap(([name, { log, evaluations }]) => {
    const run = name === "main" ? {} : { run: name };
    return [...log, ...evaluations.map(([step, values]) => ({ step, ...values }))]
      .sort((a, b) => a.step - b.step)
      .map((line) => JSON.stringify({ ...run, ...line }) + "\n");
  }).join("");
}

/** The files of a report for the terminal; the page that shows all of it comes last. */
export function fileLines({ files }: ReportBase): string[] {
  const page = files.filter((path) => path.endsWith("report.html"));
  const others = files.filter((path) => !page.includes(path));
  return [
    ...(others.length === 0 ? [] : [`  written: ${others.map((path) => basename(path)).join(", ")}`]),
    ...page.map((path) => `  report: ${path}`),
  ];
}

/** Metrics that people see first. */
export const SHOWN_METRICS: Readonly<Record<EvaluationKind, readonly string[]>> = {
  similarity: ["pearson_cosine", "spearman_cosine"],
  retrieval: ["cosine_accuracy@1", "cosine_recall@10", "cosine_mrr@10", "cosine_ndcg@10"],
  corpus: ["cosine_accuracy@1", "cosine_recall@10", "cosine_mrr@10", "cosine_ndcg@10", "cosine_map@100"],
  nanobeir: ["accuracy@1", "recall@10", "mrr@10", "ndcg@10", "map@100"].map((key) => `NanoBEIR_mean_cosine_${key}`),
  classes: ["accuracy"],
  labels: ["knn_accuracy_cosine"],
  imitation: ["negative_mse"],
  translation: ["src2trg_accuracy", "trg2src_accuracy", "mean_accuracy", "negative_mse"],
};

/** What the numbers are about. */
export function evaluatedOn({ evaluation, data }: Pick<Report, "evaluation" | "data">): string {
  if (evaluation === undefined || data.eval === undefined) return "nothing was evaluated";
  const { title } = EVALUATION_TITLES[evaluation.kind];
  const { queries, documents, named, sets } = data.eval.counts ?? {};
  if (queries !== undefined && documents !== undefined) {
    const of = named === 1 ? ` in ${counted(sets!, "set")}` : "";
    return `${title}: ${counted(queries, "query")}, ${counted(documents, "document")}${of} of ${evaluation.source}`;
  }
  const rows = `${counted(data.eval.rows, "row")} ${evaluation.held_out ? "held out" : ""} of ${evaluation.source}`;
  return `${title}, on ${rows.replaceAll("  ", " ")}`;
}

/** The report in a few lines for the terminal. */
export function summary(report: Report): string {
  const { before, metrics, training, baseline, control, control_equal_steps: equal } = report;
  const columns = [
    ["before", before],
    ["after", metrics],
    ...(control === undefined ? [] : [["control", control.metrics] as const]),
    ...(equal === undefined ? [] : [["= steps", equal.metrics] as const]),
  ] as const;
  const shown = report.evaluation === undefined ? [] : SHOWN_METRICS[report.evaluation.kind];
  const baselines = baselineRows(baseline);
  const wide = Math.max(24, ...[...shown, ...baselines.map(([title]) => title)].map((name) => name.length + 1));
  const cell = (value: number | "–" | "" = "") => (typeof value === "number" ? value.toFixed(4) : value).padStart(10);
  const row = (name: string, values: readonly (number | "–" | undefined)[]) =>
    `  ${name.padEnd(wide)}${values.map(cell).join("")}`;
  return [
    `${report.pipeline} (${report.preset}): ${counted(training.steps, "step")}, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}`,
    `  ${"".padEnd(wide)}${columns.map(([name]) => name.padStart(10)).join("")}`,
    ...(report.evaluation === undefined ? ["  nothing was evaluated"] : [
      ...shown.map((key) => row(key, columns.map(([, values]) => values[key]))),
      ...baselines.map(([title, value]) => row(title, [undefined, value])),
      `  ${evaluatedOn(report)}`,
    ]),
    ...(report.details === undefined ? [] : detailLines(report.details)),
    ...(report.tables ?? []).flatMap(tableLines),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
    ...fileLines(report),
  ].join("\n");
}

/** Values of a pipeline's own, one a line. */
function detailLines(details: NonNullable<Report["details"]>): string[] {
  const width = Math.max(22, ...Object.keys(details).map((name) => name.length)) + 2;
  const shown = (value: number | string | null) =>
    typeof value === "number" && !Number.isInteger(value) ? value.toFixed(4) : `${value ?? ""}`;
  return Object.entries(details).map(([name, value]) =>
    `  ${name.padEnd(width)}${shown(value).padStart(10)}`.trimEnd()
  );
}
