/**
 * The rows of one of several data sets, in the form of its loss, and what it is measured by.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { checkCosineScores, OR_COSENT } from "../data/cosine_scores.ts";
import type { Dataset, LabelledPairs, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";
import type { HoldOutOptions } from "../data/hold_out.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import type { MatryoshkaOptions } from "../loss/matryoshka.ts";
import { losses, lossOf, type LossSpec } from "../loss/named.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import { model } from "../stage/roots.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { blind, cutRows, type EvaluationSet, measured, type Parts, unusable } from "./evaluation.ts";
import { lossOfSpec, mappingOf, type SetSpec } from "./set_specs.ts";
import type { EvaluationKind } from "./stages/evaluate_rows.ts";
import { loadEvaluationRows, loadLabelledPairs, loadMargins, loadPairsOrNli, type RowsOptions } from "./stages/load.ts";
import { loadEvaluation } from "./stages/retrieval.ts";
import { asScores, asTriplets } from "./stages/rows.ts";

/** Rows whose form is known by the names of their columns. */
type AnyRows = Artifact<CountedDataset<Columns>>;

/** A data set that is ready to be trained on. */
export interface LoadedSet {
  /** Its name. */
  readonly name: string;
  /** Where its rows are from. */
  readonly source: string;
  /** Rows to train on. */
  readonly data: AnyRows;
  /** Its loss. */
  readonly loss: LossSpec;
  /** Texts before its columns. */
  readonly prompts: ColumnPrompts | undefined;
  /** How often it has its turn. */
  readonly weight: number | undefined;
  /** Rows of its batches. */
  readonly batchSize: number | undefined;
  /** The model that its loss learns from. */
  readonly guide: Artifact<ModelFolder> | undefined;
  /** Rows to measure by; undefined where there are none. */
  readonly evaluation: EvaluationSet | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** What a loss trains on: how such rows are read, what they are measured by, and what becomes of those to train on. */
interface Form {
  readonly load: (options: RowsOptions) => Effect.Effect<AnyRows, KindredError, Services>;
  readonly kind: EvaluationKind | undefined;
  readonly rows: (rows: AnyRows, spec: SetSpec, seed: number) => Effect.Effect<AnyRows, KindredError, Services>;
}

const any = <C extends Columns>(rows: Artifact<CountedDataset<C>>) => rows as unknown as AnyRows;

function formOf(loss: Loss): Form {
  if (loss.label === "none") {
    return {
      load: (options) => Effect.map(loadPairsOrNli(options), any),
      kind: "retrieval",
      rows: (rows, { negatives = "none" }, seed) =>
        Effect.map(asTriplets(rows as unknown as Artifact<Dataset<Pairs | Triplets>>, { negatives, seed }), any),
    };
  }
  if (loss.label === "class") {
    const texts = loss.grouped === true;
    return {
      load: (options) =>
        texts ? Effect.map(loadEvaluationRows(options), any) : Effect.map(loadLabelledPairs(options), any),
      kind: texts ? "labels" : "classes",
      rows: Effect.succeed,
    };
  }
  // Margins and scores of a teacher say nothing that could be measured by itself.
  if (loss.labelWidths !== undefined) {
    return { load: (options) => Effect.map(loadMargins(options), any), kind: undefined, rows: Effect.succeed };
  }
  return {
    load: (options) => Effect.map(loadEvaluationRows(options), any),
    kind: "similarity",
    rows: Effect.fnUntraced(function* (rows) {
      const { columns } = yield* attempt(() => summaryOf(rows));
      if (!columns.includes("score") && !columns.includes("premise")) return rows; // the loss says what it misses
      const scored = yield* asScores(rows as unknown as Artifact<Dataset<LabelledPairs>>);
      if (loss.name === "cosine_similarity") yield* requireCosines(any(scored));
      return any(scored);
    }),
  };
}

/** The cosine loss wants its scores as they are. */
const requireCosines = Effect.fnUntraced(function* (rows: AnyRows) {
  const { score } = (yield* valueOf(rows)).columns as Partial<ScoredPairs>;
  yield* attemptSync(() => checkCosineScores(score ?? [], (row) => `row ${row + 1}`, OR_COSENT));
});

/** Loads a data set, and holds rows out of it where it has none to be measured by. */
export const loadSet: (
  spec: SetSpec,
  options: {
    /** Texts before its columns. */
    readonly prompts: ColumnPrompts | undefined;
    /** Rows at most, where the set says nothing else. */
    readonly limit: number | undefined;
    /** Rows to hold out, where the set says nothing else. */
    readonly holdOut: number | undefined;
    /** Leaves out rows that cannot be read. */
    readonly skipBadRows: boolean;
    /** Trains the first numbers of embeddings as well. */
    readonly matryoshka: MatryoshkaOptions | undefined;
    /** The run's seed. */
    readonly seed: number;
  },
) => Effect.Effect<LoadedSet, KindredError, Services> = Effect.fnUntraced(
  function* (spec, { prompts, limit, holdOut, skipBadRows, matryoshka, seed }) {
    const loss = lossOfSpec(spec);
    const form = formOf(lossOf(loss));
    const columns = mappingOf(spec.columns);
    const source = { from: spec.train, limit: spec.limit ?? limit, skipBadRows, columnsFlag: '"columns" of the set:' };
    const all = yield* form.load({ ...source, ...(columns && { columns }) });
    const given = spec.eval === undefined ? undefined : yield* givenRows(spec, form.kind ?? "retrieval");
    const { train, evaluation, warnings } = given !== undefined
      ? { train: all, evaluation: given, warnings: [] }
      : form.kind === undefined
      ? {
        train: all,
        evaluation: undefined,
        warnings: [blind("the loss learns scores of a teacher, and there is no eval")],
      }
      : yield* cutSet(all, form.kind, { rows: spec.holdOut ?? holdOut, seed, source: spec.train });
    const data = yield* form.rows(train, spec, seed);
    return {
      name: spec.name,
      source: spec.train,
      data,
      loss: matryoshka === undefined ? loss : losses.matryoshka(loss, matryoshka),
      prompts,
      weight: spec.weight,
      batchSize: spec.batchSize,
      guide: spec.guide === undefined ? undefined : yield* model(spec.guide),
      evaluation,
      warnings,
    };
  },
);

/** Rows of a set to train on, and some that are held out to measure it by. */
export const cutSet: (
  all: AnyRows,
  kind: EvaluationKind,
  options: HoldOutOptions & { readonly source: string },
) => Effect.Effect<Pick<Parts<Columns>, "train" | "evaluation" | "warnings">, KindredError, Services> = Effect
  .fnUntraced(
    function* (all, kind, { source, ...options }) {
      const { train, heldOut, warnings } = yield* cutRows(all, options);
      if (heldOut === undefined) return { train: all, evaluation: undefined, warnings };
      const rows = heldOut as unknown as Parameters<typeof measured>[0];
      const evaluation: EvaluationSet = { ...yield* measured(rows, kind), source, heldOut: true };
      const trouble = yield* unusable(evaluation);
      if (trouble !== undefined) return { train: all, evaluation: undefined, warnings: [blind(trouble)] };
      return { train, evaluation, warnings: [] };
    },
  );

/** The rows of a set's `eval`. */
const givenRows = Effect.fnUntraced(function* (spec: SetSpec, wanted: EvaluationKind) {
  const columns = mappingOf(spec.evalColumns);
  const columnsFlag = '"evalColumns" of the set:';
  const rows = yield* loadEvaluation({ from: spec.eval!, columnsFlag, ...(columns && { columns }) });
  return { ...yield* measured(rows, wanted), source: spec.eval!, heldOut: false };
});
