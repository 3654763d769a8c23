/**
 * Candidates of several encoders, put together.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import type { Candidates } from "./candidates.ts";

/**
 * What two encoders found for the same pairs in the same corpus: the best of the first, the best of the second, their second
 * best, …, each once. Scores of two encoders are on no common scale, so that a candidate's score is 1 / its rank in this
 * order; the positives' scores are those of the first.
 *
 * @param first From `findCandidates`.
 * @param second From `findCandidates`, for the same pairs and corpus.
 * @returns The candidates of both.
 * @throws {DatasetError} They are of other pairs or another corpus.
 *
 * @example
 * ```ts
 * import { mergeCandidates, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(pairs, () => Promise.resolve([{ text: "cold", finish: "stop" }]));
 * const both = mergeCandidates(negatives, negatives);
 * assert.deepEqual([both.counts[0], both.documents[both.indices[0]!]], [1, "cold"]);
 * ```
 */
export function mergeCandidates(first: Candidates, second: Candidates): Candidates {
  const same = (a: readonly string[], b: readonly string[]) =>
    a.length === b.length && a.every((text, row) => text === b[row]);
  if (!same(first.anchors, second.anchors) || !same(first.documents, second.documents)) {
    throw new DatasetError("candidates of different texts cannot be put together", {
      expected: `the same ${first.anchors.length} anchors and ${first.documents.length} documents`,
      found: `${second.anchors.length} and ${second.documents.length}`,
    });
  }
  const { anchors } = first;
  const width = first.width + second.width;
  const indices = new Int32Array(anchors.length * width).fill(-1);
  const scores = new Float32Array(anchors.length * width).fill(-Infinity);
  const counts = new Int32Array(anchors.length);
  for (let i = 0; i < anchors.length; i++) {
    const seen = new Set<number>();
    for (let rank = 0; rank < Math.max(first.width, second.width); rank++) {
      for (const found of [first, second]) {
        if (rank < found.counts[i]!) seen.add(found.indices[i * found.width + rank]!);
      }
    }
    for (const row of seen) {
      indices[i * width + counts[i]!] = row;
      scores[i * width + counts[i]!] = 1 / ++counts[i]!;
    }
  }
  return { ...first, indices, scores, counts, width };
}
