/**
 * The closest pairs of a corpus, exactly, by tiles of scores on the engine.
 *
 * @module
 */
import { type Engine, type Handle, scopeAsync } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { expectOneOf, expectWholeNumber } from "../expect.ts";
import { addItem, replaceWorst, sortBest } from "./best.ts";
import {
  checkEmbeddings,
  NEAREST_SIMILARITIES,
  type NearestSimilarity,
  product,
  readBest,
  uploadRows,
} from "./blocks.ts";
import type { Embeddings } from "./pairwise.ts";

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
 * @throws {UsageError} A number of pairs, or a size of tiles, that is not a whole number from 1; no such similarity; or a
 *   `minScore` that is not a number.
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
  expectOneOf("similarity", similarity, NEAREST_SIMILARITIES);
  if (typeof minScore !== "number" || Number.isNaN(minScore)) {
    throw new UsageError("minScore is not a number", { found: String(minScore) });
  }
  checkEmbeddings(corpus, "the corpus");
  const { rows } = corpus;
  const capacity = Math.min(options.pairs ?? 10_000, rows * (rows - 1) / 2);
  // Room for what is found, not for all that is asked for: few pairs may be above `minScore`.
  let scores = new Float32Array(Math.min(capacity, FIRST_ROOM));
  let items = new Float64Array(scores.length); // pair (i, j) as i · rows + j
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

  function makeRoom(pairs: number): void {
    const [less, fewer] = [scores, items];
    (scores = new Float32Array(pairs)).set(less);
    (items = new Float64Array(pairs)).set(fewer);
  }

  function offer(score: number, item: number): boolean {
    if (!isWanted(score, item)) return false;
    if (count === scores.length && count < capacity) makeRoom(Math.min(capacity, 2 * count));
    if (count < capacity) addItem(scores, items, 0, count++, score, item);
    else replaceWorst(scores, items, 0, capacity, score, item);
    return true;
  }
}

/** Pairs that there is room for at first. */
const FIRST_ROOM = 2 ** 16;
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
