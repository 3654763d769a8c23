/**
 * Evaluations of whole tables: of a cross-encoder on pairs or lists, and of a bi-encoder on lists.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { readCrossEncoderFolder } from "../checkpoint/cross_encoder.ts";
import { type ColumnMapping, isNamed, LIST_ROLES, nameFor } from "../data/column_names.ts";
import { asLabelledPairs, asScoredPairs } from "../data/columns.ts";
import type { Dataset, RankedDocuments } from "../data/dataset.ts";
import { asRankedDocuments, listOffsets } from "../data/lists.ts";
import type { Columns } from "../data/rows.ts";
import type { Table } from "../data/table_builder.ts";
import { type Embeddings, pairwiseSimilarities, rowsOf } from "../embed/pairwise.ts";
import { roleEncoder } from "../embed/roles.ts";
import type { Engine } from "../engine/engine.ts";
import { listRanking } from "../evaluate/cross_encoder_metrics.ts";
import type { KindredError } from "../error.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import type { CrossEncoder } from "../model/cross_encoder.ts";
import type { Metrics } from "../train/record.ts";
import type { ScoreColumns } from "./pair_evaluation.ts";
import { judged, type RelevanceParameters } from "./stages/judge_metrics.ts";

/** What is asked of whole tables. */
export type WholeTask = "reranking" | "pair-scores" | "pair-classes";

/** Columns of each. */
export const WHOLE_ROLES: Readonly<Record<WholeTask, readonly string[]>> = {
  "reranking": ["query", "documents", "labels"],
  "pair-scores": ["sentence1", "sentence2", "score"],
  "pair-classes": ["premise", "hypothesis", "label"],
};

/** How many labels a cross-encoder has, by its folder; nothing of a bi-encoder. */
export const judgeLabels = (folder: string): Effect.Effect<number | undefined, KindredError> =>
  attempt(async () => (await readCrossEncoderFolder(folder)).labels);

/**
 * What a table is for, as a whole: lists, by their documents; of a cross-encoder's pairs, those with a class where the model
 * has several labels, else those with a score. Nothing, where a bi-encoder takes the rows some at a time.
 */
export function wholeTaskOf(table: Table, mapping: ColumnMapping, labels: number | undefined): WholeTask | undefined {
  const documents = nameFor(table, "documents", mapping);
  const cells: readonly unknown[] | undefined = documents === undefined ? undefined : table.columns.get(documents);
  if (cells?.some(Array.isArray) || "documents" in mapping || isByDocument(table, mapping)) return "reranking";
  if (labels === undefined) return undefined;
  const isClass = "label" in mapping || (isNamed(table, "label") && !table.names.includes("score"));
  return isClass && labels > 1 && !("score" in mapping) ? "pair-classes" : "pair-scores";
}

/** Whether rows are those of lists, a document each: they have the columns of lists, and no sentences. */
const isByDocument = (table: Table, mapping: ColumnMapping) =>
  LIST_ROLES.every((role) => role in mapping || isNamed(table, role)) && !isNamed(table, "sentence1") &&
  Object.keys(mapping).every((role) => LIST_ROLES.some((ours) => ours === role));

/** Metrics, and what the model said of every row. */
export interface WholeEvaluation {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** Every row with its score, for a table. */
  readonly columns: ScoreColumns;
  /** Rows that were measured: pairs, or documents of lists. */
  readonly rows: number;
}

/** Evaluates a cross-encoder on the rows of a table. */
export async function evaluateJudge(
  engine: Engine,
  model: CrossEncoder,
  task: WholeTask,
  table: Table,
  { mapping, ...parameters }: RelevanceParameters & { readonly mapping: ColumnMapping },
): Promise<WholeEvaluation> {
  const rows: Dataset<Columns> = task === "reranking"
    ? asRankedDocuments(table, mapping)
    : task === "pair-classes"
    ? asLabelledPairs(table, mapping).dataset
    : asScoredPairs(table, mapping);
  const { metrics, predictions: { data, width } } = await judged(engine, model, rows, parameters);
  const said = Object.fromEntries(Array.from({ length: width }, (_, label) => [
    width === 1 ? "prediction" : `prediction_${label}`,
    Float64Array.from({ length: data.length / width }, (_, row) => data[row * width + label]!),
  ]));
  return { metrics, columns: { ...withoutPlaces(rows.columns), ...said }, rows: rows.rows };
}

/** Ranks the documents of lists by their cosine with the query. */
export async function evaluateListsByCosine(
  engine: Engine,
  model: BiEncoder,
  lists: Dataset<RankedDocuments>,
  { relevantFrom }: RelevanceParameters,
): Promise<WholeEvaluation> {
  const { query, document, relevance } = lists.columns;
  const encode = roleEncoder(engine, model);
  const embedded = async (texts: readonly string[], role: "query" | "document"): Promise<Embeddings> => {
    const distinct = [...new Set(texts)];
    const places = new Map(distinct.map((text, place) => [text, place]));
    return rowsOf(await encode(distinct, role), Int32Array.from(texts, (text) => places.get(text)!));
  };
  const { cosine } = pairwiseSimilarities(await embedded(query, "query"), await embedded(document, "document"));
  const metrics = listRanking(listOffsets(lists), relevance, cosine, { relevantFrom });
  return { metrics, columns: { query, document, relevance, cosine }, rows: lists.rows };
}

/** Which list a document is of, its query says. */
function withoutPlaces({ list: _, ...columns }: Columns): ScoreColumns {
  return columns as ScoreColumns;
}
