/**
 * The report of a training by labels: how well they lie apart before and after, in numbers and on a map.
 *
 * @module
 */
import { Effect } from "effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { Dataset, LabelledTexts } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { majorityAccuracy } from "../evaluate/label_metrics.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { principalComponents } from "../numeric/projection.ts";
import type { Metrics } from "../train/record.ts";
import type { CountedDataset, TrainedModel } from "../stage/artifact.ts";
import { lineChart, mapPlot } from "./charts.ts";
import type { Invocation } from "./flags.ts";
import { dataReport, reportBase } from "./finish.ts";
import { modelCard, shownSettings } from "../train/model_card.ts";
import { writeOutput } from "./output.ts";
import { beside, htmlTable, page, section, tableSection } from "./page.ts";
import {
  type DataReport,
  metricsLines,
  type ReportBase,
  type ReportTable,
  tableLines,
  type TrainingReport,
  trainingReport,
} from "./report.ts";
import { text, trainSettings } from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { LabelEvaluation } from "./stages/labels.ts";

/** What report.json of a training by labels holds. */
export interface LabelReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-labels/1";
  /** The data. */
  readonly data: Readonly<Record<"train" | "eval", DataReport>>;
  /** Names of the labels. */
  readonly labels: readonly string[];
  /** What is reached without any embedding: by naming the most frequent label each time. */
  readonly baseline: { readonly majority: number };
  /** How training went. */
  readonly training: TrainingReport;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** Label by label. */
  readonly tables: readonly ReportTable[];
  /** Folder of the model. */
  readonly model: string;
}

/** What a training by labels has in the end. */
export interface LabelResults {
  /** Names of the labels, by number. */
  readonly labels: readonly string[];
  /** Rows that it was trained on. */
  readonly data: Artifact<CountedDataset<Columns>>;
  /** Texts that were held out. */
  readonly heldOut: Artifact<CountedDataset<LabelledTexts>>;
  /** The model. */
  readonly model: Artifact<TrainedModel>;
  /** The held-out texts before training. */
  readonly before: Artifact<LabelEvaluation>;
  /** And after it. */
  readonly after: Artifact<LabelEvaluation>;
}

/** Writes the folder of results of a training by labels. */
export const finishLabels: (
  invocation: Invocation,
  output: string,
  results: LabelResults,
) => Effect.Effect<LabelReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, output, results) {
  const { labels } = results;
  const [before, after] = yield* attempt(() => Promise.all([results.before.read(), results.after.read()]));
  const worse = after.metrics.knn_accuracy_cosine < before.metrics.knn_accuracy_cosine;
  const { folder, record } = yield* valueOf(results.model);
  const base = yield* reportBase(invocation, [
    ...record.warnings,
    ...(worse ? ["training made the model worse on the texts held out"] : []),
  ]);
  return yield* attempt(async () => {
    const texts = await results.heldOut.read();
    const training = trainingReport(record, results.model.cached);
    const source = text(invocation.values, "train");
    const report: LabelReport = {
      schema: "kindred-labels/1",
      ...base,
      data: {
        train: await dataReport(source, results.data),
        eval: await dataReport(text(invocation.values, "eval") ?? source, results.heldOut),
      },
      labels,
      baseline: { majority: majorityAccuracy(texts.columns.label) },
      training,
      before: before.metrics,
      metrics: after.metrics,
      tables: [byLabel(labels, texts, before, after)],
      model: join(output, "model"),
    };
    await writeOutput(output, {
      "model/README.md": modelCard({
        title: "A sentence-embedding model",
        story: `Trained by Kindred's \`${invocation.name}\`: texts with the same label are near to each other.`,
        settings: { ...shownSettings(trainSettings(invocation.values)), loss: text(invocation.values, "loss") },
      }),
      "metrics.jsonl": metricsLines({ main: record }),
      "report.html": labelPage(report, texts, await before.embeddings(), await after.embeddings()),
      "report.json": JSON.stringify(report, null, 2) + "\n",
    }, { model: folder });
    return report;
  });
});

/** Share of each label's texts that their neighbours name rightly. */
function byLabel(
  labels: readonly string[],
  { columns: { label } }: Dataset<LabelledTexts>,
  before: LabelEvaluation,
  after: LabelEvaluation,
): ReportTable {
  const share = (rows: readonly number[], { votes }: LabelEvaluation) =>
    rows.filter((row) => votes[row] === label[row]).length / rows.length;
  const rows = labels.flatMap((name, number) => {
    const own = Array.from(label.keys()).filter((row) => label[row] === number);
    return own.length === 0 ? [] : [[name, own.length, share(own, before), share(own, after)] as const];
  });
  return { title: "Texts named rightly by their neighbours", columns: ["label", "texts", "before", "after"], rows };
}

/** Points of a map: more of them would only cover each other. */
const MAPPED = 1500;

function labelPage(report: LabelReport, texts: Dataset<LabelledTexts>, before: Embeddings, after: Embeddings): string {
  const { training, metrics, baseline } = report;
  const rows = Object.keys(metrics).map((key) => [key, report.before[key], metrics[key]]);
  const lead = `${training.steps} steps · ${training.samples} texts · ${
    training.samples_per_second.toFixed(1)
  } samples/s`;
  return page(report, lead, [
    section(
      "Map of the texts held out, by label",
      beside(
        `<p>before</p>${labelMap(before, texts, report.labels)}`,
        `<p>after</p>${labelMap(after, texts, report.labels)}`,
      ),
    ),
    section(
      "Texts held out",
      htmlTable(["metric", "before", "after"], [
        ...rows,
        ["the most frequent label each time", undefined, baseline.majority],
      ]),
    ),
    ...report.tables.map(tableSection),
    section("Loss", lineChart(training.loss)),
  ]);
}

function labelMap(embeddings: Embeddings, { columns }: Dataset<LabelledTexts>, labels: readonly string[]): string {
  const { data, width } = embeddings;
  const rows = Math.min(MAPPED, embeddings.rows);
  const { projected, explained } = principalComponents({ data: data.subarray(0, rows * width), rows, width });
  const points = Array.from({ length: rows }, (_, row) => ({
    x: projected[2 * row]!,
    y: projected[2 * row + 1]!,
    text: `${labels[columns.label[row]!]}: ${columns.text[row]}`,
    group: columns.label[row]!,
  }));
  const share = (100 * (explained[0]! + explained[1]!)).toFixed(0);
  return `${mapPlot(points, labels)}<p>the two axes hold ${share} % of the variance</p>`;
}

/** The same in a few lines. */
export function labelSummary(report: LabelReport): string {
  const { before, metrics, training, baseline } = report;
  const metricRows = Object.keys(metrics).map((key) => [key, before[key] ?? null, metrics[key]!] as const);
  return [
    `${report.pipeline} (${report.preset}): ${training.steps} steps, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}`,
    ...tableLines({
      title: "texts held out",
      columns: ["", "before", "after"],
      rows: [...metricRows, ["the most frequent label each time", null, baseline.majority]],
    }),
    ...report.tables.flatMap(tableLines),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
  ].join("\n");
}
