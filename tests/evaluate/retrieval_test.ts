import assert from "node:assert/strict";
import { abstentionGain, confidences } from "../../lib/evaluate/abstention.ts";
import { pairwiseSum } from "../../lib/numeric/pairwise_sum.ts";
import { correlationPValue } from "../../lib/numeric/p_value.ts";
import { retrievalMetrics } from "../../lib/evaluate/retrieval.ts";
import { roundTo } from "../../lib/numeric/rounding.ts";

const found = (...entries: [string, number][]) => ({
  documents: entries.map(([document]) => document),
  scores: Float32Array.from(entries, ([, score]) => score),
});

Deno.test("of equal scores the greater id goes first, as in trec_eval", async () => {
  const results = new Map([["q", found(["a", .5], ["c", .5], ["b", .5])]]);
  const metrics = await retrievalMetrics(results, new Map([["q", new Map([["b", 1]])]]), { cuts: [1, 2] });
  assert.deepEqual([metrics["mrr_at_1"], metrics["mrr_at_2"], metrics["precision_at_2"]], [0, .5, .5]);
});

Deno.test("what is relevant and was not found counts in recall and MAP; a grade of 0 does not", async () => {
  const results = new Map([["q", found(["a", 1], ["x", .5])]]);
  const relevance = new Map([["q", new Map([["a", 2], ["b", 1], ["x", 0]])]]);
  const metrics = await retrievalMetrics(results, relevance, { cuts: [2] });
  assert.deepEqual([metrics["recall_at_2"], metrics["map_at_2"], metrics["hit_rate_at_2"]], [.5, .5, 1]);
  assert.equal(metrics["ndcg_at_2"], roundTo(2 / (2 + 1 / Math.log2(3)), 5));
});

Deno.test("the query's own document is left out where that is asked for", async () => {
  const results = new Map([["q", found(["q", 1], ["a", .5])]]);
  const relevance = new Map([["q", new Map([["a", 1]])]]);
  assert.equal((await retrievalMetrics(results, relevance, { cuts: [1] }))["mrr_at_1"], 0);
  assert.equal((await retrievalMetrics(results, relevance, { cuts: [1], ignoreIdenticalIds: true }))["mrr_at_1"], 1);
});

Deno.test("no queries, and queries that nothing is judged for, are errors", async () => {
  await assert.rejects(retrievalMetrics(new Map(), new Map()), /no query/);
  await assert.rejects(retrievalMetrics(new Map([["q", found(["a", 1])]]), new Map()), /no relevant documents/);
});

Deno.test("abstention: 1 for an oracle, 0 for constant confidence, nothing where all queries score the same", () => {
  const metric = [0, .2, .4, .6, .8, 1, 0, 1, .5, .3];
  assert.equal(abstentionGain(metric, metric), 1);
  assert.ok(Math.abs(abstentionGain(metric.map(() => 1), metric)) < 1e-12);
  assert.ok(Number.isNaN(abstentionGain(metric, metric.map(() => 1))));
  assert.deepEqual(confidences([]), { max: 0, std: 0, diff1: 0 });
  assert.deepEqual(confidences([1, 3]), { max: 3, std: 1, diff1: 2 });
  const values = Float64Array.from({ length: 1000 }, (_, i) => i);
  assert.equal(pairwiseSum(values, 1, 1000), 499_500);
});

Deno.test("p-values are scipy's", () => {
  const cases = [
    [.9082076262371463, 3, .2749019764028627],
    [-.06319921115064765, 5, .9195858638759475],
    [
      -.4379459571404922,
      16,
      .0897662834748016,
    ],
    [.007620495917031324, 60, .9539181311156835],
    [1, 3, 0],
  ] as const;
  for (const [r, n, p] of cases) assert.ok(Math.abs(correlationPValue(r, n) - p) < 1e-12, `${r}, ${n}`);
  assert.ok(Number.isNaN(correlationPValue(1, 2)));
});

Deno.test("roundTo() is Python's round()", () => {
  const cases = [[.015625, 5, .01562], [.046875, 5, .04688], [2.675, 2, 2.67], [-.015625, 5, -.01562], [.5, 0, 0]];
  for (const [value, places, rounded] of cases) assert.equal(roundTo(value!, places!), rounded);
  assert.equal(roundTo(1.5, 0), 2);
  assert.ok(Number.isNaN(roundTo(NaN, 2)));
});
