/**
 * Okapi BM25 over an inverted index in typed arrays (Robertson and Walker 1994; Robertson et al. 1994).
 *
 * score(q, d) = Σ_t∈q idf(t) · tf / (tf + k1 · (1 − b + b · |d| / avgdl)),  idf(t) = ln(1 + (N − df + ½) / (df + ½))
 *
 * That is Lucene's form, and so Elasticsearch's, which the scripts of Augmented SBERT search with: its idf is never
 * negative, and the constant factor (k1 + 1) of the textbook, which changes no order, is left out. The defaults are
 * theirs too (k1 1.2, b 0.75). `rank_bm25` differs: k1 1.5, and an idf that turns negative for a term of more than half
 * of the documents and is then replaced by a share of the average. A term that stands twice in the query counts twice.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { addItem, replaceWorst, sortBest } from "../embed/best.ts";

/** Options of {@linkcode buildBm25}. */
export interface Bm25Options {
  /** How soon repetition stops to count: 0, at once. Default 1.2. */
  readonly k1?: number;
  /** How much longer documents are held back, 0 to 1. Default 0.75. */
  readonly b?: number;
  /** The terms of a text. Default {@linkcode bm25Terms}. */
  readonly terms?: (text: string) => readonly string[];
}

/** Documents found, best first; of equal scores the lower row first. */
export interface Bm25Hits {
  /** Rows of the documents. */
  readonly rows: Int32Array;
  /** Their scores, above 0. */
  readonly scores: Float32Array;
}

/** An index over documents. */
export interface Bm25Index {
  /** How many documents. */
  readonly documents: number;
  /** How many different terms. */
  readonly vocabulary: number;
  /** The score of every document. */
  readonly scores: (query: string) => Float64Array;
  /**
   * The k best documents that share a term with the query, one row left out if it is named. A `UsageError` where k is not
   * a whole number from 0.
   */
  readonly search: (query: string, k: number, exclude?: number) => Bm25Hits;
}

/**
 * Lower-case words, as Unicode divides text: runs of letters, marks and digits, with apostrophes inside; every Han or
 * Hiragana character by itself, as these scripts do not mark where words end.
 *
 * @param text Any text.
 * @returns Its terms, in their order, repeated ones too.
 */
export function bm25Terms(text: string): readonly string[] {
  return text.toLowerCase().match(TERM) ?? [];
}

const TERM =
  /[\p{sc=Han}\p{sc=Hiragana}]|[[\p{L}\p{M}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}]]+(?:['’][[\p{L}\p{M}\p{N}]--[\p{sc=Han}\p{sc=Hiragana}]]+)*/gv;

/**
 * An index over texts, to be searched by the words they share.
 *
 * @param texts The documents; row i is document i.
 * @param options k1, b, and how a text becomes terms.
 * @returns The index.
 * @throws {UsageError} A k1 below 0, or a b outside of [0, 1].
 *
 * @example
 * ```ts
 * import { buildBm25 } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const index = buildBm25(["a man plays the guitar", "a woman rides a horse", "the guitar is old"]);
 * assert.deepEqual([...index.search("an old guitar", 2).rows], [2, 0]);
 * ```
 */
export function buildBm25(texts: readonly string[], options: Bm25Options = {}): Bm25Index {
  const { k1 = 1.2, b = .75, terms = bm25Terms } = options;
  if (!(k1 >= 0 && k1 < Infinity) || !(b >= 0 && b <= 1)) {
    throw new UsageError("BM25: k1 or b is out of range", { expected: "k1 ≥ 0, 0 ≤ b ≤ 1", found: `k1 ${k1}, b ${b}` });
  }
  const documents = texts.length;
  const { numbers, offsets, rows, weights } = invert(texts, terms, k1, b);
  const sums = new Float64Array(documents);

  /** The score of every document, in `sums`. */
  const add = (query: string): void => {
    sums.fill(0);
    for (const word of terms(query)) {
      const term = numbers.get(word);
      if (term === undefined) continue;
      for (let at = offsets[term]!; at < offsets[term + 1]!; at++) sums[rows[at]!]! += weights[at]!;
    }
  };

  return {
    documents,
    vocabulary: numbers.size,
    scores(query) {
      add(query);
      return sums.slice();
    },
    search(query, k, exclude = -1) {
      expectWholeNumber("k", k, 0);
      const size = Math.min(k, documents);
      const found = new Int32Array(size);
      const scores = new Float32Array(size);
      add(query);
      if (exclude >= 0 && exclude < documents) sums[exclude] = 0;
      let count = 0;
      let worst = 0; // of those kept, once there are k of them: rows ascend, so that an equal score changes nothing
      for (let row = 0; row < documents && size > 0; row++) {
        if (sums[row]! <= worst) continue;
        const score = Math.fround(sums[row]!);
        if (count < size) addItem(scores, found, 0, count++, score, row);
        else if (score > scores[0]!) replaceWorst(scores, found, 0, size, score, row);
        if (count === size) worst = scores[0]!;
      }
      sortBest(scores, found, 0, count);
      return { rows: found.slice(0, count), scores: scores.slice(0, count) };
    },
  };
}

/** Where each term stands, and what it adds to the score of a document there. */
interface Postings {
  /** The number of each term. */
  readonly numbers: ReadonlyMap<string, number>;
  /** [terms + 1] */
  readonly offsets: Int32Array;
  /** The documents of each term, ascending. */
  readonly rows: Int32Array;
  /** What the term adds there. */
  readonly weights: Float32Array;
}

function invert(
  texts: readonly string[],
  terms: (text: string) => readonly string[],
  k1: number,
  b: number,
): Postings {
  const numbers = new Map<string, number>();
  const lengths = new Int32Array(texts.length);
  let entries = new Int32Array(1024); // term, document, frequency of each entry, document by document
  let size = 0;
  let total = 0;
  for (let row = 0; row < texts.length; row++) {
    const frequencies = new Map<number, number>();
    for (const word of terms(texts[row]!)) {
      let term = numbers.get(word);
      if (term === undefined) numbers.set(word, term = numbers.size);
      frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
      lengths[row]!++;
    }
    total += lengths[row]!;
    if (size + 3 * frequencies.size > entries.length) {
      const grown = new Int32Array(2 * (size + 3 * frequencies.size));
      grown.set(entries.subarray(0, size));
      entries = grown;
    }
    for (const [term, frequency] of frequencies) {
      entries[size++] = term;
      entries[size++] = row;
      entries[size++] = frequency;
    }
  }
  const offsets = new Int32Array(numbers.size + 1);
  for (let at = 0; at < size; at += 3) offsets[entries[at]! + 1]!++;
  for (let term = 0; term < numbers.size; term++) offsets[term + 1]! += offsets[term]!;
  const next = offsets.slice();
  const rows = new Int32Array(size / 3);
  const weights = new Float32Array(size / 3);
  const average = total / texts.length;
  for (let at = 0; at < size; at += 3) {
    const term = entries[at]!;
    const row = entries[at + 1]!;
    const frequency = entries[at + 2]!;
    const df = offsets[term + 1]! - offsets[term]!;
    const idf = Math.log(1 + (texts.length - df + .5) / (df + .5));
    const place = next[term]!++;
    rows[place] = row;
    weights[place] = idf * frequency / (frequency + k1 * (1 - b + b * lengths[row]! / average));
  }
  return { numbers, offsets, rows, weights };
}
