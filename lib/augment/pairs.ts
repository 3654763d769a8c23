/**
 * Pairs of sentences without a label, each once: (a, b) and (b, a) are one pair.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset } from "../data/dataset.ts";
import { DatasetError } from "../error.ts";

/** Two sentences, not labelled yet. Scored pairs are such pairs too. */
export type SentencePairs = {
  /** First sentence. */
  readonly sentence1: readonly string[];
  /** Second sentence. */
  readonly sentence2: readonly string[];
};

/** The sentences of a dataset and its pairs among them. */
export interface SentenceIndex {
  /** Every sentence once, in the order of first appearance; blank ones are left out. */
  readonly sentences: readonly string[];
  /** The dataset's own pairs. */
  readonly gold: PairSet;
}

/**
 * Gathers the different sentences of a dataset, and which pairs of them it holds.
 *
 * @param dataset Pairs of sentences.
 * @returns Sentences by number, and their pairs.
 * @throws {DatasetError} Columns of unequal length.
 */
export function indexSentences(dataset: Dataset<SentencePairs>): SentenceIndex {
  const { columns, rows } = dataset;
  const { sentence1, sentence2 } = columns;
  if (sentence1.length !== rows || sentence2.length !== rows) {
    throw new DatasetError("columns of pairs have unequal lengths", {
      expected: counted(rows, "row"),
      found: `sentence1 ${sentence1.length}, sentence2 ${sentence2.length}`,
    });
  }
  const numbers = new Map<string, number>();
  const numberOf = (text: string): number => {
    const known = numbers.get(text);
    if (known !== undefined) return known;
    if (text.trim() === "") return -1;
    numbers.set(text, numbers.size);
    return numbers.size - 1;
  };
  const gold = makePairSet(rows);
  for (let row = 0; row < rows; row++) {
    const i = numberOf(sentence1[row]!);
    const j = numberOf(sentence2[row]!);
    if (i >= 0 && j >= 0 && i !== j) gold.add(i, j);
  }
  return { sentences: [...numbers.keys()], gold };
}

/** A set of unordered pairs of numbers. */
export interface PairSet {
  /** How many it holds. */
  readonly size: number;
  /** Adds {i, j}; false if it was there. */
  readonly add: (i: number, j: number) => boolean;
  /** Whether {i, j} is in it. */
  readonly has: (i: number, j: number) => boolean;
}

/** An empty set: open addressing in typed arrays, as a `Set` ends at 2²⁴ members. Numbers are below 2³¹. */
export function makePairSet(expected = 0): PairSet {
  let slots = 16;
  while (slots < 2 * expected) slots *= 2;
  let low = new Int32Array(slots).fill(-1);
  let high = new Int32Array(slots);
  let size = 0;
  /** The slot of a pair, or the free one where it belongs. */
  const find = (i: number, j: number): number => {
    let hash = Math.imul(i, 0x9E3779B1) ^ Math.imul(j, 0x85EBCA77);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2C1B3C6D);
    let slot = (hash ^ (hash >>> 13)) & (slots - 1);
    while (low[slot] !== -1 && (low[slot] !== i || high[slot] !== j)) slot = (slot + 1) & (slots - 1);
    return slot;
  };
  const grow = () => {
    const [oldLow, oldHigh] = [low, high];
    slots *= 2;
    low = new Int32Array(slots).fill(-1);
    high = new Int32Array(slots);
    for (let at = 0; at < oldLow.length; at++) {
      if (oldLow[at] === -1) continue;
      const slot = find(oldLow[at]!, oldHigh[at]!);
      low[slot] = oldLow[at]!;
      high[slot] = oldHigh[at]!;
    }
  };
  return {
    get size() {
      return size;
    },
    add(i, j) {
      let slot = find(Math.min(i, j), Math.max(i, j));
      if (low[slot] !== -1) return false;
      if (2 * (size + 1) > slots) {
        grow();
        slot = find(Math.min(i, j), Math.max(i, j));
      }
      low[slot] = Math.min(i, j);
      high[slot] = Math.max(i, j);
      size++;
      return true;
    },
    has: (i, j) => low[find(Math.min(i, j), Math.max(i, j))] !== -1,
  };
}

/** New pairs of sentences, and what came in their way. */
export interface PairSample {
  /** The pairs. */
  readonly dataset: Dataset<SentencePairs>;
  /** Different sentences to draw from; pairs left out because they are gold, or because they were drawn already. */
  readonly counts: { readonly sentences: number; readonly gold: number; readonly repeated: number };
}

/** Collects pairs: never a gold pair in either order, never a sentence with itself, never a pair again. */
export function collectPairs({ sentences, gold }: SentenceIndex, expected = 0): {
  readonly add: (i: number, j: number) => boolean;
  readonly size: () => number;
  readonly finish: () => PairSample;
} {
  const taken = makePairSet(expected);
  const sentence1: string[] = [];
  const sentence2: string[] = [];
  const counts = { sentences: sentences.length, gold: 0, repeated: 0 };
  return {
    add(i, j) {
      if (i === j) return false;
      if (gold.has(i, j)) {
        counts.gold++;
        return false;
      }
      if (!taken.add(i, j)) {
        counts.repeated++;
        return false;
      }
      sentence1.push(sentences[i]!);
      sentence2.push(sentences[j]!);
      return true;
    },
    size: () => sentence1.length,
    finish: () => ({ dataset: { columns: { sentence1, sentence2 }, rows: sentence1.length }, counts }),
  };
}
