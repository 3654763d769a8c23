/**
 * Retrieval from pairs: how well a model finds what belongs to each anchor among everything that belongs to any of them.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { nearest } from "../embed/nearest.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
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
  const negatives = Object.values(rest);
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

/**
 * sentence-transformers' InformationRetrievalEvaluator, from documents found: accuracy, precision and recall at 1, 3, 5
 * and 10, mrr@10, ndcg@10, map@100; means over all queries. Relevance is yes or no, the ideal ranking has all relevant
 * documents first, and average precision is divided by min(100, relevant).
 *
 * @param found Rows of the documents that were found for each query, best first; of equal scores the lower row first.
 * @param relevant Rows of the relevant documents, by query.
 * @param similarity The first part of the keys. Default cosine.
 * @returns Metrics by their names, `cosine_ndcg@10` and so on.
 * @throws {EvaluationError} There are no queries, or not a ranking for each.
 *
 * @example
 * ```ts
 * import { informationRetrievalMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const metrics = informationRetrievalMetrics([[1, 0]], [[0]]);
 * assert.equal(metrics["cosine_mrr@10"], .5);
 * assert.equal(metrics["cosine_accuracy@1"], 0);
 * ```
 */
export function informationRetrievalMetrics(
  found: readonly ArrayLike<number>[],
  relevant: readonly ArrayLike<number>[],
  similarity = "cosine",
): Record<string, number> {
  if (relevant.length === 0 || found.length !== relevant.length) {
    throw new EvaluationError("retrieval needs queries", {
      expected: "at least one query, and what was found for each",
      found: `${counted(relevant.length, "query")}, ${counted(found.length, "ranking")}`,
    });
  }
  const cuts = [1, 3, 5, 10] as const;
  const sums: Record<string, number> = {};
  const add = (name: string, value: number) =>
    sums[`${similarity}_${name}`] = (sums[`${similarity}_${name}`] ?? 0) + value;
  relevant.forEach((rows, query) => {
    const right = new Set(Array.from(rows));
    const gains = Float64Array.from(found[query]!, (row) => right.has(row) ? 1 : 0);
    for (const k of cuts) add(`accuracy@${k}`, hitAt(gains, k));
    for (const k of cuts) add(`precision@${k}`, precisionAt(gains, k));
    for (const k of cuts) add(`recall@${k}`, recallAt(gains, k, { relevant: right.size }));
    add("ndcg@10", ndcgAt(gains, 10, { ideal: new Float64Array(right.size).fill(1) }));
    add("mrr@10", reciprocalRankAt(gains, 10));
    add(`map@${RETRIEVAL_DEPTH}`, averagePrecisionAt(gains, RETRIEVAL_DEPTH, { relevant: right.size }));
  });
  return Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / relevant.length]));
}

/** What a retrieval gave. */
export interface RetrievalResult {
  /** By sentence-transformers' names. */
  readonly metrics: Record<string, number>;
  /** Where the first relevant document stands for each query, from 1; 0 if it is not among the first 100. */
  readonly ranks: Int32Array;
}

/** Documents found for each query, and what they are worth. */
export function retrievalResult(
  found: readonly ArrayLike<number>[],
  relevant: readonly ArrayLike<number>[],
): RetrievalResult {
  const ranks = Int32Array.from(relevant, (rows, query) => {
    const right = new Set(Array.from(rows));
    return 1 + Array.from(found[query]!).findIndex((row) => right.has(row));
  });
  return { metrics: informationRetrievalMetrics(found, relevant), ranks };
}

/**
 * Finds documents for queries by cosine, and says what they are worth.
 *
 * @param engine Computes.
 * @param queries [queries, width]
 * @param documents [documents, width]
 * @param relevant Rows of the relevant documents, by query.
 * @returns Metrics, and where the first relevant document of each query stands.
 */
export async function evaluateRetrieval(
  engine: Engine,
  queries: Embeddings,
  documents: Embeddings,
  relevant: readonly ArrayLike<number>[],
): Promise<RetrievalResult> {
  const { indices, counts, k } = await nearest(engine, queries, documents, { k: RETRIEVAL_DEPTH });
  return retrievalResult(
    Array.from(counts, (count, query) => indices.subarray(query * k, query * k + count)),
    relevant,
  );
}
