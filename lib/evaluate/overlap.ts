/**
 * Word overlap: what similarity without any model reaches.
 *
 * @module
 */

function words(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** scikit-learn's terms: words of at least two letters. */
function terms(text: string): string[] {
  return words(text).filter((word) => word.length > 1);
}

/**
 * Overlap of words, without any model: |A ∩ B| / |A ∪ B| of the words of each pair.
 *
 * @param first n texts.
 * @param second n texts.
 * @returns [n] from 0 to 1.
 *
 * @example
 * ```ts
 * import { jaccard } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...jaccard(["A man sings."], ["a man plays"])], [2 / 4]);
 * ```
 */
export function jaccard(first: readonly string[], second: readonly string[]): Float64Array {
  return Float64Array.from(first, (text, i) => {
    const [a, b] = [new Set(words(text)), new Set(words(second[i]!))];
    const union = a.union(b).size;
    return union === 0 ? 0 : a.intersection(b).size / union;
  });
}

/**
 * Weighted overlap of words, without any model: the cosine of tf · idf vectors; idf = ln((1 + n) / (1 + df)) + 1 over
 * all sentences of both sides, as scikit-learn's `TfidfVectorizer`.
 *
 * @param first n texts.
 * @param second n texts.
 * @returns [n] from 0 to 1.
 *
 * @example
 * ```ts
 * import { tfidfCosine } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const [rare, common] = tfidfCosine(["the zebra", "the cat"], ["a zebra", "the dog"]);
 * assert.ok(rare! > common!);
 * ```
 */
export function tfidfCosine(first: readonly string[], second: readonly string[]): Float64Array {
  const frequency = new Map<string, number>();
  for (const text of [...first, ...second]) {
    for (const word of new Set(terms(text))) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const n = first.length + second.length;
  const vector = (text: string): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const word of terms(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
    for (const [word, count] of counts) counts.set(word, count * (Math.log((1 + n) / (1 + frequency.get(word)!)) + 1));
    return counts;
  };
  const norm = (v: Map<string, number>) => Math.sqrt(v.values().reduce((sum, x) => sum + x * x, 0));
  return Float64Array.from(first, (text, i) => {
    const [a, b] = [vector(text), vector(second[i]!)];
    let dot = 0;
    for (const [word, weight] of a) dot += weight * (b.get(word) ?? 0);
    return dot === 0 ? 0 : dot / (norm(a) * norm(b));
  });
}
