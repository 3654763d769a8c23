import assert from "node:assert/strict";
import {
  bootstrapIntervals,
  pairedDifferences,
  resampledAveragePrecision,
  resampledCorrelations,
} from "../../lib/evaluate/bootstrap.ts";

const gold = [5, 1, 2];

Deno.test("a draw of one row alone has no correlation, however its sums are rounded", () => {
  const { metrics } = resampledCorrelations({ cosine: [0.91, 0.13, 0.3], dot: [0.7, 0.1, 1e-9] }, gold);
  for (const row of [0, 1, 2]) {
    const values = metrics([Int32Array.of(row, row, row)]);
    for (const value of Object.values(values)) assert.ok(Number.isNaN(value), `${value}`);
  }
  const intervals = bootstrapIntervals(resampledCorrelations({ cosine: [0.91, 0.13, 0.3] }, gold));
  assert.ok(intervals["pearson_cosine"]!.low > 0.9 && intervals["pearson_cosine"]!.high <= 1 + 1e-9);
});

Deno.test("what no draw gives has no interval, and no difference", () => {
  const alike = resampledCorrelations({ cosine: [0.5, 0.5, 0.5] }, gold);
  assert.deepEqual(bootstrapIntervals(alike), {});
  assert.deepEqual(pairedDifferences(alike, resampledCorrelations({ cosine: [0.9, 0.1, 0.3] }, gold)), {});
  assert.deepEqual(bootstrapIntervals(resampledAveragePrecision({ cosine: [0.9, 0.1, 0.3] }, [0, 0, 0])), {});
});
