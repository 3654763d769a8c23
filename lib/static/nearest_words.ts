/**
 * Words whose vectors point the same way.
 *
 * @module
 */

import type { WordVectors } from "../checkpoint/word_vectors.ts";

/** A word, and how near it is. */
export type NearWord = readonly [word: string, cosine: number];

/**
 * The nearest words of a word, by the cosine of their vectors.
 *
 * @param vectors Words and vectors, as `readWordVectors` or `wordVectorsOf` give them; vectors of 0 are near to none.
 * @param word One of the words.
 * @param count How many. Default 10.
 * @returns The nearest first; none where the word is not there.
 *
 * @example
 * ```ts
 * import { nearestWords } from "@kindred/kindred/static";
 * import assert from "node:assert/strict";
 * const vectors = { words: ["cat", "dog", "tax"], rows: Float32Array.of(1, 0, 1, 0.1, 0, 1), width: 2 };
 * assert.equal(nearestWords(vectors, "cat", 1)[0]![0], "dog");
 * ```
 */
export function nearestWords(
  vectors: Pick<WordVectors, "words" | "rows" | "width">,
  word: string,
  count = 10,
): NearWord[] {
  const { words, rows, width } = vectors;
  const own = words.indexOf(word);
  if (own < 0) return [];
  const dot = (a: number, b: number) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += rows[a * width + i]! * rows[b * width + i]!;
    return sum;
  };
  const length = Math.sqrt(dot(own, own));
  const cosines = words.map((_, row) => dot(own, row) / (length * Math.sqrt(dot(row, row))));
  return words.map((_, row) => row)
    .filter((row) => row !== own && Number.isFinite(cosines[row]!))
    .sort((a, b) => cosines[b]! - cosines[a]!)
    .slice(0, count)
    .map((row) => [words[row]!, cosines[row]!]);
}
