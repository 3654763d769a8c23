import assert from "node:assert/strict";
import { type Candidates, toMargins } from "../../lib/negatives/mod.ts";

/** Two anchors: one with two positives and three negatives, one with a single negative. */
const scored: Candidates = {
  anchors: ["a", "b"],
  documents: ["p", "q", "r", "x", "y", "z"],
  offsets: Int32Array.of(0, 2, 3),
  positives: Int32Array.of(0, 1, 2),
  mostPositives: 2,
  positiveScores: Float32Array.of(4, 1, 2),
  indices: Int32Array.of(3, 4, 5, 5, -1, -1),
  scores: Float32Array.of(1, 2, 3, 0.5, 0, 0),
  counts: Int32Array.of(3, 1),
  width: 3,
};

Deno.test("negatives fill rows of margins, each positive of an anchor with all of them", () => {
  const { dataset: { rows, columns }, counts } = toMargins(scored, 2);
  assert.deepEqual(rows, 2);
  assert.deepEqual([columns.anchor, columns.positive], [["a", "a"], ["p", "q"]]);
  const further = columns as unknown as Record<string, readonly unknown[]>;
  assert.deepEqual([columns.negative, further["negative_2"]], [["x", "x"], ["y", "y"]]);
  assert.deepEqual([[...columns.score], [...further["score_2"]!]], [[3, 0], [2, -1]]);
  assert.deepEqual(counts, { better: 1, left: 3 }, "the third of each row of a, and the one of b");
});

Deno.test("one negative a row makes triplets; no row at all is said", () => {
  const { dataset: { rows, columns }, counts } = toMargins(scored);
  assert.deepEqual(Object.keys(columns), ["anchor", "positive", "negative", "score"]);
  assert.deepEqual(columns.negative, ["x", "y", "z", "x", "y", "z", "z"]);
  assert.deepEqual([[...columns.score], rows], [[3, 2, 1, 0, -1, -2, 1.5], 7]);
  assert.deepEqual(counts, { better: 2, left: 0 });
  assert.throws(() => toMargins(scored, 4), /no anchor has the negatives of a row/);
  assert.throws(() => toMargins(scored, 0), /negatives of a row/);
});
