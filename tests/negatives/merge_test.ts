import assert from "node:assert/strict";
import { type Candidates, mergeCandidates } from "../../lib/negatives/mod.ts";

const found = (lists: readonly (readonly number[])[], documents = ["a", "b", "c", "d"]): Candidates => {
  const width = Math.max(...lists.map(({ length }) => length));
  return {
    anchors: lists.map((_, i) => `query ${i}`),
    documents,
    offsets: Int32Array.from([...lists, []].keys()),
    positives: Int32Array.from(lists, () => 3),
    mostPositives: 1,
    positiveScores: new Float32Array(lists.length),
    indices: Int32Array.from(lists.flatMap((list) => [...list, ...Array<number>(width - list.length).fill(-1)])),
    scores: new Float32Array(lists.length * width),
    counts: Int32Array.from(lists, ({ length }) => length),
    width,
  };
};

Deno.test("candidates of two encoders stand rank by rank, each once; other texts are refused", () => {
  const { indices, counts, scores, width } = mergeCandidates(found([[0, 1], [2]]), found([[2, 0, 1], []]));
  assert.equal(width, 5);
  assert.deepEqual([...counts], [3, 1]);
  assert.deepEqual([...indices], [0, 2, 1, -1, -1, 2, -1, -1, -1, -1]);
  assert.deepEqual([...scores.subarray(0, 2)], [1, 0.5]);
  assert.throws(() => mergeCandidates(found([[0]]), found([[0]], ["a", "b", "c", "e"])), /different texts/);
});
