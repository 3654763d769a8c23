import assert from "node:assert/strict";
import { datasetOf } from "../../lib/data/rows.ts";
import { leaksOf, leakWarning } from "../../lib/pipeline/leaks.ts";

const training = datasetOf({ anchor: ["a", "b", "c"], positive: ["A", "B", "C"], negative: ["x", "y", "z"] });

Deno.test("rows that are trained on are counted, whichever text comes first, and texts of other rows apart", () => {
  const evaluation = datasetOf({
    sentence1: ["A", "a", "d", "z"],
    sentence2: ["a", "B", "D", "new"],
    score: Float64Array.of(1, 0, 1, 0),
  });
  const leaks = leaksOf(evaluation, training);
  assert.deepEqual(leaks, { rows: 1, of: 4, texts: ["A", "a", "z", "B"], distinct: 7, width: 2 });
  assert.match(leakWarning(leaks)[0]!, /^1 of 4 evaluation rows and 4 of 7 evaluation texts are in the training data/);
  const others = datasetOf({ anchor: ["d"], positive: ["D"] });
  assert.deepEqual(leakWarning(leaksOf(others, training)), []);
});

Deno.test("texts with a label are counted as texts", () => {
  const evaluation = datasetOf({ text: ["a", "n", "n"], label: Int32Array.of(0, 1, 1) });
  const leaks = leaksOf(evaluation, datasetOf({ text: ["a", "b"], label: Int32Array.of(0, 1) }));
  assert.deepEqual([leaks.rows, leaks.of, leaks.texts, leaks.distinct], [1, 3, ["a"], 2]);
  assert.match(leakWarning(leaks)[0]!, /^1 of 2 evaluation texts is in the training data/);
});
