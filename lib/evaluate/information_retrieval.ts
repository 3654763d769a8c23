/**
 * Retrieval from pairs: how well a model finds what belongs to each anchor among everything that belongs to any of them.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { NearestSimilarity } from "../embed/blocks.ts";
import { searchByPieces } from "../embed/nearest.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError, UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { averagePrecisionAt, hitAt, ndcgAt, precisionAt, recallAt, reciprocalRankAt } from "./ranking.ts";

/** Queries, documents, and which documents are right for which query. */
export interface PairRetrieval {
  /** Distinct anchors, in order of first occurrence. */
  readonly queries: readonly string[];
  /** Distinct positives and negatives, in order of first occurrence. */
  readonly documents: readonly string[];
  /** Rows of the documents that are relevant, by query. */
  readonly relevant: readonly Int32Array[];
}

/** Columns of texts: anchors, their positives, and any number of columns of negatives. */
export interface RetrievalColumns {
  /** What is looked for. */
  readonly anchor: readonly string[];
  /** What should be found. */
  readonly positive: readonly string[];
  /** Further documents, which should not. */
  readonly [negatives: string]: readonly string[];
}

/**
 * A task from rows of pairs or triplets: equal texts are one query or one document, and every positive that an anchor has
 * in any row is relevant to it.
 *
 * @param columns Anchors, positives and columns of negatives, row by row.
 * @returns Queries, documents, and which are relevant.
 *
 * @example
 * ```ts
 * import { pairRetrieval } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const task = pairRetrieval({ anchor: ["a", "b", "a"], positive: ["x", "x", "y"], negative: ["n", "x", "n"] });
 * assert.deepEqual(task.documents, ["x", "n", "y"]);
 * assert.deepEqual(task.relevant.map((rows) => [...rows]), [[0, 2], [0]]);
 * ```
 */
export function pairRetrieval(columns: RetrievalColumns): PairRetrieval {
  const { anchor, positive, ...rest } = columns;
  const negatives = Object.values(rest).filter((column) => Array.isArray(column)); // beside them a teacher may have scores
  const queries = new Map<string, Set<number>>();
  const documents = new Map<string, number>();
  const documentOf = (text: string) => {
    const known = documents.get(text);
    if (known === undefined) documents.set(text, documents.size);
    return known ?? documents.size - 1;
  };
  anchor.forEach((query, row) => {
    const document = documentOf(positive[row]!);
    const relevant = queries.get(query);
    if (relevant === undefined) queries.set(query, new Set([document]));
    else relevant.add(document);
    for (const column of negatives) documentOf(column[row]!);
  });
  return {
    queries: [...queries.keys()],
    documents: [...documents.keys()],
    relevant: Array.from(queries.values(), (rows) => Int32Array.from(rows)),
  };
}

/** Ranks that are looked at: MAP looks at the deepest. */
export const RETRIEVAL_DEPTH = 100;

/** How deep each measure looks: sentence-transformers' `…_at_k`. */
export interface RetrievalCuts {
  /** Whether anything relevant is among the first k. Default 1, 3, 5, 10. */
  readonly accuracyAt?: readonly number[] | undefined;
  /** Default 1, 3, 5, 10. */
  readonly precisionRecallAt?: readonly number[] | undefined;
  /** Default 10. */
  readonly ndcgAt?: readonly number[] | undefined;
  /** Default 10. */
  readonly mrrAt?: readonly number[] | undefined;
  /** Default 100. */
  readonly mapAt?: readonly number[] | undefined;
}

/** Options of {@linkcode informationRetrievalMetrics}. */
export interface InformationRetrievalOptions extends RetrievalCuts {
  /** The first part of the keys. Default cosine. */
  readonly similarity?: string | undefined;
}

const SHALLOW: readonly number[] = [1, 3, 5, 10];

function cutsOf(cuts: RetrievalCuts): Readonly<Record<keyof RetrievalCuts, readonly number[]>> {
  const { accuracyAt = SHALLOW, precisionRecallAt = SHALLOW, ndcgAt = [10], mrrAt = [10], mapAt = [RETRIEVAL_DEPTH] } =
    cuts;
  const all = { accuracyAt, precisionRecallAt, ndcgAt, mrrAt, mapAt };
  for (const [name, list] of Object.entries(all)) for (const k of list) expectWholeNumber(name, k);
  if (Object.values(all).every((list) => list.length === 0)) {
    throw new UsageError("no measure of retrieval is asked for", { expected: "a depth for at least one of them" });
  }
  return all;
}

/**
 * sentence-transformers' InformationRetrievalEvaluator, from documents found: accuracy, precision and recall at 1, 3, 5
 * and 10, mrr@10, ndcg@10, map@100, or at other depths; means over all queries. Relevance is yes or no, the ideal ranking
 * has all relevant documents first, and average precision is divided by min(k, relevant).
 *
 * @param found Rows of the documents that were found for each query, best first; of equal scores the lower row first.
 * @param relevant Rows of the relevant documents, by query.
 * @param options How deep each measure looks, and what keys begin with.
 * @returns Metrics by their names, `cosine_ndcg@10` and so on.
 * @throws {EvaluationError} There are no queries, or not a ranking for each.
 * @throws {UsageError} A depth that is not a whole number from 1, or none at all.
 *
 * @example
 * ```ts
 * import { informationRetrievalMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const metrics = informationRetrievalMetrics([[1, 0]], [[0]], { ndcgAt: [1, 10] });
 * assert.equal(metrics["cosine_mrr@10"], .5);
 * assert.equal(metrics["cosine_accuracy@1"], 0);
 * assert.equal(metrics["cosine_ndcg@1"], 0);
 * ```
 */
export function informationRetrievalMetrics(
  found: readonly ArrayLike<number>[],
  relevant: readonly ArrayLike<number>[],
  options: InformationRetrievalOptions = {},
): Record<string, number> {
  return meansOf(informationRetrievalValues(found, relevant, options));
}

/** The mean of each list. */
function meansOf(values: Readonly<Record<string, Float64Array>>): Record<string, number> {
  const mean = (list: Float64Array) => list.reduce((sum, value) => sum + value, 0) / list.length;
  return Object.fromEntries(Object.entries(values).map(([name, list]) => [name, mean(list)]));
}

/**
 * The values whose means {@linkcode informationRetrievalMetrics} gives: what intervals and differences are made of.
 *
 * @param found Rows of the documents that were found for each query, best first.
 * @param relevant Rows of the relevant documents, by query.
 * @param options How deep each measure looks, and what keys begin with.
 * @returns [queries] by key.
 * @throws {EvaluationError} There are no queries, or not a ranking for each.
 *
 * @example
 * ```ts
 * import { informationRetrievalValues } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const values = informationRetrievalValues([[1, 0], [0, 1]], [[0], [0]]);
 * assert.deepEqual([...values["cosine_mrr@10"]!], [.5, 1]);
 * ```
 */
export function informationRetrievalValues(
  found: readonly ArrayLike<number>[],
  relevant: readonly ArrayLike<number>[],
  options: InformationRetrievalOptions = {},
): Record<string, Float64Array> {
  const { similarity = "cosine" } = options;
  if (relevant.length === 0 || found.length !== relevant.length) {
    throw new EvaluationError("retrieval needs queries", {
      expected: "at least one query, and what was found for each",
      found: `${counted(relevant.length, "query")}, ${counted(found.length, "ranking")}`,
    });
  }
  const cuts = cutsOf(options);
  const values: Record<string, Float64Array> = {};
  relevant.forEach((rows, query) => {
    const right = new Set(Array.from(rows));
    const gains = Float64Array.from(found[query]!, (row) => right.has(row) ? 1 : 0);
    const ideal = new Float64Array(right.size).fill(1);
    const set = (name: string, value: number) =>
      (values[`${similarity}_${name}`] ??= new Float64Array(relevant.length))[query] = value;
    for (const k of cuts.accuracyAt) set(`accuracy@${k}`, hitAt(gains, k));
    for (const k of cuts.precisionRecallAt) set(`precision@${k}`, precisionAt(gains, k));
    for (const k of cuts.precisionRecallAt) set(`recall@${k}`, recallAt(gains, k, { relevant: right.size }));
    for (const k of cuts.ndcgAt) set(`ndcg@${k}`, ndcgAt(gains, k, { ideal }));
    for (const k of cuts.mrrAt) set(`mrr@${k}`, reciprocalRankAt(gains, k));
    for (const k of cuts.mapAt) set(`map@${k}`, averagePrecisionAt(gains, k, { relevant: right.size }));
  });
  return values;
}

/** What a retrieval gave. */
export interface RetrievalResult {
  /** By sentence-transformers' names, each similarity's after the other's. */
  readonly metrics: Record<string, number>;
  /** [queries] by the same names: what the metrics are the means of. */
  readonly values: Record<string, Float64Array>;
  /** Where the first relevant document stands for each query, from 1; 0 if it was not found. By the first similarity. */
  readonly ranks: Int32Array;
}

/** Options of {@linkcode evaluateRetrieval}. */
export interface EvaluateRetrievalOptions extends RetrievalCuts {
  /** Measured beside each other, in one pass over the documents. Default: cosine alone. */
  readonly similarities?: readonly NearestSimilarity[] | undefined;
}

/**
 * sentence-transformers' InformationRetrievalEvaluator: finds documents for queries, and says what they are worth.
 *
 * Documents may come in pieces, which are let go of: memory holds one of them, and the best rows of each query. Of equal
 * scores the lower row is found first; the reference has the lower id first, so that documents in the order of their ids
 * give its order.
 *
 * @param engine Computes.
 * @param queries [queries, width]
 * @param documents [documents, width], or pieces of them.
 * @param relevant Rows of the relevant documents, by query.
 * @param options By which similarities, and how deep each measure looks.
 * @returns Metrics, their values by query, and where the first relevant document of each query stands.
 * @throws {EvaluationError} There are no queries.
 * @throws {DatasetError} Embeddings of another width, or that are not finite.
 * @throws {UsageError} A depth that is not a whole number from 1, or none at all; or no such similarity.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { evaluateRetrieval } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const queries = { data: Float32Array.of(1, 0), width: 2, rows: 1 };
 * const pieces = [
 *   { data: Float32Array.of(1, 1), width: 2, rows: 1 },
 *   { data: Float32Array.of(.1, 0), width: 2, rows: 1 },
 * ];
 * const { metrics } = await evaluateRetrieval(engine, queries, pieces, [[1]], { similarities: ["cosine", "dot"] });
 * assert.equal(metrics["cosine_accuracy@1"], 1);
 * assert.equal(metrics["dot_accuracy@1"], 0); // the other one is longer
 * engine.close();
 * ```
 */
export async function evaluateRetrieval(
  engine: Engine,
  queries: Embeddings,
  documents: Embeddings | Iterable<Embeddings> | AsyncIterable<Embeddings>,
  relevant: readonly ArrayLike<number>[],
  options: EvaluateRetrievalOptions = {},
): Promise<RetrievalResult> {
  const { similarities = ["cosine"], ...cuts } = options;
  const depth = Math.max(...Object.values(cutsOf(cuts)).flat());
  const searches = similarities.map((similarity) => searchByPieces(engine, queries, depth, { similarity }));
  for await (const piece of "data" in documents ? [documents] : documents) {
    for (const search of searches) await search.add(piece);
  }
  const found = searches.map((search) => {
    const { indices, counts, k } = search.neighbors();
    return Array.from(counts, (count, query) => indices.subarray(query * k, query * k + count));
  });
  const all = similarities.map((similarity, i) =>
    informationRetrievalValues(found[i]!, relevant, { ...cuts, similarity })
  );
  const values: Record<string, Float64Array> = Object.assign({}, ...all);
  const ranks = Int32Array.from(relevant, (rows, query) => {
    const right = new Set(Array.from(rows));
    return 1 + Array.from(found[0]![query]!).findIndex((row) => right.has(row));
  });
  return { metrics: meansOf(values), values, ranks };
}
