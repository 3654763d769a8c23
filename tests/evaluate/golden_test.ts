import assert from "node:assert/strict";
import { binaryMetrics } from "../../lib/evaluate/binary.ts";
import { pearson, ranks, spearman } from "../../lib/numeric/correlation.ts";
import type { Embeddings } from "../../lib/embed/pairwise.ts";
import { similarityMetrics } from "../../lib/evaluate/similarity.ts";
import { tripletMetrics } from "../../lib/evaluate/triplet.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/evaluators.json", import.meta.url)));
const { width, scores, labels } = golden;
const [a, b, c] = ["a", "b", "c"].map((name) => {
  const data = Float32Array.from(golden[name]);
  return { data, width, rows: data.length / width };
}) as [Embeddings, Embeddings, Embeddings];

function near(found: Record<string, number>, expected: Record<string, number>): void {
  for (const [key, value] of Object.entries(expected)) {
    const mine = found[key];
    assert.ok(mine !== undefined && Math.abs(mine - value) < 2e-6, `${key}: ${mine} instead of ${value}`);
  }
}

Deno.test("similarityMetrics() has sentence-transformers' ten keys and values", () => {
  const metrics = similarityMetrics(a, b, scores);
  assert.deepEqual(Object.keys(metrics).sort(), Object.keys(golden.similarity).sort());
  near(metrics, golden.similarity);
});

Deno.test("binaryMetrics() equals BinaryClassificationEvaluator", () =>
  near(binaryMetrics(a, b, labels), golden.binary));

Deno.test("tripletMetrics() equals TripletEvaluator", () => near(tripletMetrics(a, b, c), golden.triplet));

Deno.test("spearman() gives ties the mean of their ranks", () => {
  assert.deepEqual([...ranks([3, 1, 3, 2])], [3.5, 1, 3.5, 2]);
  assert.ok(Math.abs(spearman([1, 2, 2, 4], [1, 3, 2, 4]) - 0.9486832980505138) < 1e-12);
  assert.ok(Number.isNaN(pearson([1, 1], [1, 2])));
});

Deno.test("similarityMetrics() refuses gold similarities that cannot be ranked", () => {
  assert.throws(() => similarityMetrics(a, b, new Float64Array(a.rows)), /at least two different/);
  assert.throws(() => similarityMetrics(a, b, [1, 2]), /do not match/);
});
