/**
 * Exact nearest neighbours by blocks: the products run on the engine, what is kept of them is k numbers a query.
 *
 * Memory is one tile of scores (16 MiB as it comes) beside the result, however large the corpus is.
 *
 * @module
 */
import { type Engine, type Handle, scopeAsync } from "../engine/engine.ts";
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Embeddings } from "./pairwise.ts";
import { addItem, replaceWorst, sortBest } from "./best.ts";

/** How two embeddings are compared here. */
export type NearestSimilarity = "cosine" | "dot";

/** Options of {@linkcode nearest}. */
export interface NearestOptions {
  /** Neighbours of each query. Default 10. */
  readonly k?: number;
  /** Default cosine; that with a zero vector is 0. */
  readonly similarity?: NearestSimilarity;
  /** Query i is row i of the corpus and no neighbour of its own. Default false. */
  readonly excludeSelf?: boolean;
  /** Rows of the corpus in one tile. Default 4096. */
  readonly blockRows?: number;
  /** Queries in one tile. Default 1024. */
  readonly queryRows?: number;
}

/** The neighbours of n queries, best first; of equal scores the lower row first. */
export interface Neighbors {
  /** [n · k] rows of the corpus; −1 where a query has fewer than k. */
  readonly indices: Int32Array;
  /** [n · k] their similarities; −∞ where there is none. */
  readonly scores: Float32Array;
  /** [n] how many each query has. */
  readonly counts: Int32Array;
  /** Columns of the two: what was asked for, or as many as the corpus can give. */
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
 * @param options How many, by which similarity, in tiles of which size.
 * @returns The neighbours of each query, best first.
 * @throws {DatasetError} Embeddings of another width, or that are not finite; queries that are not in the corpus, with
 *   `excludeSelf`.
 * @throws {UsageError} A k or a size of tiles that is not a whole number from 1.
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
  const { similarity = "cosine", excludeSelf = false, blockRows = 4096, queryRows = 1024 } = options;
  expectWholeNumber("k", options.k ?? 10);
  expectWholeNumber("blockRows", blockRows);
  expectWholeNumber("queryRows", queryRows);
  checkEmbeddings(queries, "the queries");
  const whole = "data" in corpus ? corpus : undefined;
  if (excludeSelf && whole !== undefined && whole.rows < queries.rows) {
    throw new DatasetError("with excludeSelf the queries must be the first rows of the corpus", {
      expected: `at least ${queries.rows} rows, the queries first`,
      found: `${whole.rows}`,
    });
  }
  const k = whole === undefined
    ? options.k ?? 10
    : Math.max(0, Math.min(options.k ?? 10, whole.rows - (excludeSelf ? 1 : 0)));
  const n = queries.rows;
  const indices = new Int32Array(n * k).fill(-1);
  const scores = new Float32Array(n * k).fill(-Infinity);
  const counts = new Int32Array(n);

  let passed = 0; // rows of the corpus before this piece
  for await (const piece of whole === undefined ? corpus as AsyncIterable<Embeddings> : [whole]) {
    checkEmbeddings(piece, "the corpus", n === 0 ? piece.width : queries.width);
    for (let start = 0; start < piece.rows && k > 0 && n > 0; start += blockRows) {
      const columns = Math.min(blockRows, piece.rows - start);
      const first = passed + start;
      await scopeAsync(engine, async () => {
        const block = uploadRows(engine, piece, start, columns, similarity);
        for (let row = 0; row < n; row += queryRows) {
          const rows = Math.min(queryRows, n - row);
          const tile = await product(engine, () => uploadRows(engine, queries, row, rows, similarity), block);
          for (let i = 0; i < rows; i++) {
            keepBest(tile, i * columns, columns, first, excludeSelf ? row + i : -1, row + i);
          }
        }
      });
    }
    passed += piece.rows;
  }
  for (let row = 0; row < n; row++) sortBest(scores, indices, row * k, counts[row]!);
  return { indices, scores, counts, k, queries: n };

  /** Offers one row of a tile to the heap of its query. Rows come in ascending order: an equal score changes nothing. */
  function keepBest(tile: Float32Array, from: number, size: number, first: number, self: number, query: number): void {
    const base = query * k;
    let count = counts[query]!;
    let column = 0;
    for (; column < size && count < k; column++) {
      if (first + column !== self) addItem(scores, indices, base, count++, tile[from + column]!, first + column);
    }
    counts[query] = count;
    let worst = scores[base]!;
    for (; column < size; column++) {
      const score = tile[from + column]!;
      if (score > worst && first + column !== self) {
        replaceWorst(scores, indices, base, k, score, first + column);
        worst = scores[base]!;
      }
    }
  }
}

/** Options of {@linkcode closestPairs}. */
export interface ClosestPairsOptions {
  /** How many pairs. Default 10,000. */
  readonly pairs?: number;
  /** Default cosine; that with a zero vector is 0. */
  readonly similarity?: NearestSimilarity;
  /** Leaves out pairs below. Default: none is left out. */
  readonly minScore?: number;
  /** Rows and columns of one tile. Default 2048. */
  readonly blockRows?: number;
}

/** Pairs of rows, best first; of equal scores the lower rows first. */
export interface ClosestPairs {
  /** [pairs] the lower row of each. */
  readonly first: Int32Array;
  /** [pairs] the higher row of each. */
  readonly second: Int32Array;
  /** [pairs] their similarities. */
  readonly scores: Float32Array;
}

/**
 * The most similar pairs of rows of a corpus, exactly: each pair i < j once.
 *
 * @param engine Computes the products.
 * @param corpus [m, width] embeddings.
 * @param options How many, by which similarity.
 * @returns Rows and similarities of the pairs, best first; of equal ones the lower rows first.
 * @throws {DatasetError} Embeddings that are not finite.
 * @throws {UsageError} A number of pairs, or a size of tiles, that is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { closestPairs } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const corpus = { data: Float32Array.of(1, 0, 0, 1, 3, 4), width: 2, rows: 3 };
 * const { first, second } = await closestPairs(engine, corpus, { pairs: 1 });
 * assert.deepEqual([first[0], second[0]], [1, 2]);
 * engine.close();
 * ```
 */
export async function closestPairs(
  engine: Engine,
  corpus: Embeddings,
  options: ClosestPairsOptions = {},
): Promise<ClosestPairs> {
  const { similarity = "cosine", minScore = -Infinity, blockRows = 2048 } = options;
  expectWholeNumber("pairs", options.pairs ?? 10_000);
  expectWholeNumber("blockRows", blockRows);
  checkEmbeddings(corpus, "the corpus");
  const { rows } = corpus;
  const capacity = Math.min(options.pairs ?? 10_000, rows * (rows - 1) / 2);
  const scores = new Float32Array(capacity);
  const items = new Float64Array(capacity); // pair (i, j) as i · rows + j
  let count = 0;

  for (let top = 0; top < rows && capacity > 0; top += blockRows) {
    await scopeAsync(engine, async () => {
      const height = Math.min(blockRows, rows - top);
      const block = uploadRows(engine, corpus, top, height, similarity);
      for (let left = top; left < rows; left += blockRows) {
        const width = Math.min(blockRows, rows - left);
        const tile = await product(engine, () => block, () => uploadRows(engine, corpus, left, width, similarity));
        for (let i = 0; i < height; i++) {
          keepBest(tile, i * width, Math.max(0, top + i + 1 - left), width, (top + i) * rows + left);
        }
      }
    });
  }
  sortBest(scores, items, 0, count);
  return {
    first: Int32Array.from(items.subarray(0, count), (item) => Math.floor(item / rows)),
    second: Int32Array.from(items.subarray(0, count), (item) => item % rows),
    scores: scores.slice(0, count),
  };

  function keepBest(tile: Float32Array, from: number, start: number, width: number, item: number): void {
    let column = start;
    for (; column < width && count < capacity; column++) {
      const score = tile[from + column]!;
      if (score >= minScore) addItem(scores, items, 0, count++, score, item + column);
    }
    let worst = scores[0]!;
    for (; column < width; column++) {
      const score = tile[from + column]!;
      // Tiles do not come in the order of pairs, so an equal score may still be the lower pair.
      if (score > worst || (score === worst && item + column < items[0]!)) {
        replaceWorst(scores, items, 0, capacity, score, item + column);
        worst = scores[0]!;
      }
    }
  }
}

/** Some rows on the device, of length 1 for the cosine. */
function uploadRows(
  engine: Engine,
  { data, width }: Embeddings,
  start: number,
  count: number,
  similarity: NearestSimilarity,
): Handle {
  const values = engine.upload(data.subarray(start * width, (start + count) * width), [count, width]);
  return similarity === "cosine" ? engine.normalizeRows(values, 1e-12).y : values;
}

/** a bᵀ on the host; operands given as functions live for this product alone. */
function product(engine: Engine, a: () => Handle, b: Handle | (() => Handle)): Promise<Float32Array> {
  return scopeAsync(engine, async () => {
    const values = engine.matmul(a(), typeof b === "function" ? b() : b, { transposeB: true });
    return await engine.read(values) as Float32Array;
  });
}

/**
 * Widths agree, there are as many values as announced, and no product of two rows can leave float32: sums of products
 * are bounded by the norms (Cauchy–Schwarz), so norms up to 10¹⁸ keep every score finite.
 */
function checkEmbeddings({ data, width, rows }: Embeddings, what: string, expected = width): void {
  if (rows > 0 && width !== expected) {
    throw new DatasetError(`${what} have another width than the queries`, {
      expected: `${expected} features`,
      found: `${width}`,
      hint: "embed both with the same model",
    });
  }
  if (data.length !== rows * width) {
    throw new DatasetError(`${what}: the number of values does not match rows and width`, {
      expected: `${rows} × ${width} = ${rows * width}`,
      found: `${data.length}`,
    });
  }
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += data[i]! * data[i]!;
    if (sum <= 1e36) continue;
    throw new DatasetError(`${what}: an embedding is not finite or too long to compare`, {
      expected: "numbers, and a length up to 1e18",
      found: `a length of ${Math.sqrt(sum)}`,
      where: `row ${row}`,
    });
  }
}
