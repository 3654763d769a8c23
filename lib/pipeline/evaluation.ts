/**
 * What a training is measured by: rows of `--eval`, or rows that are held out of its data.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { FEWEST_ROWS, heldOutCount, type HoldOutOptions } from "../data/hold_out.ts";
import type { Dataset, LabelledPairs, MarginRows, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";
import { isRetrievalRows, queriesOf, type RetrievalRows } from "../data/retrieval_sets.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Flag, Invocation } from "./flags.ts";
import { evalSource, isOwn, number, optional, text } from "./settings.ts";
import type { EvaluationKind } from "./stages/evaluate_rows.ts";
import { loadEvaluation } from "./stages/retrieval.ts";
import { asScores, asTriplets, holdOutOf } from "./stages/rows.ts";

/** Rows that models are measured on. */
export interface EvaluationSet {
  /** What they are asked. */
  readonly kind: EvaluationKind;
  /** The rows. */
  readonly rows: Artifact<CountedDataset<Columns>>;
  /** Where they are from. */
  readonly source: string;
  /** Whether they are of the training data, and held out of it. */
  readonly heldOut: boolean;
  /** Whose embeddings are the aim, for imitation and translation. */
  readonly teacher?: Artifact<ModelFolder> | undefined;
}

/** Data of a training in parts. */
export interface Parts<C extends Columns> {
  /** Rows to train on. */
  readonly train: Artifact<CountedDataset<C>>;
  /** Rows to measure by; undefined where there are none. */
  readonly evaluation: EvaluationSet | undefined;
  /** Rows that were held out beside those of `--eval`, where both were asked for. */
  readonly beside: EvaluationSet | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** What each kind of evaluation measures, and what rows it takes. */
export const EVALUATION_TITLES: Readonly<Record<EvaluationKind, { readonly title: string; readonly rows: string }>> = {
  similarity: { title: "similarity of graded pairs", rows: "graded pairs" },
  retrieval: { title: "finding each anchor's positive among all of them", rows: "pairs of anchor and positive" },
  corpus: { title: "finding what is relevant to queries in a corpus", rows: "a corpus with queries and judgements" },
  nanobeir: { title: "finding what is relevant in the sets of NanoBEIR", rows: "sets of NanoBEIR" },
  classes: { title: "classes of pairs", rows: "pairs with a class" },
  labels: { title: "labels by neighbours", rows: "texts with a label" },
  imitation: { title: "how near embeddings are to the teacher's", rows: "texts" },
  translation: { title: "finding translations, and how near they are to the teacher's", rows: "translations" },
};

/** What evaluation rows may be. */
type PairRows = ScoredPairs | LabelledPairs | Pairs | Triplets | MarginRows;

/** Rows as they are measured on: NLI pairs are those of a class, scores of 0 and 1, or entailed pairs, as is wanted. */
export const measured: (
  rows: Artifact<CountedDataset<PairRows>>,
  wanted: EvaluationKind,
) => Effect.Effect<Pick<EvaluationSet, "kind" | "rows">, KindredError, Services> = Effect.fnUntraced(
  function* (rows, wanted) {
    const { columns, counts } = yield* attempt(() => summaryOf(rows));
    const as = (kind: EvaluationKind, rows: Artifact<CountedDataset<PairRows>>) => ({
      kind,
      rows: rows as Artifact<Dataset<Columns>> as Artifact<CountedDataset<Columns>>,
    });
    if (isRetrievalRows(columns)) return as(counts["named"] === 1 ? "nanobeir" : "corpus", rows);
    if (columns.includes("text")) return as("labels", rows);
    // Beside a positive, scores are a teacher's: who finds is asked to find.
    if (columns.includes("score") && !columns.includes("positive")) return as("similarity", rows);
    if (!columns.includes("label")) return as("retrieval", rows);
    const labelled = rows as Artifact<CountedDataset<LabelledPairs>>;
    if (wanted === "classes") return as("classes", labelled);
    if (wanted === "similarity") return as("similarity", yield* asScores(labelled));
    return as("retrieval", yield* asTriplets(labelled, { negatives: "none", seed: 0 }));
  },
);

/** The texts that a model should not have been trained on: of corpora, the queries. */
export const measuredTexts = (kind: EvaluationKind, rows: Dataset<Columns>): Dataset<Columns> => {
  if (kind !== "corpus" && kind !== "nanobeir") return rows;
  const text = queriesOf(rows as Dataset<RetrievalRows>);
  return { columns: { text }, rows: text.length };
};

/** Why rows cannot be measured on; undefined if they can. */
export const unusable: (set: Pick<EvaluationSet, "kind" | "rows">) => Effect.Effect<string | undefined, KindredError> =
  Effect
    .fnUntraced(function* ({ kind, rows }) {
      const { columns, rows: count } = yield* valueOf(rows);
      if (count === 0) return "no row that was held out can be measured";
      if (!["similarity", "labels"].includes(kind)) return undefined;
      const different =
        new Set<unknown>(kind === "similarity" ? (columns as ScoredPairs).score : columns["label"]!).size;
      if (different === 1) return `the rows held out all have the same ${kind === "similarity" ? "score" : "label"}`;
      return kind === "labels" && different === count ? "no two of the rows held out have the same label" : undefined;
    });

/** A training that is not measured, and why. */
export const blind = (why: string): string => `${why}: nothing says whether training made the model better`;

/** A cut of data in two. */
export interface Cut<C extends Columns> {
  /** Rows to train on. */
  readonly train: Artifact<CountedDataset<C>>;
  /** Rows held out; undefined if there are none. */
  readonly heldOut: Artifact<CountedDataset<C>> | undefined;
  /** Why there are none. */
  readonly warnings: readonly string[];
}

/** Holds out rows of a training's data. */
export const cutRows: <C extends Columns>(
  data: Artifact<CountedDataset<C>>,
  options: HoldOutOptions,
) => Effect.Effect<Cut<C>, KindredError, Services> = Effect.fnUntraced(
  function* <C extends Columns>(data: Artifact<CountedDataset<C>>, { rows: asked, seed }: HoldOutOptions) {
    const none = (why: string) => ({ train: data, heldOut: undefined, warnings: [blind(why)] });
    const { rows } = yield* attempt(() => summaryOf(data));
    if ((yield* attemptSync(() => heldOutCount(rows, asked))) === 0) {
      const few = asked === undefined
        ? ` of ${rows}, which ${rows === 1 ? "is" : "are"} fewer than ${FEWEST_ROWS}`
        : "";
      return none(`no rows were held out${few}`);
    }
    const { train, heldOut } = yield* holdOutOf(data, { rows: asked, seed });
    const held = yield* attempt(() => summaryOf(heldOut));
    if (held.rows === 0) return none("no rows could be held out, since they hang together by texts that they share");
    return { train, heldOut, warnings: [] };
  },
);

/** The rows of `--eval`, or of the preset. */
export const givenEvaluation: (
  invocation: Invocation,
  wanted: EvaluationKind,
  flag?: Flag,
) => Effect.Effect<EvaluationSet, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, wanted, flag = "eval") {
    const rows = yield* loadEvaluation(evalSource(invocation, flag));
    return { ...yield* measured(rows, wanted), source: text(invocation.values, flag) ?? "sample", heldOut: false };
  },
);

/** What is asked, whatever form the rows have: corpora are for retrieval, as pairs are. */
const asksOf = (kind: EvaluationKind): EvaluationKind => kind === "corpus" || kind === "nanobeir" ? "retrieval" : kind;

/**
 * Cuts the data of a training: with `--eval`, or on the sample, all of it is trained on; of one's own data, rows are held
 * out otherwise, `--hold-out` of them.
 */
export const partsOf: <C extends PairRows>(
  invocation: Invocation,
  data: Artifact<CountedDataset<C>>,
  wanted: EvaluationKind,
  flag?: Flag,
) => Effect.Effect<Parts<C>, KindredError, Services> = Effect.fnUntraced(
  function* <C extends PairRows>(
    invocation: Invocation,
    data: Artifact<CountedDataset<C>>,
    wanted: EvaluationKind,
    flag: Flag = "train",
  ) {
    const { values } = invocation;
    const asked = optional(values, "hold-out");
    const own = isOwn(values, flag);
    const given = values["eval"] !== undefined || !own ? yield* givenEvaluation(invocation, wanted) : undefined;
    const warnings: string[] = [];
    if (given !== undefined && own && asksOf(given.kind) !== wanted && invocation.preset === "own") {
      warnings.push(
        `--eval has ${EVALUATION_TITLES[given.kind].rows}, the training data ${EVALUATION_TITLES[wanted].rows}: ` +
          "it measures something else than what is trained",
      );
    }
    if (given !== undefined && asked === undefined) {
      return { train: data, evaluation: given, beside: undefined, warnings };
    }
    const { train, heldOut, warnings: why } = yield* cut(invocation, data);
    if (heldOut === undefined) {
      if (given === undefined) warnings.push(...why);
      return { train: data, evaluation: given, beside: undefined, warnings };
    }
    const set = { ...yield* measured(heldOut, wanted), source: text(values, flag) ?? "sample", heldOut: true };
    const trouble = yield* unusable(set);
    if (trouble !== undefined) {
      warnings.push(blind(trouble));
      return { train: data, evaluation: given, beside: undefined, warnings };
    }
    return given === undefined
      ? { train, evaluation: set, beside: undefined, warnings }
      : { train, evaluation: given, beside: set, warnings };
  },
);

/** The rows of `--eval`, or of the preset; plain texts of one's own are not held out, since they have nothing to measure. */
export const evaluationOfTexts: (
  invocation: Invocation,
  flag: Flag,
) => Effect.Effect<Pick<Parts<Columns>, "evaluation" | "warnings">, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, flag) {
    const { values } = invocation;
    if (values["eval"] !== undefined || !isOwn(values, flag)) {
      return { evaluation: yield* givenEvaluation(invocation, "similarity"), warnings: [] };
    }
    const why = "plain texts say nothing of what is similar, and there is no --eval";
    return { evaluation: undefined, warnings: [blind(why)] };
  },
);

/** Holds out `--hold-out` rows of a training's data. */
export const cut = <C extends Columns>(
  { values }: Invocation,
  data: Artifact<CountedDataset<C>>,
): Effect.Effect<Cut<C>, KindredError, Services> =>
  cutRows(data, { rows: optional(values, "hold-out"), seed: number(values, "seed") });
