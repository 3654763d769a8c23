import assert from "node:assert/strict";
import { evaluationLines, intervalReport } from "../../lib/pipeline/intervals.ts";
import { resampledCorrelations } from "../../lib/evaluate/bootstrap.ts";

const report = (metrics: Record<string, number>) => ({ model: "m", task: "similarity", rows: 3, metrics });
const linesOf = (...args: Parameters<typeof evaluationLines>) => evaluationLines(...args).split("\n");

Deno.test("numbers below zero have one sign, and zero has none", () => {
  const intervals = {
    ...{ level: .95, resamples: 9, seed: 1, unit: "row", count: 3 },
    of: { a: { low: -.5, high: -1e-9 } },
  };
  const lines = linesOf({
    ...report({ a: -.25, b: -3e-16 }),
    intervals,
    against: { model: "n", metrics: {}, differences: { a: { difference: -.1, low: -.2, high: .1 } } },
  });
  assert.match(lines[1]!, /^a +−0\.250000 +−0\.5000 … 0\.0000$/);
  assert.match(lines[2]!, /^b +0\.000000$/);
  assert.match(lines.at(-1)!, /^a +−0\.100000 +−0\.2000 … 0\.1000$/);
});

Deno.test("rows that a model finds all alike have no intervals, and it is said", () => {
  const alike = new Float64Array(3).fill(.5);
  const similarities = { cosine: alike, dot: alike, euclidean: alike, manhattan: alike };
  const intervals = intervalReport(resampledCorrelations(similarities, [1, 2, 3]), { resamples: 20, seed: 1 });
  assert.deepEqual(intervals.of, {});
  assert.equal(
    linesOf({ ...report({ spearman_cosine: 0 }), intervals }).at(-1),
    "no intervals: no draw of 3 rows gives a value; the model may find all alike",
  );
});
