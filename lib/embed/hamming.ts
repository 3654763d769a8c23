/**
 * Exact nearest neighbours of packed bits: the distance is the number of bits that differ (Hamming), counted 32 at a time.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { addItem, replaceWorst, sortBest } from "./best.ts";
import type { Neighbors } from "./nearest.ts";
import { columnsOf, isBinary, type QuantizedEmbeddings } from "./quantize.ts";
import { turn } from "../turn.ts";

/** Embeddings of one bit a feature. */
export type BinaryEmbeddings = QuantizedEmbeddings<"binary" | "ubinary">;

/** Rows of the corpus that stay in the processor's cache while all queries pass over them. */
const BLOCK_ROWS = 4096;
/** Rows compared until the event loop gets a turn: some 20 ms. */
const TURN = 2 ** 20;

/**
 * The k rows of a corpus that differ from each query in the fewest bits, exactly.
 *
 * @param queries Of one bit a feature, from `quantizeEmbeddings`.
 * @param corpus Of one bit a feature and as many features; whether `binary` or `ubinary` does not matter.
 * @param options `k`: how many. Default 10.
 * @returns The neighbours of each query, best first; of equally distant ones the lower row first. Scores are the negative
 *   numbers of bits that differ.
 * @throws {DatasetError} Embeddings of another precision or width, or of other rows than they say.
 * @throws {UsageError} A k that is no whole number from 1.
 *
 * @example
 * ```ts
 * import { nearestBits, quantizeEmbeddings } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const corpus = quantizeEmbeddings({ data: Float32Array.of(1, -1, 1, 1, -1, -1), width: 2, rows: 3 }, "ubinary");
 * const query = quantizeEmbeddings({ data: Float32Array.of(.5, .5), width: 2, rows: 1 }, "ubinary");
 * const { indices, scores } = await nearestBits(query, corpus, { k: 2 });
 * assert.deepEqual([...indices], [1, 0]);
 * assert.deepEqual([...scores], [-0, -1]);
 * ```
 */
export async function nearestBits(
  queries: BinaryEmbeddings,
  corpus: BinaryEmbeddings,
  options: { readonly k?: number } = {},
): Promise<Neighbors> {
  expectWholeNumber("k", options.k ?? 10);
  for (const [embeddings, what] of [[queries, "the queries"], [corpus, "the corpus"]] as const) {
    const { precision, width, rows, columns, data } = embeddings;
    if (isBinary(precision) && width === queries.width) {
      if (columns === columnsOf(precision, width) && data.length === rows * columns) continue;
      throw new DatasetError(`${what}: the number of values does not match rows and width`, {
        expected: `${rows} × ${columnsOf(precision, width)}`,
        found: `${data.length} values, ${columns} a row`,
      });
    }
    throw new DatasetError(`${what} cannot be compared by bits`, {
      expected: `binary or ubinary embeddings of ${queries.width} features`,
      found: `${precision}, ${width} features`,
    });
  }
  const k = Math.min(options.k ?? 10, corpus.rows);
  const n = queries.rows;
  const [ofQueries, ofCorpus] = [wordsOf(queries), wordsOf(corpus)];
  const words = Math.ceil(corpus.columns / 4);
  const indices = new Int32Array(n * k).fill(-1);
  const scores = new Float32Array(n * k).fill(-Infinity);
  const counts = new Int32Array(n);
  let compared = 0;
  for (let start = 0; start < corpus.rows; start += BLOCK_ROWS) {
    const end = Math.min(corpus.rows, start + BLOCK_ROWS);
    for (let query = 0; query < n; query++) {
      offerBlock(query, start, end);
      compared += end - start;
      if (compared < TURN) continue;
      compared = 0;
      await turn();
    }
  }
  for (let row = 0; row < n; row++) sortBest(scores, indices, row * k, counts[row]!);
  return { indices, scores, counts, k, queries: n };

  /** Offers a block to the heap of a query. Rows come in ascending order: an equal distance changes nothing. */
  function offerBlock(query: number, start: number, end: number): void {
    const base = query * k;
    let size = counts[query]!;
    let worst = size < k ? Infinity : -scores[base]!;
    for (let row = start; row < end; row++) {
      const distance = differing(ofQueries, query * words, ofCorpus, row * words, words);
      if (distance >= worst) continue;
      if (size < k) addItem(scores, indices, base, size++, -distance, row);
      else replaceWorst(scores, indices, base, k, -distance, row);
      if (size === k) worst = -scores[base]!;
    }
    counts[query] = size;
  }
}

/**
 * Bits that differ in so many words of two rows.
 *
 * Counts are added side by side within a word: in fields of 2 bits, of 4 (three words together, 12 at most), of 8, and of
 * 16 for all, which holds rows of up to two million bits.
 */
function differing(a: Uint32Array, fromA: number, b: Uint32Array, fromB: number, words: number): number {
  let sums = 0;
  let i = 0;
  for (; i + 2 < words; i += 3) {
    let x = a[fromA + i]! ^ b[fromB + i]!;
    let y = a[fromA + i + 1]! ^ b[fromB + i + 1]!;
    let z = a[fromA + i + 2]! ^ b[fromB + i + 2]!;
    x -= (x >>> 1) & 0x55555555;
    y -= (y >>> 1) & 0x55555555;
    z -= (z >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333) + (y & 0x33333333) + ((y >>> 2) & 0x33333333) +
        (z & 0x33333333) + ((z >>> 2) & 0x33333333) | 0;
    x = (x & 0x0f0f0f0f) + ((x >>> 4) & 0x0f0f0f0f);
    sums = sums + (x & 0x00ff00ff) + ((x >>> 8) & 0x00ff00ff) | 0;
  }
  for (; i < words; i++) {
    let x = a[fromA + i]! ^ b[fromB + i]!;
    x -= (x >>> 1) & 0x55555555;
    x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
    x = (x & 0x0f0f0f0f) + ((x >>> 4) & 0x0f0f0f0f);
    sums = sums + (x & 0x00ff00ff) + ((x >>> 8) & 0x00ff00ff) | 0;
  }
  return (sums & 0xffff) + (sums >>> 16);
}

/** The bits of each row in whole words: a copy where rows are no multiple of four bytes, or are kept − 128. */
function wordsOf({ precision, data, rows, columns }: BinaryEmbeddings): Uint32Array {
  if (precision === "ubinary" && columns % 4 === 0 && data.byteOffset % 4 === 0) {
    return new Uint32Array(data.buffer, data.byteOffset, rows * columns / 4);
  }
  const padded = Math.ceil(columns / 4) * 4;
  const bytes = new Uint8Array(rows * padded);
  const first = precision === "binary" ? 128 : 0;
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < columns; i++) bytes[row * padded + i] = data[row * columns + i]! + first;
  }
  return new Uint32Array(bytes.buffer);
}
