/**
 * Exact nearest neighbours by blocks: products and the best of each row are made on the engine, and the k best of each
 * query, which go on from tile to tile, come to the host when a block of the corpus has been seen.
 *
 * Memory on the engine is a block of the corpus, one of queries and one tile of scores (4 MiB as it comes), however large
 * the corpus is.
 *
 * @module
 */
import { type Engine, type Handle, scope, scopeAsync } from "../engine/engine.ts";
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Embeddings } from "./pairwise.ts";
import { addItem, replaceWorst, sortBest } from "./best.ts";

/** Rows of the corpus in one tile of scores, which then stays in a cache until the best of it are found. */
const TILE_ROWS = 1024;

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
  /** Rows of the corpus that are on the engine at once. Default 16,384. */
  readonly blockRows?: number;
  /** Queries that are compared with them at once. Default 1024. */
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
 * @param options How many, by which similarity, in blocks of which size.
 * @returns The neighbours of each query, best first.
 * @throws {DatasetError} Embeddings of another width, or that are not finite; queries that are not in the corpus, with
 *   `excludeSelf`.
 * @throws {UsageError} A k or a size of blocks that is not a whole number from 1.
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
  if (excludeSelf && whole !== undefined && whole.rows < queries.rows) {
    throw new DatasetError("with excludeSelf the queries must be the first rows of the corpus", {
      expected: `at least ${queries.rows} rows, the queries first`,
      found: `${whole.rows}`,
    });
  }
  const most = whole === undefined ? Infinity : Math.max(0, whole.rows - (excludeSelf ? 1 : 0));
  const search = searchByPieces(engine, queries, Math.min(options.k ?? 10, most), options);
  for await (const piece of whole === undefined ? corpus as AsyncIterable<Embeddings> : [whole]) {
    await search.add(piece);
  }
  return search.neighbors();
}

/** A search that is offered its corpus piece by piece. */
export interface PiecewiseSearch {
  /** Looks through the next rows of the corpus; nothing of them is kept but rows and scores of the best. */
  readonly add: (piece: Embeddings) => Promise<void>;
  /** The neighbours among all rows so far: it ends the search. */
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
 * @throws {UsageError} A size of blocks that is not a whole number from 1.
 */
export function searchByPieces(
  engine: Engine,
  queries: Embeddings,
  k: number,
  options: Omit<NearestOptions, "k"> = {},
): PiecewiseSearch {
  const { similarity = "cosine", excludeSelf = false, blockRows = 16_384, queryRows = 1024 } = options;
  expectWholeNumber("blockRows", blockRows);
  expectWholeNumber("queryRows", queryRows);
  checkEmbeddings(queries, "the queries");
  const n = queries.rows;
  const size = excludeSelf ? k + 1 : k; // the query itself may be the best of its row
  const scores = new Float32Array(n * size).fill(-Infinity);
  const indices = new Int32Array(n * size).fill(-1);
  let passed = 0; // rows of the corpus before this piece

  return {
    async add(piece) {
      checkEmbeddings(piece, "the corpus", n === 0 ? piece.width : queries.width);
      for (let start = 0; start < piece.rows && k > 0 && n > 0; start += blockRows) {
        await scopeAsync(engine, async () => {
          const parts = uploadParts(piece, start, Math.min(piece.rows, start + blockRows));
          for (let row = 0; row < n; row += queryRows) await lookThrough(parts, row, Math.min(queryRows, n - row));
        });
      }
      passed += piece.rows;
    },
    neighbors() {
      const counts = Int32Array.from(
        { length: n },
        (_, row) => Math.min(k, passed - (excludeSelf && row < passed ? 1 : 0)),
      );
      if (!excludeSelf) return { indices, scores, counts, k, queries: n };
      const others = { indices: new Int32Array(n * k), scores: new Float32Array(n * k) };
      for (let row = 0; row < n; row++) {
        const self = indices.subarray(row * size, (row + 1) * size).indexOf(row);
        for (let i = 0; i < k; i++) {
          const from = row * size + (i < self || self < 0 ? i : i + 1);
          others.indices[row * k + i] = indices[from]!;
          others.scores[row * k + i] = scores[from]!;
        }
      }
      return { ...others, counts, k, queries: n };
    },
  };

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
          const better = engine.topK(product(engine, asked, part.rows), size, best);
          engine.copy(values, better.values);
          engine.copy(places, better.indices);
        });
      }
      return readBest(engine, { values, indices: places });
    });
    scores.set(best.values, first);
    indices.set(best.columns, first);
    // Given back now: a collection of garbage sees how small they are, and lets many of them wait.
    for (const { buffer } of [best.values, best.columns]) (buffer as ArrayBuffer).transfer(0);
  }
}

/** A part of the corpus on the engine. */
interface CorpusPart {
  /** [rows, width] */
  readonly rows: Handle;
  /** The number of the first one. */
  readonly from: number;
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
        await scopeAsync(engine, async () => {
          const width = Math.min(blockRows, rows - left);
          const tile = left === top
            ? onlyLater(engine, product(engine, block, block))
            : product(engine, block, uploadRows(engine, corpus, left, width, similarity));
          await keepTile(tile, top, left);
        });
      }
    });
  }
  sortBest(scores, items, 0, count);
  return {
    first: Int32Array.from(items.subarray(0, count), (item) => Math.floor(item / rows)),
    second: Int32Array.from(items.subarray(0, count), (item) => item % rows),
    scores: scores.slice(0, count),
  };

  /** Offers a tile. Only rows that have something to give come to the host, and of them a few scores at first. */
  async function keepTile(tile: Handle, top: number, left: number): Promise<void> {
    const [height, width] = tile.shape as [number, number];
    // At first every row has something to give: the best few of each fill the heap, so that few rows are left.
    const size = count < capacity ? Math.min(width, BEST_OF_ROW) : 1;
    const best = await readBest(engine, engine.topK(tile, size));
    const more: number[] = [];
    for (let i = 0; i < height; i++) {
      for (let at = i * size; at < (i + 1) * size; at++) {
        if (!offer(best.values[at]!, (top + i) * rows + left + best.columns[at]!)) break;
      }
    }
    const last = (i: number) => (i + 1) * size - 1;
    // An equal score of a lower pair may follow: −1 is below every pair.
    for (let i = 0; i < height && size < width; i++) if (isWanted(best.values[last(i)]!, -1)) more.push(i);
    if (more.length === 0) return;
    const whole = await engine.read(engine.gather(tile, engine.upload(Int32Array.from(more), [more.length])));
    for (const [place, i] of more.entries()) {
      const [lowest, column] = [best.values[last(i)]!, best.columns[last(i)]!];
      for (let j = 0; j < width; j++) {
        const score = whole[place * width + j]!;
        const isSeen = score > lowest || (score === lowest && j <= column);
        if (!isSeen) offer(score, (top + i) * rows + left + j);
      }
    }
  }

  /** Whether a pair would be among the best now. Tiles do not come in the order of pairs: an equal one may be lower. */
  function isWanted(score: number, item: number): boolean {
    if (!(score >= minScore && score > NEVER)) return false;
    return count < capacity || score > scores[0]! || (score === scores[0]! && item < items[0]!);
  }

  function offer(score: number, item: number): boolean {
    if (!isWanted(score, item)) return false;
    if (count < capacity) addItem(scores, items, 0, count++, score, item);
    else replaceWorst(scores, items, 0, capacity, score, item);
    return true;
  }
}

/** So many of each row of a tile are looked at, unless a row may have more to give. */
const BEST_OF_ROW = 64;
/** The score of a pair that is none. */
const NEVER = -1e30;

/** The scores of a block with itself, without those of a row with itself and with the rows before: each pair once. */
function onlyLater(engine: Engine, tile: Handle): Handle {
  const size = tile.shape[0]!;
  const mask = new Float32Array(size * size);
  for (let i = 0; i < size; i++) mask.fill(2 * NEVER, i * size, i * size + i + 1);
  return engine.binary("add", tile, engine.upload(mask, [size, size]));
}

/** The best of each row, on the host. */
interface Best {
  readonly values: Float32Array;
  readonly columns: Int32Array;
}

async function readBest(engine: Engine, best: ReturnType<Engine["topK"]>): Promise<Best> {
  const [values, columns] = await Promise.all([engine.read(best.values), engine.read(best.indices)]);
  return { values: values as Float32Array, columns: columns as Int32Array };
}

/** a bᵀ */
function product(engine: Engine, a: Handle, b: Handle): Handle {
  return engine.matmul(a, b, { transposeB: true });
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
