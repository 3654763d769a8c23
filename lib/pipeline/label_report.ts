/**
 * The report of a training by labels: how well they lie apart before and after, in numbers and on a map.
 *
 * @module
 */
import { tableLines } from "./table_lines.ts";
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { Dataset, LabelledTexts } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { majorityAccuracy } from "../evaluate/label_metrics.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { CountedDataset, TrainedModel } from "../stage/artifact.ts";
import { classMap } from "./maps.ts";
import type { Invocation } from "./flags.ts";
import { folderFacts, originOf, promptNames, sourceName } from "./card.ts";
import { dataReport, TRAINING_FILES } from "./finish.ts";
import { heldSettings } from "./held_settings.ts";
import { reportBase } from "./report_base.ts";
import { trainingCurves } from "./training_page.ts";
import { modelCard, shownSettings } from "../train/model_card.ts";
import { leaksOf, leakWarning } from "./leaks.ts";
import {
  dimensionChart,
  dimensionFacts,
  type DimensionReport,
  dimensionReports,
  dimensionTable,
  matryoshkaOf,
} from "./matryoshka.ts";
import { writeOutput } from "./output.ts";
import { beside, dataTable, facts, htmlTable, page, section, settingsTable, tableSection } from "./page.ts";
import {
  type DataReport,
  fileLines,
  type HeldSettings,
  metricsLines,
  type ReportBase,
  type ReportTable,
  type TrainingReport,
  trainingReport,
} from "./report.ts";
import { inModel, type LoraSave, savedModel } from "./saved_model.ts";
import { text, trainSettings } from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { invocationWarnings, worseWarning } from "./warnings.ts";
import type { LabelEvaluation } from "./stages/labels.ts";

/** What report.json of a training by labels holds. */
export interface LabelReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-labels/1";
  /** The data. */
  readonly data: { readonly train: DataReport; readonly eval?: DataReport };
  /** Names of the labels. */
  readonly labels: readonly string[];
  /** What is reached without any embedding: by naming the most frequent label each time. */
  readonly baseline: { readonly majority?: number };
  /** How training went. */
  readonly training: TrainingReport;
  /** Hyper-parameters and shape of the model, as they held. */
  readonly settings: HeldSettings;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** The same metrics of embeddings cut to their first numbers, where it was trained for that. */
  readonly dimensions?: readonly DimensionReport[];
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
  /** What the held-out texts gave; undefined where there are none. */
  readonly tested: LabelsTested | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
  /** The model. */
  readonly model: Artifact<TrainedModel>;
}

/** Labelled texts that a model was tested on. */
export interface LabelsTested {
  /** The texts. */
  readonly heldOut: Artifact<CountedDataset<LabelledTexts>>;
  /** Before training. */
  readonly before: Artifact<LabelEvaluation>;
  /** And after it. */
  readonly after: Artifact<LabelEvaluation>;
}

/** The same, read. */
interface Tested {
  readonly texts: Dataset<LabelledTexts>;
  readonly before: LabelEvaluation;
  readonly after: LabelEvaluation;
}

/** Writes the folder of results of a training by labels. */
export const finishLabels: (
  invocation: Invocation,
  output: string,
  results: LabelResults,
) => Effect.Effect<LabelReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, output, results) {
  const { labels, tested: artifacts } = results;
  const { values } = invocation;
  const tested = artifacts && {
    texts: yield* valueOf(artifacts.heldOut),
    before: yield* valueOf(artifacts.before),
    after: yield* valueOf(artifacts.after),
  };
  const [before, after] = [{ ...tested?.before.metrics }, { ...tested?.after.metrics }];
  const dimensions = dimensionReports(tested?.before, tested?.after);
  const matryoshka = yield* matryoshkaOf(values, results.model);
  const model = yield* valueOf(results.model);
  const { record } = model;
  const settings = trainSettings(values);
  const data = yield* valueOf(results.data);
  const base = yield* reportBase(invocation, {
    warnings: [
      ...results.warnings,
      ...record.warnings,
      ...invocationWarnings(invocation, record),
      ...(tested === undefined ? [] : leakWarning(leaksOf(tested.texts as Dataset<Columns>, data))),
      ...worseWarning(PRIMARY_METRIC.labels, before, after, { where: "on the texts held out" }),
    ],
    output,
    files: TRAINING_FILES,
  });
  return yield* attempt(async () => {
    const training = trainingReport(record, results.model.cached);
    const source = text(values, "train");
    const report: LabelReport = {
      schema: "kindred-labels/1",
      ...base,
      data: {
        train: await dataReport(source, results.data),
        ...(artifacts && { eval: await dataReport(text(values, "eval") ?? source, artifacts.heldOut) }),
      },
      labels,
      baseline: tested === undefined ? {} : { majority: majorityAccuracy(tested.texts.columns.label) },
      training,
      settings: await heldSettings(results.model),
      before,
      metrics: after,
      ...(dimensions !== undefined && { dimensions }),
      tables: [
        ...(dimensions ? [dimensionTable(PRIMARY_METRIC.labels, dimensions)] : []),
        ...(tested ? [byLabel(labels, tested)] : []),
      ],
      model: join(output, "model"),
    };
    const saved = await savedModel(model, text(values, "lora-save") as LoraSave | undefined, text(values, "model"));
    const origin = await originOf(text(values, "model"));
    await writeOutput(output, {
      "model/README.md": modelCard({
        title: "A sentence-embedding model",
        baseModel: origin.baseModel,
        license: origin.license,
        prompts: await promptNames(model.folder),
        facts: {
          "trained from": origin.name,
          "trained on": `${await sourceName(report.data.train.source)}, ${counted(report.data.train.rows, "row")}`,
          "embeddings may be cut to": matryoshka && dimensionFacts(matryoshka),
          ...await folderFacts(model.folder),
          parameters: record.parameters,
          "parameters that were trained": record.trainedParameters,
        },
        story: `Trained by Kindred's \`${invocation.name}\`: texts with the same label are near to each other.`,
        settings: { ...shownSettings(settings), loss: text(values, "loss") },
        warnings: report.warnings,
      }),
      "metrics.jsonl": metricsLines({ main: record }),
      "report.html": await labelPage(report, tested, record),
      "report.json": JSON.stringify(report, null, 2) + "\n",
      ...inModel(saved.texts),
    }, { model: saved.folder });
    return report;
  });
});

/** Share of each label's texts that their neighbours name rightly. */
function byLabel(
  labels: readonly string[],
  { texts: { columns: { label } }, before, after }: Tested,
): ReportTable {
  const share = (rows: readonly number[], { votes }: LabelEvaluation) =>
    rows.filter((row) => votes[row] === label[row]).length / rows.length;
  const rows = labels.flatMap((name, number) => {
    const own = Array.from(label.keys()).filter((row) => label[row] === number);
    return own.length === 0 ? [] : [[name, own.length, share(own, before), share(own, after)] as const];
  });
  return { title: "Texts named rightly by their neighbours", columns: ["label", "texts", "before", "after"], rows };
}

async function labelPage(report: LabelReport, tested: Tested | undefined, record: TrainingRecord): Promise<string> {
  const { training, metrics, baseline, data } = report;
  const rows = Object.keys(metrics).map((key) => [key, report.before[key], metrics[key]]);
  const score = (title: string, value: number | undefined) => value === undefined ? {} : { [title]: value };
  const curves = trainingCurves({ main: record });
  const map = async (title: string, evaluation: LabelEvaluation, { columns }: Dataset<LabelledTexts>) =>
    classMap(title, await evaluation.embeddings(), {
      texts: columns.text,
      labels: columns.label,
      names: report.labels,
    });
  const sections = tested === undefined ? [] : [
    section(
      "Maps of the texts held out",
      beside(
        await map("Before training", tested.before, tested.texts),
        await map("After training", tested.after, tested.texts),
      ),
    ),
    section(
      "Texts held out",
      htmlTable("Metrics", ["metric", "before", "after"], [
        ...rows,
        ["the most frequent label each time", undefined, baseline.majority],
      ]),
    ),
  ];
  return page(report, {
    lead: `Trained on ${counted(data.train.rows, "row")} so that texts of one label are near to each other${
      data.eval === undefined ? "" : `; ${counted(data.eval.rows, "text")} held out`
    }.`,
    run: [dataTable(data), settingsTable({ main: report })],
    sections: [
      facts({
        ...score("right by neighbours, before", report.before[PRIMARY_METRIC.labels]),
        ...score("after", metrics[PRIMARY_METRIC.labels]),
        "labels": report.labels.length,
        "updates": training.steps,
        "rows per second": training.samples_per_second.toFixed(0),
      }),
      ...sections,
      ...report.tables.map(tableSection),
      ...(report.dimensions ? [dimensionChart(PRIMARY_METRIC.labels, report.dimensions)] : []),
      curves,
    ],
  });
}

/** The same in a few lines. */
export function labelSummary(report: LabelReport): string {
  const { before, metrics, training, baseline } = report;
  const metricRows = Object.keys(metrics).map((key) => [key, before[key] ?? null, metrics[key]!] as const);
  return [
    `${report.pipeline} (${report.preset}): ${counted(training.steps, "step")}, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}`,
    ...tableLines({
      title: "texts held out",
      columns: ["", "before", "after"],
      rows: [...metricRows, ["the most frequent label each time", null, baseline.majority ?? null]],
    }),
    ...report.tables.flatMap(tableLines),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
    ...fileLines(report),
  ].join("\n");
}
