/**
 * Which rows make which batch: seeded, known before the first step, the same on every machine.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { distinctBatches, type NumberedTexts } from "./distinct_batches.ts";
import { groupedBatches } from "./grouped_batches.ts";

/** Options of {@linkcode epochBatches}. */
export interface BatchOptions {
  /** Rows of a batch. */
  readonly batchSize: number;
  /** The run's seed. */
  readonly seed: number;
  /** From 0; every epoch has its own order. */
  readonly epoch: number;
  /** Leave the rows in file order. Default true: shuffle. */
  readonly shuffle?: boolean;
  /**
   * Text columns whose values must not occur twice in a batch, in whichever column: for losses that take the other rows
   * as negatives.
   */
  readonly distinct?: NumberedTexts | undefined;
  /** Class of every row, where a batch shall hold at least two rows of each of its classes, and two classes. */
  readonly groups?: Int32Array | undefined;
}

/** One batch: row numbers and, for dropout, their places in the epoch. */
export interface Batch {
  /** Row numbers of the dataset. */
  readonly rows: Int32Array;
  /** Place of each in the shuffled epoch. */
  readonly streams: Int32Array;
  /** The epoch, from 0. */
  readonly epoch: number;
}

/**
 * All batches of one epoch. Every row is in exactly one; the last batch may be smaller. Of `groups`, rows that no batch
 * can hold beside another one of their class stay out, as {@linkcode groupedBatches} says.
 */
export function epochBatches(rows: number, options: BatchOptions): Batch[] {
  const { batchSize, seed, epoch, shuffle = true, distinct, groups: classes } = options;
  const random = shuffle ? randomStream(seed, randomPurpose("shuffle"), epoch) : undefined;
  if (classes !== undefined) return numberedBatches(groupedBatches(classes, batchSize, random), epoch);
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  random?.shuffle(order);
  const groups = distinct === undefined ? consecutive(rows, batchSize) : distinctBatches(order, batchSize, distinct);
  return groups.map((streams) => ({ streams, epoch, rows: streams.map((place) => order[place]!) }));
}

/** Gives the rows their places in the epoch, batch after batch. */
function numberedBatches(batches: readonly Int32Array[], epoch: number): Batch[] {
  let place = 0;
  return batches.map((rows) => ({ rows, streams: rows.map(() => place++), epoch }));
}

function consecutive(rows: number, batchSize: number): Int32Array[] {
  const groups: Int32Array[] = [];
  for (let start = 0; start < rows; start += batchSize) {
    groups.push(Int32Array.from({ length: Math.min(batchSize, rows - start) }, (_, i) => start + i));
  }
  return groups;
}
