/**
 * The report of a training on several data sets: what `report.json` and `--json` hold, and its few lines for the terminal.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { Mixing } from "../train/mixed_batches.ts";
import { EVALUATION_TITLES } from "./evaluation.ts";
import type { Leaks } from "./leaks.ts";
import { type DimensionReport, dimensionTable } from "./matryoshka.ts";
import {
  type DataReport,
  type EvaluationReport,
  fileLines,
  type HeldSettings,
  type ReportBase,
  type ReportTable,
  SHOWN_METRICS,
  type TrainingReport,
} from "./report.ts";
import { tableLines } from "./table_lines.ts";
import { baselineRows, type Baselines } from "./without_model.ts";

/** One of several data sets that a model was trained on. */
export interface SetReport {
  /** Its rows, and those that it is measured by. */
  readonly data: { readonly train: DataReport; readonly eval?: DataReport };
  /** Loss, batch size, weight, prompts. */
  readonly settings: HeldSettings;
  /** Batches of it. */
  readonly batches: number;
  /** Updates that had such a batch. */
  readonly updates: number;
  /** Its rows that were seen, each as often as it was. */
  readonly samples: number;
  /** Their tokens. */
  readonly tokens: number;
  /** [update, mean loss of its batches since the last entry that had any] */
  readonly loss: readonly (readonly [number, number])[];
  /** What its metrics are about; undefined where nothing was evaluated. */
  readonly evaluation?: EvaluationReport;
  /** What is reached without a model. */
  readonly baseline: Baselines;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** The same metrics of embeddings cut to their first numbers, where it was trained for that. */
  readonly dimensions?: readonly DimensionReport[];
  /** Its evaluation rows in the training data of each set, by name. */
  readonly leaks: Readonly<Record<string, Pick<Leaks, "rows" | "of" | "distinct"> & { readonly texts: number }>>;
}

/** What report.json of such a training holds. */
export interface SetsReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-sets/1";
  /** How the sets took turns. */
  readonly mixing: Mixing;
  /** Of shares by temperature. */
  readonly temperature?: number;
  /** The data sets by name. */
  readonly sets: Readonly<Record<string, SetReport>>;
  /** How training went, over all sets. */
  readonly training: TrainingReport;
  /** Hyper-parameters of all sets, as they held. */
  readonly settings: HeldSettings;
  /** [update, metrics], each with the name of its set in front. */
  readonly evaluations: TrainingRecord["evaluations"];
  /** Tables beside the metrics. */
  readonly tables?: readonly ReportTable[];
  /** Folder of the model. */
  readonly model: string;
}

/** The course of a set's loss. */
export const lossOfSet = ({ log }: Pick<TrainingRecord, "log">, name: string): SetReport["loss"] =>
  log.flatMap(({ step, losses }) => losses?.[name] === undefined ? [] : [[step, losses[name]] as const]);

/** What a set's numbers are about. */
export function setEvaluatedOn({ evaluation, data }: Pick<SetReport, "evaluation" | "data">): string {
  if (evaluation === undefined || data.eval === undefined) return "nothing was evaluated";
  const rows = counted(data.eval.rows, "row");
  const { title } = EVALUATION_TITLES[evaluation.kind];
  return `${title}, ${rows} ${evaluation.held_out ? "held out of" : "of"} ${evaluation.source}`;
}

/** What was trained on of each set, and its loss in the beginning and in the end. */
export const turnsTable = ({ sets }: Pick<SetsReport, "sets">): ReportTable => ({
  title: "data sets",
  columns: ["", "rows", "batches", "rows seen", "first loss", "last loss"],
  rows: Object.entries(sets).map(([name, { data, batches, samples, loss }]) => [
    name,
    data.train.rows,
    batches,
    samples,
    loss[0]?.[1] ?? null,
    loss.at(-1)?.[1] ?? null,
  ]),
});

/** The report in a few lines for the terminal. */
export function setsSummary(report: SetsReport): string {
  const { training, sets, mixing, temperature } = report;
  return [
    `${report.pipeline} (${report.preset}): ${counted(training.steps, "step")}, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}, ${mixing}${
      temperature === undefined ? "" : ` ${temperature}`
    }`,
    ...tableLines(turnsTable(report)),
    ...Object.entries(sets).flatMap(([name, set]) => [
      ...set.evaluation === undefined ? [`  ${name}`] : tableLines({
        title: `${name} (${set.settings["loss"]})`,
        columns: ["", "before", "after"],
        rows: [
          ...SHOWN_METRICS[set.evaluation.kind].map((key) =>
            [key, set.before[key] ?? null, set.metrics[key] ?? null] as const
          ),
          ...baselineRows(set.baseline).map(([title, value]) => [title, null, value] as const),
        ],
      }),
      `    ${setEvaluatedOn(set)}`,
      ...set.dimensions === undefined ? [] : tableLines(dimensionTable(set.evaluation!.metric, set.dimensions)),
    ]),
    ...(report.tables ?? []).flatMap(tableLines),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
    ...fileLines(report),
  ].join("\n");
}
