/**
 * Exact nearest neighbours by blocks: the largest products of each row are found on the engine, and the k best of each
 * query, which go on from tile to tile, come to the host when a block of the corpus has been seen.
 *
 * The cpu engine multiplies rows in numbers of 8 bits first, bounds how far off that may be, and multiplies in float32 what
 * may be among the best: the result is the same, to the last bit.
 *
 * Memory on the engine is a block of the corpus, one of queries and one tile of scores (4 MiB as it comes) with its rows in 8
 * bits, however large the corpus is.
 *
 * @module
 */
import { type Engine, type Handle, scope, scopeAsync } from "../engine/engine.ts";
import { DatasetError } from "../error.ts";
import { expectOneOf, expectWholeNumber } from "../expect.ts";
import { giveBack } from "../numeric/give_back.ts";
import { checkEmbeddings, NEAREST_SIMILARITIES, type NearestSimilarity, readBest, uploadRows } from "./blocks.ts";
import type { Embeddings } from "./pairwise.ts";

/** Rows of the corpus in one tile of scores, which then stays in a cache until the best of it are found. */
const TILE_ROWS = 1024;

/** Options of {@linkcode nearest}. */
export interface NearestOptions {
  /** Neighbours of each query. Default 10. */
  readonly k?: number;
  /** Default cosine; that with a zero vector is 0. */
  readonly similarity?: NearestSimilarity;
  /** Query i is row i of the corpus and no neighbour of its own. Default false. */
  readonly excludeSelf?: boolean;
  /** Rows of the corpus that are on the engine at once. Default 16,384. */
  readonly blockRows?: number;
  /** Queries that are compared with them at once. Default 1024. */
  readonly queryRows?: number;
}

/** The neighbours of n queries, best first; of equal scores the lower row first. */
export interface Neighbors {
  /** [n · k] rows of the corpus. */
  readonly indices: Int32Array;
  /** [n · k] their similarities. */
  readonly scores: Float32Array;
  /** [n] how many each query has: k. */
  readonly counts: Int32Array;
  /** Columns of the two: as many as were asked for, or fewer, if the corpus cannot give so many. */
  readonly k: number;
  /** n */
  readonly queries: number;
}

/**
 * The k rows of a corpus that are most similar to each query, exactly.
 *
 * The corpus may come in pieces (an iterable), so that it need not be in memory at once: rows are counted through. A k
 * beyond the corpus gives all of it.
 *
 * @param engine Computes the products.
 * @param queries [n, width] embeddings.
 * @param corpus [m, width] embeddings, or pieces of them.
 * @param options How many, by which similarity, in blocks of which size.
 * @returns The neighbours of each query, best first.
 * @throws {DatasetError} Embeddings of another width, or that are not finite; queries that are not in the corpus, with
 *   `excludeSelf`.
 * @throws {UsageError} A k or a size of blocks that is not a whole number from 1, or no such similarity.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { nearest } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const corpus = { data: Float32Array.of(1, 0, 0, 1, 3, 4), width: 2, rows: 3 };
 * const query = { data: Float32Array.of(0, 2), width: 2, rows: 1 };
 * const { indices, scores } = await nearest(engine, query, corpus, { k: 2 });
 * assert.deepEqual([...indices], [1, 2]);
 * assert.ok(Math.abs(scores[1]! - .8) < 1e-6);
 * engine.close();
 * ```
 */
export async function nearest(
  engine: Engine,
  queries: Embeddings,
  corpus: Embeddings | Iterable<Embeddings> | AsyncIterable<Embeddings>,
  options: NearestOptions = {},
): Promise<Neighbors> {
  const { excludeSelf = false } = options;
  expectWholeNumber("k", options.k ?? 10);
  const whole = "data" in corpus ? corpus : undefined;
  if (excludeSelf && whole !== undefined) expectQueriesIn(whole.rows, queries.rows);
  const search = searchByPieces(engine, queries, options.k ?? 10, options);
  for await (const piece of whole === undefined ? corpus as AsyncIterable<Embeddings> : [whole]) {
    await search.add(piece);
  }
  return search.neighbors();
}

/** With `excludeSelf` the corpus begins with the queries. */
function expectQueriesIn(rows: number, queries: number): void {
  if (rows >= queries) return;
  throw new DatasetError("with excludeSelf the queries must be the first rows of the corpus", {
    expected: `at least ${queries} rows, the queries first`,
    found: `${rows}`,
  });
}

/** A search that is offered its corpus piece by piece. */
export interface PiecewiseSearch {
  /** Looks through the next rows of the corpus; nothing of them is kept but rows and scores of the best. */
  readonly add: (piece: Embeddings) => Promise<void>;
  /** The neighbours among all rows so far: it ends the search. Throws where `excludeSelf` finds fewer rows than queries. */
  readonly neighbors: () => Neighbors;
}

/**
 * Begins a search through a corpus that comes in pieces: {@linkcode nearest}, turned inside out, so that several searches
 * can look at one piece before the next is made.
 *
 * @param engine Computes the products.
 * @param queries [n, width] embeddings.
 * @param k Neighbours of each query, at most.
 * @param options By which similarity, in blocks of which size.
 * @returns What takes the pieces.
 * @throws {DatasetError} Embeddings that are not finite.
 * @throws {UsageError} A size of blocks that is not a whole number from 1, or no such similarity.
 */
export function searchByPieces(
  engine: Engine,
  queries: Embeddings,
  k: number,
  options: Omit<NearestOptions, "k"> = {},
): PiecewiseSearch {
  const { similarity = "cosine", excludeSelf = false, blockRows = 16_384, queryRows = 1024 } = options;
  expectOneOf("similarity", similarity, NEAREST_SIMILARITIES);
  expectWholeNumber("blockRows", blockRows);
  expectWholeNumber("queryRows", queryRows);
  checkEmbeddings(queries, "the queries");
  const n = queries.rows;
  const most = excludeSelf ? k + 1 : k; // the query itself may be the best of its row
  let size = 0; // columns of the two: no more than rows that were seen, however many are asked for
  let scores = new Float32Array(0);
  let indices = new Int32Array(0);
  let passed = 0; // rows of the corpus before this piece

  return {
    async add(piece) {
      checkEmbeddings(piece, "the corpus", n === 0 ? piece.width : queries.width);
      widen(Math.min(most, passed + piece.rows));
      for (let start = 0; start < piece.rows && k > 0 && n > 0; start += blockRows) {
        await scopeAsync(engine, async () => {
          const parts = uploadParts(piece, start, Math.min(piece.rows, start + blockRows));
          for (let row = 0; row < n; row += queryRows) await lookThrough(parts, row, Math.min(queryRows, n - row));
        });
      }
      passed += piece.rows;
    },
    neighbors() {
      if (excludeSelf) expectQueriesIn(passed, n);
      const width = Math.max(0, excludeSelf ? size - 1 : size);
      const counts = new Int32Array(n).fill(width);
      if (!excludeSelf) return { indices, scores, counts, k: width, queries: n };
      const others = { indices: new Int32Array(n * width), scores: new Float32Array(n * width) };
      for (let row = 0; row < n; row++) {
        const self = indices.subarray(row * size, (row + 1) * size).indexOf(row);
        for (let i = 0; i < width; i++) {
          const from = row * size + (i < self || self < 0 ? i : i + 1);
          others.indices[row * width + i] = indices[from]!;
          others.scores[row * width + i] = scores[from]!;
        }
      }
      return { ...others, counts, k: width, queries: n };
    },
  };

  /** Makes room for so many of each query. */
  function widen(columns: number): void {
    if (columns === size) return;
    const wider = {
      scores: new Float32Array(n * columns).fill(-Infinity),
      indices: new Int32Array(n * columns).fill(-1),
    };
    for (let row = 0; row < n; row++) {
      wider.scores.set(scores.subarray(row * size, (row + 1) * size), row * columns);
      wider.indices.set(indices.subarray(row * size, (row + 1) * size), row * columns);
    }
    ({ scores, indices } = wider);
    size = columns;
  }

  /** Rows of a piece, in parts that make a tile each. */
  function uploadParts(piece: Embeddings, start: number, end: number): readonly CorpusPart[] {
    const parts: CorpusPart[] = [];
    for (let row = start; row < end; row += TILE_ROWS) {
      const count = Math.min(TILE_ROWS, end - row);
      const rows = scope(engine, () => uploadRows(engine, piece, row, count, similarity));
      parts.push({ rows, from: passed + row });
    }
    return parts;
  }

  /** Some of the queries: their best so far go to the engine, and come back when they have seen all parts. */
  async function lookThrough(parts: readonly CorpusPart[], row: number, rows: number): Promise<void> {
    const [first, end] = [row * size, (row + rows) * size];
    const best = await scopeAsync(engine, () => {
      const asked = uploadRows(engine, queries, row, rows, similarity);
      const values = engine.upload(scores.subarray(first, end), [rows, size]);
      const places = engine.upload(indices.subarray(first, end), [rows, size]);
      for (const part of parts) {
        scope(engine, () => {
          const best = { values, indices: places, from: part.from };
          const better = engine.topProducts(asked, part.rows, size, best);
          engine.copy(values, better.values);
          engine.copy(places, better.indices);
        });
      }
      return readBest(engine, { values, indices: places });
    });
    scores.set(best.values, first);
    indices.set(best.columns, first);
    giveBack(best.values, best.columns);
  }
}

/** A part of the corpus on the engine. */
interface CorpusPart {
  /** [rows, width] */
  readonly rows: Handle;
  /** The number of the first one. */
  readonly from: number;
}
