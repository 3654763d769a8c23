/**
 * What is told of static embeddings: beside their teacher, beside counting words, and without a training.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import { type Services, valueOf } from "../stage/stage.ts";
import { type Facts, modelCard } from "../train/model_card.ts";
import { folderFacts, originOf } from "./card.ts";
import { evaluationOfTexts, type EvaluationSet } from "./evaluation.ts";
import { dataReport } from "./finish.ts";
import type { Invocation } from "./flags.ts";
import { writeOutput } from "./output.ts";
import { page, section, tableSection } from "./page.ts";
import {
  type DataReport,
  evaluatedOn,
  type EvaluationReport,
  fileLines,
  type ReportBase,
  type ReportTable,
} from "./report.ts";
import { reportBase } from "./report_base.ts";
import { text } from "./settings.ts";
import { compareModels } from "./static_comparison.ts";
import { type StartingVectors, teacherAnd } from "./static_vectors.ts";
import { tableLines } from "./table_lines.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { baselineOf, type Baselines } from "./without_model.ts";

/** What a run without a training tells. */
export interface StaticReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-static/1";
  /** How the vectors came about. */
  readonly story: string;
  /** What is known of the model. */
  readonly facts: Facts;
  /** The rows that it was evaluated on. */
  readonly data: { readonly eval?: DataReport };
  /** What the metrics are about; undefined where nothing was evaluated. */
  readonly evaluation?: EvaluationReport;
  /** What word overlap reaches. */
  readonly baseline: Baselines;
  /** The model beside its teacher. */
  readonly tables: readonly ReportTable[];
  /** Its folder. */
  readonly model: string;
}

const FILES = ["model", "report.json", "report.html"];

/** Writes vectors that are not trained, and what they are worth beside their teacher. */
export const reportUntrained: (
  invocation: Invocation,
  output: string,
  vectors: StartingVectors,
) => Effect.Effect<StaticReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, output, vectors) {
  const { model, story } = vectors;
  const { evaluation, warnings } = yield* evaluationWithoutTraining(invocation);
  const table = yield* compareModels(teacherAnd(vectors, [{ name: "static", model }]), evaluation);
  const { folder } = yield* valueOf(model);
  const facts = { ...vectors.facts, ...yield* attempt(() => folderFacts(folder)) };
  const worse = yield* belowOverlap(table, evaluation);
  const base = yield* reportBase(invocation, { warnings: [...warnings, ...worse], output, files: FILES });
  return yield* attempt(async () => {
    const report: StaticReport = {
      schema: "kindred-static/1",
      ...base,
      story,
      facts,
      data: { ...(evaluation && { eval: await dataReport(evaluation.source, evaluation.rows) }) },
      ...(evaluation && {
        evaluation: {
          kind: evaluation.kind,
          metric: PRIMARY_METRIC[evaluation.kind],
          source: evaluation.source,
          held_out: false,
        },
      }),
      baseline: evaluation === undefined ? {} : baselineOf(evaluation.kind, await evaluation.rows.read()),
      tables: [table],
      model: join(output, "model"),
    };
    const origin = await originOf(text(invocation.values, "model") ?? text(invocation.values, "teacher"));
    const of = (name: string) => table.rows.find(([row]) => row === name)?.[1];
    const metrics = (name: string) =>
      evaluation !== undefined && typeof of(name) === "number"
        ? { [PRIMARY_METRIC[evaluation.kind]]: of(name) as number }
        : {};
    await writeOutput(output, {
      "model/README.md": modelCard({
        title: "Static embeddings",
        story: `${story}, by Kindred.`,
        baseModel: origin.baseModel,
        license: origin.license,
        facts: { ...facts, ...metricFacts(table) },
        evaluation: evaluation && Object.keys(metrics("teacher")).length > 0
          ? { on: `${evaluation.source}; before: the teacher`, before: metrics("teacher"), after: metrics("static") }
          : undefined,
        settings: {},
        warnings: report.warnings,
      }),
      "report.html": page(report, {
        lead: `${story}; ${evaluatedOn({ ...report, data: { train: NO_DATA, ...report.data } })}.`,
        sections: [tableSection(table), section("What it is", tableSection(factsTable(facts)))],
      }),
      "report.json": JSON.stringify(report, null, 2) + "\n",
    }, { model: folder });
    return report;
  });
});

const NO_DATA: DataReport = { source: "none", rows: 0, dropped: 0 };

const factsTable = (facts: Facts): ReportTable => ({
  title: "The model",
  columns: ["what", "value"],
  rows: Object.entries(facts).map(([name, value]) => [name, value ?? null]),
});

/** Speed and size for the card. */
export function metricFacts({ columns, rows }: ReportTable): Facts {
  const [size, speed] = [columns.indexOf("kilobytes"), columns.indexOf("texts per second")];
  return Object.fromEntries(
    rows.flatMap((row) =>
      typeof row[speed] === "number"
        ? [[`texts per second, ${row[0]}`, row[speed]], [`kilobytes, ${row[0]}`, row[size] as number]]
        : []
    ),
  );
}

/** A static model that knows less than counting words does says so. */
export const belowOverlap = (
  table: ReportTable,
  evaluation: EvaluationSet | undefined,
): Effect.Effect<readonly string[], KindredError> =>
  Effect.sync(() => {
    if (evaluation === undefined) return [];
    const overlaps = table.rows.filter(([name, value]) =>
      String(name).startsWith("word overlap") && typeof value === "number"
    );
    const product = table.rows.filter(([, , features]) => features !== null).at(-1);
    const best = overlaps.reduce(
      (most, row) => Number(row[1]) > Number(most?.[1] ?? -Infinity) ? row : most,
      overlaps[0],
    );
    if (best === undefined || product === undefined || Number(product[1]) >= Number(best[1])) return [];
    const shown = (value: unknown) => Number(value).toFixed(4);
    return [
      `the static model is worse than counting words: ${shown(product[1])} beside ${shown(best[1])} by ${best[0]}`,
    ];
  });

const evaluationWithoutTraining = (invocation: Invocation) =>
  invocation.preset === "own" && invocation.values["eval"] === undefined
    ? Effect.succeed({
      evaluation: undefined,
      warnings: [
        `there is no --eval: nothing says how much of the ${
          invocation.values["teacher"] === undefined ? "model the pruned one" : "teacher the static model"
        } has kept`,
      ],
    })
    : evaluationOfTexts(invocation, "train");

/** The report for the terminal. */
export function staticSummary(report: StaticReport): string {
  return [
    `${report.pipeline} (${report.preset}): ${report.story}`,
    ...report.tables.flatMap(tableLines),
    `  ${evaluatedOn({ ...report, data: { train: NO_DATA, ...report.data } })}`,
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    ...fileLines(report),
  ].join("\n");
}
