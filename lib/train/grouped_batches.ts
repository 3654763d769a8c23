/**
 * Batches for losses that compare rows by their class: two rows of a class or more, and two classes or more, in each.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { RandomStream } from "../engine/philox.ts";
import { TrainingError } from "../error.ts";

/**
 * Row numbers by batch. Every row is in at most one batch; a batch holds at most `batchSize` rows.
 *
 * The rows of each class are shuffled and tied in pairs. The pairs of the largest class, then those of the others, class
 * by class, are dealt to the batches like cards, round after round, each round to the batches in another order: so a
 * class is spread evenly over the epoch, a batch has as many classes as there can be, and the last round gives another
 * class to every batch that the first one gave the largest. The odd row of a class goes where the class is and there is
 * room.
 *
 * Out of an epoch stay: rows without a second one of their class; what is left of one class when no other is left to
 * stand against it; and an odd row for which there is no room (each epoch another one). Classes need not be balanced:
 * sentence-transformers' GroupByLabelBatchSampler gives up as soon as one class is left, and every class's odd row.
 *
 * `random` is that of seed and epoch; without it the order is that of the file.
 */
export function groupedBatches(classes: Int32Array, batchSize: number, random?: RandomStream): Int32Array[] {
  if (batchSize < 4) {
    throw new TrainingError("the batch size is too small for a loss that compares classes", {
      expected: "at least 4: two classes with two rows each",
      found: `${batchSize}`,
      hint: "raise --batch-size",
    });
  }
  const groups = membersOf(classes).filter((rows) => rows.length >= 2);
  if (groups.length < 2) throw tooFew(classes, groups.length);
  for (const rows of groups) random?.shuffle(rows);
  random?.shuffle(groups);
  // The largest class first.
  groups.sort((a, b) => pairsOf(b) - pairsOf(a));
  const [largest, ...others] = groups;
  random?.shuffle(others);
  return fill([largest!, ...others], batchSize, random);
}

const pairsOf = (rows: Int32Array): number => rows.length >> 1;

/** The rows of each class, in the order of the file. */
function membersOf(classes: Int32Array): Int32Array[] {
  const members = new Map<number, number[]>();
  classes.forEach((label, row) => {
    const rows = members.get(label);
    if (rows === undefined) members.set(label, [row]);
    else rows.push(row);
  });
  return [...members.values()].map((rows) => Int32Array.from(rows));
}

/**
 * How many batches: as few as can hold all rows, but no more than there are pairs against the largest class, and at
 * least two pairs each.
 */
function batchCount(groups: readonly Int32Array[], batchSize: number): number {
  const rows = groups.reduce((sum, { length }) => sum + length, 0);
  const pairs = groups.reduce((sum, group) => sum + pairsOf(group), 0);
  const needed = Math.max(Math.ceil(rows / batchSize), Math.ceil(pairs / (batchSize >> 1)));
  return Math.min(needed, pairs - pairsOf(groups[0]!), pairs >> 1);
}

/** Deals; `groups` has the largest class first. */
function fill(groups: readonly Int32Array[], batchSize: number, random: RandomStream | undefined): Int32Array[] {
  const count = batchCount(groups, batchSize);
  const capacity = batchSize >> 1;
  // What the batches cannot hold is of the largest class.
  const surplus = Math.max(0, groups.reduce((sum, group) => sum + pairsOf(group), 0) - count * capacity);
  const dealt = groups.map((group, i) => pairsOf(group) - (i === 0 ? surplus : 0));
  const total = dealt.reduce((sum, pairs) => sum + pairs, 0);

  const batches = Array.from({ length: count }, (): number[] => []);
  const hosts: number[][] = groups.map(() => []); // batches that hold a class
  const orders = dealingOrders(count, Math.floor(total / count), random);
  let pair = 0;
  for (const [g, rows] of groups.entries()) {
    for (let i = 0; i < dealt[g]!; i++, pair++) {
      const round = Math.floor(pair / count);
      const batch = orders[Math.min(round, orders.length - 1)]![pair % count]!;
      batches[batch]!.push(rows[2 * i]!, rows[2 * i + 1]!);
      hosts[g]!.push(batch);
    }
  }
  // The odd rows, and those of the largest class that were not dealt: beside their own, where there is room.
  for (const [g, rows] of groups.entries()) {
    let next = 2 * dealt[g]!;
    for (const batch of hosts[g]!) {
      while (next < rows.length && batches[batch]!.length < batchSize) batches[batch]!.push(rows[next++]!);
    }
  }
  return batches.map((rows) => Int32Array.from(rows));
}

/**
 * The order of batches in each round; the last one given holds for all rounds that follow.
 *
 * The last full round and the rest behind it share one, so that the last `count` pairs reach every batch. Where a batch
 * gets two pairs only, all rounds do: a class that spans two rounds must not come to the same batch twice.
 */
function dealingOrders(count: number, fullRounds: number, random: RandomStream | undefined): Int32Array[] {
  const inOrder = () => Int32Array.from({ length: count }, (_, i) => i);
  if (random === undefined) return [inOrder()];
  return Array.from({ length: Math.max(1, fullRounds - 1) }, () => random.shuffle(inOrder()));
}

function tooFew(classes: Int32Array, usable: number): TrainingError {
  const distinct = new Set(classes).size;
  return new TrainingError("a loss that compares classes needs two classes with two rows each", {
    expected: "at least two classes with two rows or more",
    found: `${counted(classes.length, "row")} of ${counted(distinct, "class")}, ${
      usable === 0 ? "none" : "one"
    } of which has two rows`,
    hint: "more rows, or fewer classes",
  });
}
