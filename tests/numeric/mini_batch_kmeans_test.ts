import assert from "node:assert/strict";
import { EvaluationError, UsageError } from "../../lib/error.ts";
import { miniBatchKMeans } from "../../lib/numeric/mini_batch_kmeans.ts";
import { adjustedMutualInformation, vMeasure } from "../../lib/evaluate/v_measure.ts";
import { golden, lookUp } from "../evaluate/mteb/golden.ts";

for (const [i, fit] of golden.clusterings.entries()) {
  Deno.test(`miniBatchKMeans() assigns every row as scikit-learn does: ${i}, ${fit.clusters} clusters`, async () => {
    const found = await miniBatchKMeans(lookUp(fit.rows), { clusters: fit.clusters, batchSize: fit.batch });
    assert.equal(found.steps, fit.steps);
    assert.deepEqual([...found.labels], fit.assigned);
  });
  Deno.test(`vMeasure() and adjustedMutualInformation() equal scikit-learn's: ${i}`, () => {
    assert.ok(Math.abs(vMeasure(fit.labels, fit.assigned) - fit.v_measure) < 1e-12);
    assert.ok(Math.abs(adjustedMutualInformation(fit.labels, fit.assigned) - fit.ami) < 1e-10);
  });
}

Deno.test("rows may be chosen, and repeated", async () => {
  const points = { data: Float32Array.of(0, 100, 1, 9, 8), width: 1, rows: 5 };
  const rows = Int32Array.of(0, 2, 3, 4, 0, 3);
  const { labels } = await miniBatchKMeans(points, { clusters: 2, rows });
  assert.equal(labels.length, 6);
  assert.ok(labels[0] === labels[1] && labels[0] === labels[4] && labels[2] === labels[3] && labels[2] === labels[5]);
  assert.notEqual(labels[0], labels[2]);
});

Deno.test("more clusters than rows are refused", async () => {
  const points = { data: Float32Array.of(1, 2), width: 1, rows: 2 };
  await assert.rejects(miniBatchKMeans(points, { clusters: 3 }), /fewer rows than clusters/);
});

Deno.test("agreement at its limits", () => {
  assert.equal(vMeasure([0, 0, 0], [5, 5, 5]), 1);
  assert.equal(vMeasure([0, 1, 0, 1], [0, 0, 0, 0]), 0);
  assert.equal(adjustedMutualInformation([0, 1, 0, 1], [0, 0, 0, 0]), 0);
  assert.equal(adjustedMutualInformation([4, 4], [1, 1]), 1);
  assert.throws(() => vMeasure([1], [1, 2]), /do not match/);
});

Deno.test("miniBatchKMeans() refuses sizes that are none, rows that there are not, and what is not finite", async () => {
  const points = { data: Float32Array.of(0, 0, 0, 1, 9, 9), width: 2, rows: 3 };
  await assert.rejects(miniBatchKMeans(points, { clusters: 1.5 }), UsageError);
  await assert.rejects(miniBatchKMeans(points, { clusters: 2, batchSize: 0 }), UsageError);
  await assert.rejects(miniBatchKMeans(points, { clusters: 2, rows: Int32Array.of(0, 7, 1) }), EvaluationError);
  const broken = { ...points, data: Float32Array.of(0, 0, NaN, 1, 9, 9) };
  await assert.rejects(miniBatchKMeans(broken, { clusters: 2 }), EvaluationError);
});
