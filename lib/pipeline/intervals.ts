/**
 * What a report of an evaluation says beside its metrics: how far they may be off by the choice of rows, and how far
 * another model's are from them.
 *
 * @module
 */
import { counted } from "../counted.ts";
import {
  bootstrapIntervals,
  type Difference,
  type Interval,
  pairedDifferences,
  type Resampled,
} from "../evaluate/bootstrap.ts";
import type { Metrics } from "../train/record.ts";
import { type EvaluationKind, PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { tableLines } from "./table_lines.ts";

/** Intervals of metrics. */
export interface IntervalReport {
  /** Share of the draws that lie in the interval. */
  readonly level: number;
  /** How often rows were drawn anew. */
  readonly resamples: number;
  /** From which seed. */
  readonly seed: number;
  /** What was drawn: row, query or text. */
  readonly unit: string;
  /** How many of them. */
  readonly count: number;
  /** By metric: means, correlations and average precisions; what no draw gives is left out. */
  readonly of: Readonly<Record<string, Interval>>;
}

/** Another model on the same rows. */
export interface AgainstReport {
  /** The model. */
  readonly model: string;
  /** Its metrics. */
  readonly metrics: Metrics;
  /** The first model's less its own, with the interval of the difference where rows are drawn. */
  readonly differences: Readonly<Record<string, Difference | { readonly difference: number }>>;
}

/** How rows are drawn. */
export interface Draws {
  /** How often. */
  readonly resamples: number;
  /** From which seed. */
  readonly seed: number;
}

const LEVEL = 0.95;

/** The intervals of a model's metrics. */
export function intervalReport(resampled: Resampled, { resamples, seed }: Draws): IntervalReport {
  const of = bootstrapIntervals(resampled, { resamples, seed, level: LEVEL });
  const count = resampled.counts.reduce((sum, rows) => sum + rows, 0);
  return { level: LEVEL, resamples, seed, unit: resampled.unit, count, of };
}

/** A model beside another one on the same rows. */
export function againstReport(
  model: string,
  mine: { readonly metrics: Metrics; readonly resampled?: Resampled | undefined },
  other: { readonly metrics: Metrics; readonly resampled?: Resampled | undefined },
  draws: Draws | undefined,
): AgainstReport {
  const paired = draws === undefined || mine.resampled === undefined || other.resampled === undefined
    ? {}
    : pairedDifferences(mine.resampled, other.resampled, { ...draws, level: LEVEL });
  const differences = Object.fromEntries(
    Object.keys(mine.metrics).filter((key) => key in other.metrics).map((key) => [
      key,
      paired[key] ?? { difference: mine.metrics[key]! - other.metrics[key]! },
    ]),
  );
  return { model, metrics: other.metrics, differences };
}

/** What is printed. */
export interface PrintedEvaluation {
  /** The model, as it was named. */
  readonly model: string;
  /** Which form the rows had. */
  readonly task: string;
  /** How many rows, queries or texts. */
  readonly rows: number;
  /** The metrics. */
  readonly metrics: Metrics;
  /** Their intervals. */
  readonly intervals?: IntervalReport | undefined;
  /** Metrics of models beside it, by their names. */
  readonly baselines?: Readonly<Record<string, Metrics>> | undefined;
  /** Another model. */
  readonly against?: AgainstReport | undefined;
}

/** Names of the sets' own metrics but the one that stands for all are for the report. */
const isShown = (task: string, key: string) =>
  task !== "nanobeir" || key.startsWith("NanoBEIR_mean") || key.endsWith("_cosine_ndcg@10");

/** The metric that stands for all, of the model and of its baselines, the best first. */
function baselineLines({ model, task, metrics }: PrintedEvaluation, baselines: Readonly<Record<string, Metrics>>) {
  const primary = PRIMARY_METRIC[task as EvaluationKind];
  const key = primary !== undefined && primary in metrics ? primary : Object.keys(metrics)[0]!;
  const rows = Object.entries({ ...baselines, [model]: metrics }).map(([name, of]) => [name, of[key] ?? null] as const)
    .sort(([, a], [, b]) => (b ?? -Infinity) - (a ?? -Infinity));
  return tableLines({ title: "beside its baselines", columns: ["model", key], rows });
}

/** With the sign of the differences; zero has none. */
const fixed = (value: number, digits: number) => value.toFixed(digits).replace(/^-(?=[0.]*$)/, "").replace("-", "−");

function drawsInWords({ resamples, count, unit, seed, of }: IntervalReport): string {
  if (Object.keys(of).length === 0) {
    return `no intervals: no draw of ${counted(count, unit)} gives a value; the model may find all alike`;
  }
  return `${100 * LEVEL} % intervals: ${counted(resamples, "draw")} of ${counted(count, unit)}, seed ${seed}`;
}

/** Metrics with their intervals, and the difference to another model, in lines of at most 80 columns. */
export function evaluationLines(report: PrintedEvaluation): string {
  const { task, rows, metrics, intervals, against, baselines = {} } = report;
  const keys = Object.keys(metrics).filter((key) => isShown(task, key));
  const width = Math.max(28, ...keys.map((key) => key.length + 1));
  const range = (interval: Interval | undefined) =>
    interval === undefined ? "" : `  ${fixed(interval.low, 4)} … ${fixed(interval.high, 4)}`;
  const line = (key: string) => `${key.padEnd(width)}${fixed(metrics[key]!, 6)}${range(intervals?.of[key])}`;
  const about = intervals && drawsInWords(intervals);
  const difference = ([key, value]: [string, { readonly difference: number } | Difference]) => {
    const sign = value.difference > 0 ? "+" : value.difference < 0 ? "−" : " ";
    const shown = `${key.padEnd(width - 1)}${sign}${Math.abs(value.difference).toFixed(6)}`;
    return `${shown}${"low" in value ? range(value) : ""}`;
  };
  return [
    `task ${task}, ${counted(rows, intervals?.unit ?? "row")}`,
    ...keys.map(line),
    ...(about === undefined ? [] : [about]),
    ...(Object.keys(baselines).length === 0 ? [] : ["", ...baselineLines(report, baselines)]),
    ...(against === undefined ? [] : [
      "",
      `less those of ${against.model}`,
      ...Object.entries(against.differences).filter(([key]) => isShown(task, key)).map(difference),
    ]),
  ].join("\n");
}
