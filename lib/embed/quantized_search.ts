/**
 * Exact search in corpora of any precision, with queries as they were computed: sentence-transformers'
 * `semantic_search_faiss` and `semantic_search_usearch` with `rescore`.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { DatasetError } from "../error.ts";
import { expectOneOf, expectWholeNumber } from "../expect.ts";
import { addItem, sortBest } from "./best.ts";
import { type BinaryEmbeddings, nearestBits } from "./hamming.ts";
import { NEAREST_SIMILARITIES, type NearestSimilarity } from "./blocks.ts";
import { nearest, type Neighbors } from "./nearest.ts";
import type { Embeddings } from "./pairwise.ts";
import {
  dequantizeEmbeddings,
  isBinary,
  type QuantizedEmbeddings,
  quantizeEmbeddings,
  rowDecoder,
} from "./quantize.ts";

/** Options of {@linkcode nearestQuantized}. */
export interface QuantizedSearchOptions {
  /** Neighbours of each query. Default 10. */
  readonly k?: number;
  /** Default cosine; that with a zero vector is 0. */
  readonly similarity?: NearestSimilarity;
  /** Of bits, so many times k rows that differ in the fewest are compared with the query itself. Default 4. */
  readonly rescoreMultiplier?: number;
  /** The same corpus in a precision that tells more, to compare those rows by. Default: the bits again. */
  readonly rescoreWith?: QuantizedEmbeddings | undefined;
}

/** Rows of a corpus that are float32 at a time. */
const PIECE_ROWS = 4096;

/**
 * The k rows of a corpus, of whatever precision, that are most similar to each query.
 *
 * A corpus of bits is searched by the bits that differ from those of the query, for `rescoreMultiplier` times k
 * candidates, and these are ordered by their similarity with the query itself; the bits stand for 1 and −1 in a cosine,
 * and for 1 and 0 in a dot product, as in sentence-transformers: the order is the same. Of equal candidates the lower row
 * comes first. A corpus of numbers is compared with the query itself row for row, a piece of it in float32 at a time:
 * that is sentence-transformers' result with every row a candidate, and needs no rescoring.
 *
 * @param engine Computes the products.
 * @param queries [n, width] embeddings, not quantised.
 * @param corpus [m, width] embeddings of some precision.
 * @param options How many, by which similarity, among how many candidates.
 * @returns The neighbours of each query, best first.
 * @throws {DatasetError} Embeddings of another width, or `rescoreWith` of another corpus.
 * @throws {UsageError} A number that is no whole number from 1, or no such similarity.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { nearest, nearestQuantized, quantizeEmbeddings, recallOf } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const data = Float32Array.from({ length: 100 * 32 }, (_, i) => Math.sin(i * i));
 * const corpus = { data, width: 32, rows: 100 };
 * const queries = { data: data.slice(0, 5 * 32), width: 32, rows: 5 };
 * const bits = quantizeEmbeddings(corpus, "ubinary"); // 4 bytes a row instead of 128
 * const found = await nearestQuantized(engine, queries, bits, { k: 10, rescoreMultiplier: 4 });
 * assert.deepEqual([found.indices[0], found.indices[10]], [0, 1]);
 * const recall = recallOf(found, await nearest(engine, queries, corpus, { k: 10 }));
 * assert.ok(recall > .5 && recall <= 1);
 * engine.close();
 * ```
 */
export async function nearestQuantized(
  engine: Engine,
  queries: Embeddings,
  corpus: QuantizedEmbeddings,
  options: QuantizedSearchOptions = {},
): Promise<Neighbors> {
  const { k = 10, similarity = "cosine", rescoreMultiplier = 4, rescoreWith } = options;
  expectWholeNumber("k", k);
  expectWholeNumber("rescoreMultiplier", rescoreMultiplier);
  expectOneOf("similarity", similarity, NEAREST_SIMILARITIES);
  if (corpus.width !== queries.width || corpus.data.length !== corpus.rows * corpus.columns) {
    throw new DatasetError("queries and corpus do not fit together", {
      expected: `${corpus.rows} × ${queries.width} features`,
      found: `${corpus.width} features, ${corpus.data.length} values of ${corpus.columns} a row`,
      hint: "embed both with the same model, and quantise them alike",
    });
  }
  if (!isBinary(corpus.precision)) {
    return await nearest(engine, queries, piecesOf(corpus), { k, similarity });
  }
  if (rescoreWith !== undefined && (rescoreWith.rows !== corpus.rows || rescoreWith.width !== corpus.width)) {
    throw new DatasetError("rescoreWith must be the same corpus", {
      expected: `${corpus.rows} × ${corpus.width}`,
      found: `${rescoreWith.rows} × ${rescoreWith.width}`,
    });
  }
  const bits = quantizeEmbeddings(queries, "ubinary");
  const candidates = await nearestBits(bits, corpus as BinaryEmbeddings, { k: k * rescoreMultiplier });
  return rescored(queries, candidates, rescoreWith ?? corpus, Math.min(k, corpus.rows), similarity);
}

/** A corpus as float32, some rows at a time. */
function* piecesOf(corpus: QuantizedEmbeddings): Generator<Embeddings> {
  for (let row = 0; row < corpus.rows; row += PIECE_ROWS) {
    yield dequantizeEmbeddings(corpus, row, Math.min(corpus.rows, row + PIECE_ROWS));
  }
}

/** The best k of each query's candidates, by its similarity with their rows. */
function rescored(
  { data, width, rows: n }: Embeddings,
  candidates: Neighbors,
  corpus: QuantizedEmbeddings,
  k: number,
  similarity: NearestSimilarity,
): Neighbors {
  const most = candidates.k;
  // All candidates, sorted; the first k of them are kept.
  const scores = new Float32Array(most);
  const items = new Int32Array(most);
  const found = { indices: new Int32Array(n * k).fill(-1), scores: new Float32Array(n * k).fill(-Infinity) };
  const counts = new Int32Array(n);
  const decode = rowDecoder(corpus);
  const y = new Float32Array(width);
  const isDotOfBits = similarity === "dot" && isBinary(corpus.precision);
  for (let query = 0; query < n; query++) {
    const x = data.subarray(query * width, (query + 1) * width);
    const [sum, squares] = [x.reduce((sum, value) => sum + value, 0), x.reduce((sum, value) => sum + value * value, 0)];
    const size = candidates.counts[query]!;
    for (let i = 0; i < size; i++) {
      const row = candidates.indices[query * most + i]!;
      decode(row, y, 0);
      let [dot, length] = [0, 0];
      for (let feature = 0; feature < width; feature++) {
        dot += x[feature]! * y[feature]!;
        length += y[feature]! * y[feature]!;
      }
      // x · bits of 0 and 1 = (x · signs + Σ x) / 2
      const score = isDotOfBits
        ? (dot + sum) / 2
        : similarity === "dot"
        ? dot
        : dot / Math.sqrt(squares * length || Infinity);
      addItem(scores, items, 0, i, score, row);
    }
    sortBest(scores, items, 0, size);
    counts[query] = Math.min(k, size);
    found.indices.set(items.subarray(0, counts[query]!), query * k);
    found.scores.set(scores.subarray(0, counts[query]!), query * k);
  }
  return { ...found, counts, k, queries: n };
}

/**
 * The share of the neighbours that an exact search finds which another one finds as well: recall@k, the mean over queries.
 *
 * @param found What is judged.
 * @param exact What is right.
 * @returns From 0 to 1; 1 where there is nothing to be found.
 * @throws {DatasetError} They are of another number of queries.
 *
 * @example
 * ```ts
 * import { recallOf } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const of = (...rows: number[]) => {
 *   const indices = Int32Array.from(rows);
 *   return { indices, scores: new Float32Array(2), counts: Int32Array.of(2), k: 2, queries: 1 };
 * };
 * assert.equal(recallOf(of(3, 7), of(7, 9)), .5);
 * ```
 */
export function recallOf(found: Neighbors, exact: Neighbors): number {
  if (found.queries !== exact.queries) {
    throw new DatasetError("a search is judged by that of the same queries", {
      expected: `${exact.queries}`,
      found: `${found.queries}`,
    });
  }
  let [shares, queries] = [0, 0];
  for (let query = 0; query < exact.queries; query++) {
    const of = ({ indices, counts, k }: Neighbors) => indices.subarray(query * k, query * k + counts[query]!);
    const right = of(exact);
    if (right.length === 0) continue;
    const seen = new Set(of(found));
    shares += right.reduce((count, row) => count + (seen.has(row) ? 1 : 0), 0) / right.length;
    queries++;
  }
  return queries === 0 ? 1 : shares / queries;
}
