import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { EvaluationError } from "../../lib/error.ts";
import { accuracy } from "../../lib/evaluate/classification.ts";
import { evaluateLabels, majorityAccuracy, neighborVotes, silhouette } from "../../lib/evaluate/label_metrics.ts";
import { principalComponents } from "../../lib/numeric/projection.ts";
import { jacobi, symmetricEigen } from "../../lib/numeric/symmetric_eigen.ts";
import { nearest } from "../../lib/embed/nearest.ts";
import { assertNear } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/maps.json", import.meta.url)));

for (const { rows, width, x, projected, components, explained } of golden.pca) {
  const dimensions = explained.length;
  Deno.test(`principalComponents() equals scikit-learn's PCA: ${rows} × ${width} → ${dimensions}, signs too`, () => {
    const embeddings = { data: Float32Array.from(x), width, rows };
    const found = principalComponents(embeddings, { dimensions });
    assertNear("projected", found.projected, projected, 1e-8);
    assertNear("components", found.components, components, 1e-8);
    assertNear("explained", found.explained, explained, 1e-9);
    assert.deepEqual(principalComponents(embeddings, { dimensions }), found);
  });
}

Deno.test("principalComponents() of what varies in one direction, or not at all, has zeros and no NaN", () => {
  const of = (...data: number[]) =>
    principalComponents({ data: Float32Array.from(data), width: 2, rows: data.length / 2 });
  const none = of(1, 2, 1, 2);
  assert.deepEqual([...none.projected, ...none.components, ...none.explained], Array(10).fill(0));
  assert.deepEqual([...of(3, 4).projected], [0, 0]);
  assert.deepEqual([...of().projected], []);
  const line = of(0, 0, 0.5, 1, 1, 2, -1, -2);
  for (let r = 0; r < 4; r++) assert.equal(line.projected[2 * r + 1], 0);
  assertNear("explained", line.explained, [1, 0], 1e-12);
  const single = principalComponents({ data: Float32Array.of(1, 2, 4), width: 1, rows: 3 });
  assertNear("one feature", single.projected, [-4 / 3, 0, -1 / 3, 0, 5 / 3, 0], 1e-12);
});

Deno.test("symmetricEigen() finds equal eigenvalues, and its vectors are those of the matrix", () => {
  const size = 60;
  // A reflection turns diag(9, 9, 4, 1, …, 1, 0) out of the axes.
  const mirror = Float64Array.from({ length: size }, (_, i) => Math.sin(3 * i + 1));
  const norm = mirror.reduce((sum, x) => sum + x * x, 0);
  const h = (i: number, j: number) => (i === j ? 1 : 0) - 2 * mirror[i]! * mirror[j]! / norm;
  const values = Float64Array.from({ length: size }, (_, i) => i < 2 ? 9 : i === 2 ? 4 : i + 1 === size ? 0 : 1);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < size; k++) matrix[i * size + j]! += h(i, k) * values[k]! * h(k, j);
    }
  }
  const found = symmetricEigen(matrix, size, 4);
  assertNear("values", found.values, [9, 9, 4, 1], 1e-10);
  for (let v = 0; v < 4; v++) {
    const vector = found.vectors.subarray(v * size, (v + 1) * size);
    const image = vector.map((_, i) => vector.reduce((sum, x, j) => sum + matrix[i * size + j]! * x, 0));
    assertNear("image", image, vector.map((x) => x * found.values[v]!), 1e-8);
  }
  assertNear("jacobi", jacobi(matrix, size).values, [...values].sort((a, b) => b - a), 1e-12);
});

const { width } = golden;
const labelled = { data: Float32Array.from(golden.x), width, rows: golden.x.length / width };
const labels = Int32Array.from(golden.labels);

Deno.test("silhouette() and neighborVotes() equal scikit-learn's", async () => {
  const engine = createCpuEngine({ threads: 1 });
  assertNear("silhouette", [silhouette(labelled, labels)], [golden.silhouette], 1e-10, 1);
  for (const [k, expected] of Object.entries(golden.knn)) {
    const neighbors = await nearest(engine, labelled, labelled, { k: Number(k), excludeSelf: true });
    assert.equal(accuracy(labels, neighborVotes(neighbors, labels)), expected, `k = ${k}`);
  }
  const { metrics, votes } = await evaluateLabels(engine, labelled, labels, { k: 5 });
  assert.equal(accuracy(labels, votes), metrics.knn_accuracy_cosine);
  assert.equal(metrics.knn_accuracy_cosine, golden.knn["5"]);
  assert.equal(metrics.silhouette_cosine, silhouette(labelled, labels));
  const most = Math.max(...[2, 5, 9].map((label) => labels.filter((x) => x === label).length));
  assert.equal(majorityAccuracy(labels), most / labels.length);
  engine.close();
});

Deno.test("of few texts no more neighbours vote than a label has other texts", async () => {
  const engine = createCpuEngine({ threads: 1 });
  // Pairs of equal texts, with ten labels: of ten neighbours one is of a text's own label, and nearest.
  const labels = Int32Array.from({ length: 20 }, (_, row) => row >> 1);
  const data = Float32Array.from({ length: 200 }, (_, i) => labels[Math.floor(i / 10)] === i % 10 ? 1 : 0.1);
  const { metrics } = await evaluateLabels(engine, { data, width: 10, rows: 20 }, labels);
  assert.equal(metrics.knn_accuracy_cosine, 1);
  engine.close();
});

Deno.test("neighborVotes() against another corpus, and with more neighbours than there are", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const corpus = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1), width: 2, rows: 3 };
  const queries = { data: Float32Array.of(2, 0, 0, 3), width: 2, rows: 2 };
  const one = await nearest(engine, queries, corpus, { k: 1 });
  assert.deepEqual([...neighborVotes(one, Int32Array.of(4, 4, 5))], [4, 5]);
  const all = await nearest(engine, queries, corpus, { k: 50 });
  assert.deepEqual([...neighborVotes(all, Int32Array.of(4, 4, 5))], [4, 4]);
  // One vote each: the lowest label has it.
  const two = await nearest(engine, queries, corpus, { k: 2 });
  assert.deepEqual([...neighborVotes(two, Int32Array.of(9, 7, 8))], [7, 7]);
  engine.close();
});

Deno.test("label metrics say what is missing; equal and zero embeddings give numbers", async () => {
  const of = (data: number[], labels: number[]) =>
    silhouette({ data: Float32Array.from(data), width: 2, rows: data.length / 2 }, Int32Array.from(labels));
  assert.throws(() => of([1, 2, 3, 4], [1, 1]), EvaluationError);
  assert.throws(() => of([1, 2, 3, 4], [1, 2]), /more than one text/);
  assert.throws(() => of([], []), EvaluationError);
  assert.throws(() => of([1, 2], [1, 2]), /needs a label/);
  assert.equal(of([1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 1]), 0);
  assert.equal(of([0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 1, 1]), 0);
  const engine = createCpuEngine({ threads: 1 });
  const empty = { data: new Float32Array(0), width: 2, rows: 0 };
  await assert.rejects(evaluateLabels(engine, empty, new Int32Array(0)), EvaluationError);
  engine.close();
});
