/**
 * Batches in which no text stands twice: for losses that take the other rows as negatives.
 *
 * @module
 */
import { startNumbering } from "../numbering.ts";

/** Texts by number: equal texts have equal numbers, over all columns. */
export interface NumberedTexts {
  /** The number of each text, column by column. */
  readonly columns: readonly Int32Array[];
  /** How many different texts there are. */
  readonly count: number;
}

/** Numbers texts: once for all epochs. */
export function numberTexts(columns: readonly (readonly string[])[]): NumberedTexts {
  const { numberOf, texts } = startNumbering();
  const numbered = columns.map((column) => Int32Array.from(column, numberOf));
  return { columns: numbered, count: texts().length };
}

/**
 * Rows that share a text with the batch being filled are put off to a later one, in order. When only conflicting rows
 * are left the batches get smaller, but no row is lost and none appears beside its double.
 *
 * A row that is put off waits for the text that stood in its way: it is looked at again only when a batch begins without
 * that text, so that a text which stands in every row costs no more than others.
 *
 * @param order The rows, in the order of the epoch.
 * @returns Places in `order`, batch by batch.
 */
export function distinctBatches(
  order: Int32Array,
  batchSize: number,
  { columns: texts, count }: NumberedTexts,
): Int32Array[] {
  const takenBy = new Int32Array(count).fill(-1); // the last batch that has the text
  const waiting = new Map<number, number[]>(); // places by the text they wait for, heaps
  const waitsFor = new Int32Array(order.length).fill(-1);
  const candidates: number[] = []; // a heap of places that may be looked at again
  let fresh = 0;

  /** The first place that waits for a text may be looked at; those behind it share the text with it. */
  const release = (text: number) => {
    const places = waiting.get(text);
    if (places === undefined) return;
    push(candidates, pop(places)!);
    if (places.length === 0) waiting.delete(text);
  };
  const putOff = (place: number, text: number) => {
    waitsFor[place] = text;
    const places = waiting.get(text);
    if (places === undefined) waiting.set(text, [place]);
    else push(places, place);
  };

  const groups: Int32Array[] = [];
  for (let left = order.length; left > 0;) {
    const group: number[] = [];
    const number = groups.length;
    if (number > 0) {
      for (const place of groups[number - 1]!) for (const column of texts) release(column[order[place]!]!);
    }
    while (group.length < batchSize) {
      const place = pop(candidates) ?? (fresh < order.length ? fresh++ : undefined);
      if (place === undefined) break;
      const row = order[place]!;
      const blocking = texts.find((column) => takenBy[column[row]!] === number)?.[row];
      if (blocking === undefined) {
        for (const column of texts) takenBy[column[row]!] = number;
        group.push(place);
        continue;
      }
      const before = waitsFor[place]!;
      putOff(place, blocking);
      // It waits for another text now: the next one that waited for the old one has its turn.
      if (before >= 0 && takenBy[before] !== number) release(before);
    }
    groups.push(Int32Array.from(group));
    left -= group.length;
  }
  return groups;
}

/** Adds to a binary heap, lowest first. */
function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Takes the lowest value out of it. */
function pop(heap: number[]): number | undefined {
  const lowest = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return lowest;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    if (child + 1 < heap.length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = last;
  return lowest;
}
