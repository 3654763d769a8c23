/**
 * Which rows make which batch: seeded, known before the first step, the same on every machine.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
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
  readonly distinct?: readonly (readonly string[])[] | undefined;
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
  const groups = distinct === undefined ? consecutive(rows, batchSize) : withoutDuplicates(order, batchSize, distinct);
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

/**
 * Rows that share a text with the batch being filled are put off to a later one, in order. When only conflicting rows
 * are left the batches get smaller, but no row is lost and none appears beside its double.
 */
function withoutDuplicates(
  order: Int32Array,
  batchSize: number,
  columns: readonly (readonly string[])[],
): Int32Array[] {
  const values = numbered(columns);
  // The places still to be given out, as a singly linked list; `rows` is the end.
  const next = Int32Array.from({ length: order.length + 1 }, (_, i) => i);
  const head = order.length;
  for (let i = 0; i < order.length; i++) next[i] = i + 1 < order.length ? i + 1 : head;
  next[head] = order.length > 0 ? 0 : head;

  const takenBy = new Int32Array(values.distinct).fill(-1);
  const groups: Int32Array[] = [];
  while (next[head] !== head) {
    const group: number[] = [];
    const number = groups.length;
    let previous = head;
    let place = next[head]!;
    while (place !== head && group.length < batchSize) {
      const row = order[place]!;
      if (values.columns.every((column) => takenBy[column[row]!] !== number)) {
        for (const column of values.columns) takenBy[column[row]!] = number;
        group.push(place);
        next[previous] = next[place]!;
      } else previous = place;
      place = next[place]!;
    }
    groups.push(Int32Array.from(group));
  }
  return groups;
}

/** Equal texts get equal numbers, over all columns. */
function numbered(columns: readonly (readonly string[])[]): { columns: Int32Array[]; distinct: number } {
  const numbers = new Map<string, number>();
  const numberOf = (text: string) => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  };
  const coded = columns.map((column) => Int32Array.from(column, numberOf));
  return { columns: coded, distinct: numbers.size };
}
