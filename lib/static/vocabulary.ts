/**
 * The words of a corpus, and how often each occurs: what skip-gram learns vectors for.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { wordsOf } from "../text/whitespace.ts";

/** Words of a corpus, the most frequent first. */
export interface Vocabulary {
  /** The words. */
  readonly words: readonly string[];
  /** How often each of them occurs. */
  readonly counts: Float64Array;
}

/** Words of texts by their numbers, text after text. */
export interface WordIds {
  /** [words] */
  readonly ids: Int32Array;
  /** [texts + 1] where each text begins. */
  readonly offsets: Int32Array;
}

/**
 * Counts words, in lower case and without the punctuation around them, as averaged word vectors look for them.
 *
 * @param texts The corpus.
 * @param minCount Words that occur less often are left out. Default 5, as in gensim.
 * @returns Words by falling frequency; of words that occur equally often the first in the corpus comes first.
 * @throws {DatasetError} No word occurs so often.
 *
 * @example
 * ```ts
 * import { countWords } from "@kindred/kindred/static";
 * import assert from "node:assert/strict";
 * const { words, counts } = countWords(["The cat, the dog", "a dog."], 1);
 * assert.deepEqual([words, [...counts]], [["the", "dog", "cat", "a"], [2, 2, 1, 1]]);
 * ```
 */
export function countWords(texts: readonly string[], minCount = 5): Vocabulary {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const kept = [...counts].filter(([, count]) => count >= minCount).sort(([, a], [, b]) => b - a);
  if (kept.length === 0) {
    throw new DatasetError("no word occurs often enough to learn a vector", {
      expected: `a word that occurs ${minCount} times`,
      found: `${counts.size} different words, the most frequent ${Math.max(0, ...counts.values())} times`,
      hint: "give more texts, or a smaller minimum (--min-count 1)",
    });
  }
  return { words: kept.map(([word]) => word), counts: Float64Array.from(kept, ([, count]) => count) };
}

/**
 * Texts as numbers of words; words that are not in the vocabulary are left out.
 *
 * @param texts The corpus.
 * @param vocabulary From {@linkcode countWords}.
 * @returns The numbers, text after text.
 */
export function wordIds(texts: readonly string[], vocabulary: Vocabulary): WordIds {
  const { words } = vocabulary;
  const numbers = new Map(words.map((word, id) => [word, id]));
  const offsets = new Int32Array(texts.length + 1);
  let ids = new Int32Array(1024);
  let size = 0;
  for (const [i, text] of texts.entries()) {
    for (const word of wordsOf(text)) {
      const id = numbers.get(word);
      if (id === undefined) continue;
      if (size === ids.length) {
        const grown = new Int32Array(2 * size);
        grown.set(ids);
        ids = grown;
      }
      ids[size++] = id;
    }
    offsets[i + 1] = size;
  }
  return { ids: ids.slice(0, size), offsets };
}
