/**
 * The end of a training pipeline: artifacts become the report, the page and the folder of results.
 *
 * @module
 */
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { type CountedDataset, type Evaluation, summaryOf, type TrainedModel } from "../stage/artifact.ts";
import { type EvaluationSet, measuredTexts } from "./evaluation.ts";
import type { Flag, FlagValues, Invocation } from "./flags.ts";
import { folderFacts, originOf, promptNames, sourceName } from "./card.ts";
import { loraFacts, resolveLora } from "../model/lora.ts";
import { type Facts, modelCard } from "../train/model_card.ts";
import { leaksOf, leakWarning } from "./leaks.ts";
import { dimensionFacts, dimensionReports, dimensionTable, matryoshkaOf } from "./matryoshka.ts";
import { writeOutput } from "./output.ts";
import { heldSettings } from "./held_settings.ts";
import { profileTables } from "./profile.ts";
import { reportBase } from "./report_base.ts";
import { reportPage } from "./training_page.ts";
import {
  type DataReport,
  metricsLines,
  type Report,
  type ReportTable,
  type RunReport,
  trainingReport,
} from "./report.ts";
import { inModel, type LoraSave, savedModel } from "./saved_model.ts";
import { loraOf, text } from "./settings.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { bestWarning, invocationWarnings, worseWarning } from "./warnings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { baselineOf } from "./without_model.ts";

/** A model that was trained, and what it was worth before and after. */
export interface TrainedRun {
  /** product, control, … */
  readonly role?: string;
  /** The model. */
  readonly model: Artifact<TrainedModel>;
  /** The model it started from, on the evaluation rows of the report; undefined where there are none. */
  readonly before?: Artifact<Evaluation>;
  /** The model itself, on the same rows. */
  readonly after?: Artifact<Evaluation>;
}

/** What a training pipeline has in the end. */
export interface Results {
  /** Rows that the product was trained on. */
  readonly data: Artifact<CountedDataset<Columns>>;
  /** Rows that all models were evaluated on, if there are any. */
  readonly evaluation: EvaluationSet | undefined;
  /** The product, and whatever was trained beside it. */
  readonly runs: { readonly main: TrainedRun } & Readonly<Record<string, TrainedRun>>;
  /** Tables beside the metrics. */
  readonly tables?: readonly ReportTable[];
  /** Flags that name what was trained on. Default: train. */
  readonly sources?: readonly Flag[];
  /** Files that the pipeline writes itself into the folder of results. */
  readonly files?: readonly string[];
  /** Values of the pipeline's own. */
  readonly details?: Readonly<Record<string, number | string | null>>;
  /** What the weights were chosen by, in words, where that is not the evaluation of the report. */
  readonly chosenBy?: string | undefined;
  /** What is worth knowing. */
  readonly warnings?: readonly string[];
  /** How the product came about, for the model's card. */
  readonly story?: string;
  /** Name and paper of the product's loss, for the model's card. */
  readonly loss?: string;
  /** What else the card tells of the model, by name. */
  readonly facts?: Facts;
}

/** What every training writes. */
export const TRAINING_FILES: readonly string[] = ["model", "metrics.jsonl", "report.json", "report.html"];

/** Writes the folder of results; the report is what the command gives. */
export const finish: (
  invocation: Invocation,
  output: string,
  results: Results,
) => Effect.Effect<Report, KindredError, Services> = Effect.fnUntraced(function* (invocation, output, results) {
  const { values } = invocation;
  const { main } = results.runs;
  const warnings = [...results.warnings ?? []];
  const runs: Record<string, RunReport> = {};
  for (const [name, run] of Object.entries(results.runs)) {
    const { record } = yield* valueOf(run.model);
    warnings.push(...record.warnings.map((warning) => name === "main" ? warning : `${name}: ${warning}`));
    runs[name] = yield* attempt(() => runReport(name, run, join(output, "model")));
  }
  const { training, before, metrics, model, settings: held } = runs["main"]!;
  const { evaluation } = results;
  const { record: product } = yield* valueOf(main.model);
  warnings.push(...invocationWarnings(invocation, product));
  if (evaluation !== undefined) {
    const where = evaluation.heldOut ? "on the rows held out" : "on the evaluation rows";
    warnings.push(...worseWarning(PRIMARY_METRIC[evaluation.kind], before, metrics, { where }));
  }
  const leaks = evaluation &&
    leaksOf(measuredTexts(evaluation.kind, yield* valueOf(evaluation.rows)), yield* valueOf(results.data));
  if (leaks !== undefined) warnings.push(...leakWarning(leaks));
  if (results.chosenBy === undefined) warnings.push(...bestWarning(product));
  const dimensions = dimensionReports(
    main.before && (yield* valueOf(main.before)),
    main.after && (yield* valueOf(main.after)),
  );
  const tables = [
    ...(dimensions ? [dimensionTable(PRIMARY_METRIC[evaluation!.kind], dimensions)] : []),
    ...results.tables ?? [],
    ...yield* profileTables(values),
  ];
  const matryoshka = yield* matryoshkaOf(values, main.model);
  const base = yield* reportBase(invocation, { warnings, output, files: [...TRAINING_FILES, ...results.files ?? []] });
  return yield* attempt(async () => {
    const trained = await main.model.read();
    const { folder, record } = trained;
    const saved = await savedModel(trained, text(values, "lora-save") as LoraSave | undefined, text(values, "model"));
    const lora = loraOf(values);
    const rows = evaluation && await evaluation.rows.read();
    const { control, control_equal_steps } = runs;
    const records: Record<string, TrainingRecord> = {};
    for (const [name, run] of Object.entries(results.runs)) records[name] = (await run.model.read()).record;
    const report: Report = {
      schema: "kindred-report/1",
      ...base,
      data: {
        train: await dataReport(sourcesOf(values, results.sources), results.data),
        ...(evaluation && { eval: await dataReport(evaluation.source, evaluation.rows) }),
      },
      ...(evaluation && {
        evaluation: {
          kind: evaluation.kind,
          metric: PRIMARY_METRIC[evaluation.kind],
          source: evaluation.source,
          held_out: evaluation.heldOut,
        },
      }),
      baseline: evaluation === undefined ? {} : baselineOf(evaluation.kind, rows!),
      training,
      before,
      metrics,
      model,
      runs,
      evaluations: record.evaluations,
      ...(results.chosenBy !== undefined && record.evaluations.length > 0 && { evaluations_on: results.chosenBy }),
      ...(dimensions !== undefined && { dimensions }),
      ...(tables.length > 0 && { tables }),
      ...(results.details !== undefined && { details: results.details }),
      ...(control !== undefined && { control, difference: difference(metrics, control.metrics) }),
      ...(control_equal_steps !== undefined && {
        control_equal_steps,
        difference_equal_steps: difference(metrics, control_equal_steps.metrics),
      }),
    };
    const html = reportPage(
      report,
      records,
      rows && {
        rows,
        before: await main.before!.read(),
        after: await main.after!.read(),
        beforeEmbeddings: await (await main.before!.read()).embeddings(),
        afterEmbeddings: await (await main.after!.read()).embeddings(),
        leaks: leaks!,
      },
    );
    const origin = await originOf(text(values, "model") ?? text(values, "teacher"));
    await writeOutput(output, {
      "model/README.md": modelCard({
        title: "A sentence-embedding model",
        story: results.story ??
          `Trained by Kindred's \`${invocation.name}\` from ${origin.name} on ${
            counted(report.data.train.rows, "row")
          }.`,
        baseModel: origin.baseModel,
        license: origin.license,
        prompts: await promptNames(folder),
        facts: {
          "trained from": origin.name,
          "trained on": `${await sourceName(report.data.train.source)}, ${counted(report.data.train.rows, "row")}`,
          loss: results.loss,
          "embeddings may be cut to": matryoshka && dimensionFacts(matryoshka),
          ...results.facts,
          ...await folderFacts(folder),
          parameters: record.parameters,
          "parameters that were trained": record.trainedParameters,
          adapters: lora && loraFacts(resolveLora(lora)),
        },
        evaluation: evaluation && {
          on: `${evaluation.heldOut ? "rows held out of " : ""}${await sourceName(evaluation.source)}, ${
            sizeOf(report.data.eval!)
          }`,
          before,
          after: metrics,
        },
        settings: Object.fromEntries(
          SHOWN.map((flag) => [flag, (values[flag] ?? held[flag.replaceAll("-", " ")]) as number | undefined]),
        ),
        warnings: report.warnings,
      }),
      "metrics.jsonl": metricsLines(records),
      "report.html": html,
      "report.json": JSON.stringify(report, null, 2) + "\n",
      ...inModel(saved.texts),
    }, { model: saved.folder });
    return report;
  });
});

/** How many rows, or queries and documents. */
function sizeOf({ rows, counts: { queries, documents } = {} }: DataReport): string {
  if (queries === undefined || documents === undefined) return `${rows} rows`;
  return `${counted(queries, "query")} in ${counted(documents, "document")}`;
}

/** What these flags name, in their order; undefined: the sample alone. */
function sourcesOf(values: FlagValues, flags: readonly Flag[] = ["train"]): string | undefined {
  const named = flags.flatMap((flag) => text(values, flag) ?? []);
  return named.length === 0 ? undefined : named.join(" + ");
}

/** Settings that a model's card shows. */
const SHOWN = [
  "epochs",
  "max-steps",
  "batch-size",
  "learning-rate",
  "schedule",
  "warmup-steps",
  "warmup-ratio",
  "weight-decay",
  "clip",
  "prompts",
] as const satisfies readonly Flag[];

async function runReport(name: string, run: TrainedRun, product: string): Promise<RunReport> {
  const { record, folder } = await run.model.read();
  return {
    settings: await heldSettings(run.model),
    role: run.role ?? (name === "main" ? "product" : name),
    training: trainingReport(record, run.model.cached),
    before: (await run.before?.read())?.metrics ?? {},
    metrics: (await run.after?.read())?.metrics ?? {},
    model: name === "main" ? product : folder,
  };
}

/** Rows of a dataset, and where they are from. */
export async function dataReport(
  source: string | undefined,
  data: Artifact<CountedDataset<Columns>>,
): Promise<DataReport> {
  const { rows, counts } = await summaryOf(data);
  return { source: source ?? "sample", rows, dropped: counts["dropped"] ?? 0, counts };
}

function difference(metrics: Metrics, control: Metrics): Metrics {
  return Object.fromEntries(Object.entries(metrics).map(([key, value]) => [key, value - control[key]!]));
}
