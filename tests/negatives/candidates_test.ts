import assert from "node:assert/strict";
import { DatasetError, UsageError } from "../../lib/error.ts";
import { indexPairs } from "../../lib/negatives/candidates.ts";
import { selectNegatives, toMargins } from "../../lib/negatives/mod.ts";

const index = indexPairs({ columns: { anchor: ["a"], positive: ["p"] }, rows: 1 }, ["n"]);
const candidates = {
  ...index,
  positiveScores: Float32Array.of(1),
  indices: Int32Array.of(0),
  scores: Float32Array.of(.5),
  counts: Int32Array.of(1),
  width: 1,
};

Deno.test("an anchor without a positive is refused, and not given another's", () => {
  const pairs = { columns: { anchor: ["a", "b"], positive: ["p"] }, rows: 2 };
  assert.throws(() => indexPairs(pairs), DatasetError);
});

Deno.test("a sampling that there is not is refused, and the best not taken for it", () => {
  assert.throws(() => selectNegatives(candidates, { sampling: "Random" as "random" }), UsageError);
});

Deno.test("a row of more negatives than any of very many anchors has is refused by its name", () => {
  const counts = new Int32Array(300_000);
  const none = { ...candidates, anchors: [], offsets: Int32Array.of(0), positives: new Int32Array(0), counts };
  assert.throws(() => toMargins(none, 3), DatasetError);
});
