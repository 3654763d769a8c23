/**
 * Rows that a script has in memory: pairs, graded pairs, labelled texts, each with a loss that fits.
 *
 * @module
 */
import { checkCosineScores, OR_COSENT } from "../data/cosine_scores.ts";
import type { LabelledTexts, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";
import type { Dataset } from "../data/dataset.ts";
import { datasetOf } from "../data/rows.ts";
import { UsageError } from "../error.ts";
import { losses, type LossSpec } from "../loss/named.ts";
import type { EvaluationKind } from "../pipeline/stages/evaluate_rows.ts";
import type { Field } from "../train/fields.ts";
import { A_LIST, A_LOSS, A_TEXT, AN_OBJECT, checkNumbers } from "./fields.ts";

/** What belongs together, row by row. */
export interface PairColumns {
  /** Questions, or whatever looks for something. */
  readonly anchor: readonly string[];
  /** What belongs to each. */
  readonly positive: readonly string[];
  /** What does not, if there is such a column. */
  readonly negative?: readonly string[];
  /** Default multiple-negatives ranking. */
  readonly loss?: LossSpec<"none">;
}

/** Pairs with a similarity, row by row. */
export interface ScoredColumns {
  /** First text. */
  readonly sentence1: readonly string[];
  /** Second text. */
  readonly sentence2: readonly string[];
  /** Their similarity; the default loss wants −1 to 1. */
  readonly score: ArrayLike<number>;
  /** Default cosine similarity. */
  readonly loss?: LossSpec<"score">;
}

/** Texts with a label, row by row. */
export interface LabelColumns {
  /** The texts. */
  readonly text: readonly string[];
  /** Their labels: words or numbers. */
  readonly label: readonly (string | number)[];
  /** Default batch-all triplets. */
  readonly loss?: LossSpec<"class">;
}

/** Rows, what a model that was trained on them is asked, and their loss. */
export interface GivenRows {
  /** What is asked. */
  readonly kind: EvaluationKind;
  /** The rows. */
  readonly rows: Dataset;
  /** The loss. */
  readonly loss: LossSpec;
}

/** What columns may be. */
export const ROW_FIELDS: Readonly<Record<string, Field>> = {
  anchor: A_LIST,
  positive: A_LIST,
  negative: A_LIST,
  sentence1: A_LIST,
  sentence2: A_LIST,
  score: A_LIST,
  text: A_LIST,
  label: A_LIST,
  loss: A_LOSS,
};

/** What prompts may be. */
export const COLUMN_PROMPTS: Field = {
  expected: 'a text, or texts by the names of columns, such as { anchor: "query: " }',
  is: (value) =>
    A_TEXT.is(value) || (AN_OBJECT.is(value) && Object.values(value as object).every((text) => A_TEXT.is(text))),
};

/** Columns that make rows together. */
const FORMS = {
  retrieval: ["anchor", "positive", "negative"],
  similarity: ["sentence1", "sentence2", "score"],
  labels: ["text", "label"],
} as const satisfies Partial<Record<EvaluationKind, readonly string[]>>;

/** What the columns are together: one that none of the others goes with would not be read. */
function formOf(columns: Readonly<Record<string, unknown>>): keyof typeof FORMS {
  const given = Object.values(FORMS).flat().filter((name) => columns[name] !== undefined);
  const forms = Object.keys(FORMS) as (keyof typeof FORMS)[];
  const form = forms.find((form) => given.every((name) => (FORMS[form] as readonly string[]).includes(name)));
  if (form !== undefined) return form;
  throw new UsageError("these columns do not make rows together", {
    expected: "anchor, positive and perhaps negative; sentence1, sentence2 and score; or text and label",
    found: given.join(", "),
  });
}

/** The rows of columns, under their loss or the usual one. */
export function rowsGiven(columns: PairColumns | ScoredColumns | LabelColumns): GivenRows {
  const given = rowsOf(columns);
  if (given.rows.rows > 0) return given;
  throw new UsageError("there are no rows to train on", { expected: "at least one" });
}

function rowsOf(columns: PairColumns | ScoredColumns | LabelColumns): GivenRows {
  const form = formOf({ ...columns });
  if (form === "similarity") {
    const { sentence1, sentence2, score, loss = losses.cosineSimilarity() } = columns as ScoredColumns;
    checkNumbers(score, "score");
    if (innermost(loss).name === "cosine_similarity") checkCosineScores(score, (row) => `score[${row}]`, OR_COSENT);
    const rows = datasetOf<ScoredPairs>({ sentence1, sentence2, score: Float64Array.from(score) });
    return { kind: "similarity", rows, loss };
  }
  if (form === "labels") {
    const { text, label, loss = losses.batchAllTriplet() } = columns as LabelColumns;
    checkLabels(label);
    const classes = new Map([...new Set(label)].map((name, number) => [name, number]));
    const numbers = Int32Array.from(label, (name) => classes.get(name)!);
    return { kind: "labels", rows: datasetOf<LabelledTexts>({ text, label: numbers }), loss };
  }
  const { anchor, positive, negative, loss = losses.multipleNegativesRanking() } = columns as PairColumns;
  const texts = negative === undefined ? { anchor, positive } : { anchor, positive, negative };
  return { kind: "retrieval", rows: datasetOf<Pairs | Triplets>(texts), loss };
}

/** The loss that another may be put around. */
const innermost = (loss: LossSpec): LossSpec =>
  loss.name === "matryoshka" ? (loss.options as { readonly inner: LossSpec }).inner : loss;

/** Labels are words or numbers: a gap would become a class of its own. */
function checkLabels(labels: readonly unknown[] | undefined): void {
  const row = Array.from(labels ?? [undefined], (label) => typeof label === "string" || Number.isFinite(label)).indexOf(
    false,
  );
  if (row < 0) return;
  throw new UsageError("label must be a list of words or numbers", {
    where: `label[${row}]`,
    expected: "a word or a number",
    found: String(labels?.[row]),
    hint: "leave out texts without a label",
  });
}
