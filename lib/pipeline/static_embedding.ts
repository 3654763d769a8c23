/**
 * From flags to static embeddings: what they start from, and what is told of them.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { counted } from "../counted.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { model } from "../stage/roots.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { type Facts, modelCard } from "../train/model_card.ts";
import { folderFacts, originOf } from "./card.ts";
import { evaluationOfTexts, type EvaluationSet } from "./evaluation.ts";
import { dataReport } from "./finish.ts";
import type { Flag, Invocation } from "./flags.ts";
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
import { checkOwnModel, number, optional, text } from "./settings.ts";
import { type Compared, compareModels, TEACHER } from "./static_comparison.ts";
import { loadFlatTexts, loadTexts } from "./stages/load.ts";
import { distilStatic, pruneStatic, randomStatic, type StaticModel } from "./stages/static.ts";
import { tableLines } from "./table_lines.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { baselineOf, type Baselines } from "./without_model.ts";

/** Where the vectors come from. */
export type Start = "distilled" | "random" | "given";

/** Vectors before they are trained. */
export interface StartingVectors {
  /** How they came about. */
  readonly start: Start;
  /** The encoder that they were distilled from; undefined for others. */
  readonly teacher: Artifact<ModelFolder> | undefined;
  /** The static model, pruned where that was asked for. */
  readonly model: Artifact<ModelFolder>;
  /** What is known of it. */
  readonly facts: Facts;
  /** One sentence about that. */
  readonly story: string;
}

/** Flags that say something of vectors of one kind alone. */
const KINDS: Readonly<Partial<Record<Flag, Start>>> = {
  "vocabulary": "distilled",
  "pca-dims": "distilled",
  "sif-coefficient": "distilled",
  "token-pooling": "distilled",
  "width": "random",
};

/** Fails where the flags contradict each other: none is passed over in silence. */
function checkFlags(invocation: Invocation, start: Start): void {
  const { values, name } = invocation;
  const given = text(values, "model");
  if (start === "given" && given === undefined) {
    throw new UsageError("there are no vectors to start from", {
      expected: "--model with static embeddings, or with a file of word vectors",
      found: "--start given",
    });
  }
  if (start !== "given" && given !== undefined) {
    throw new UsageError("--model names vectors that are not used", {
      found: `--start ${start} --model ${given}`,
      hint: "an encoder goes to --teacher",
    });
  }
  for (const [flag, kind] of Object.entries(KINDS)) {
    if (values[flag as Flag] === undefined || kind === start) continue;
    throw new UsageError(`--${flag} is for ${KIND_NAMES[kind]}`, {
      found: `vectors that are ${start}`,
      hint: `deno run -A pipelines/${name}.ts --help says what each flag is for`,
    });
  }
  checkOwnModel(invocation, ["train", "eval", "vocabulary", "prune-texts"], "teacher");
  if (values["min-count"] !== undefined && values["prune-texts"] === undefined) {
    throw new UsageError("--min-count is of the texts that a vocabulary is pruned to, and there are none", {
      hint: "--prune-texts FILE names them",
    });
  }
}

const KIND_NAMES: Readonly<Record<Start, string>> = {
  distilled: "vectors that are distilled",
  random: "vectors at random (--start random)",
  given: "vectors that are given",
};

/** Fails for an encoder: it is a teacher, and no static model. */
const checkStatic = (vectors: Artifact<ModelFolder>, source: string) =>
  attempt(async () => {
    const { input } = await readFolder((await vectors.read()).folder);
    if (input !== "transformer") return;
    throw new UsageError("the model is no static one", {
      expected: "static embeddings, or a file of word vectors",
      found: source,
      hint: `--teacher ${source} distils it`,
    });
  });

/** The vectors that the flags name. */
export const startingVectors: (
  invocation: Invocation,
) => Effect.Effect<StartingVectors, KindredError, Services> = Effect.fnUntraced(function* (invocation) {
  const { values } = invocation;
  const given = text(values, "model");
  const start = (text(values, "start") ?? (given === undefined ? "distilled" : "given")) as Start;
  yield* attemptSync(() => checkFlags(invocation, start));
  const source = text(values, "teacher");
  const encoder = start === "given" ? source && (yield* model(source)) : yield* model(source);
  const name = (yield* attempt(() => originOf(start === "given" ? given : source))).name;
  const facts: Record<string, string | number | undefined> = {};
  let made: Artifact<ModelFolder | StaticModel>;
  let story: string;
  if (start === "given") {
    made = yield* model(given);
    yield* checkStatic(made, given!);
    story = `Static embeddings from ${name}`;
  } else if (start === "random") {
    made = yield* randomStatic({ tokenizer: encoder! as Artifact<ModelFolder> }, {
      width: optional(values, "width"),
      seed: number(values, "seed"),
    });
    story = `Static embeddings from random vectors for the tokens of ${name}`;
  } else {
    const words = text(values, "vocabulary");
    const distilled = yield* distilStatic(
      {
        teacher: encoder! as Artifact<ModelFolder>,
        ...(words !== undefined && { words: yield* loadTexts({ from: words }) }),
      },
      {
        pcaDims: optional(values, "pca-dims"),
        sifCoefficient: optional(values, "sif-coefficient"),
        pooling: text(values, "token-pooling") as "mean" | undefined,
      },
    );
    const { explained, tokens } = yield* valueOf(distilled);
    facts["distilled from"] = name;
    facts["tokens of the teacher"] = tokens;
    facts["share of the teacher's variance"] = Number(explained.toFixed(4));
    made = distilled;
    story = `Static embeddings, distilled from ${name} as model2vec distils`;
  }
  const corpus = text(values, "prune-texts");
  if (corpus !== undefined) {
    const texts = yield* loadFlatTexts({ from: corpus });
    const pruned = yield* pruneStatic({ model: made, texts }, { minCount: optional(values, "min-count") });
    const { tokens, of } = yield* valueOf(pruned);
    facts["tokens kept"] = `${tokens} of ${of}`;
    story += `, with the ${counted(tokens, "token")} of ${of} that a corpus has`;
    made = pruned;
  }
  return { start, teacher: encoder || undefined, model: made, facts, story };
});

/** The models that a table shows: the teacher where there is one, and the static ones. */
export const teacherAnd = (
  { teacher, start }: StartingVectors,
  others: readonly Compared[],
): readonly Compared[] =>
  teacher === undefined || start === "random" ? others : [{ name: TEACHER, model: teacher }, ...others];

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
