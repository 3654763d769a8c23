import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import {
  angle,
  contrastive,
  cosent,
  type Loss,
  matryoshka,
  multipleNegativesRanking,
  onlineContrastive,
  softmax,
  triplet,
  tryLoss,
} from "../../lib/loss/mod.ts";

/** The value of a loss for these columns, and its gradients, each as one list. */
async function apply(loss: Loss, shape: [number, number], columns: number[][], labels?: number[]): Promise<number[][]> {
  const rows = (column: number[]) =>
    Array.from({ length: shape[0] }, (_, row) => column.slice(row * shape[1], (row + 1) * shape[1]));
  const { value, gradients } = await tryLoss(loss, columns.map(rows), labels);
  return [[value], ...gradients.map((gradient) => gradient.flat())];
}

Deno.test("equal embeddings have a finite gradient under every distance", async () => {
  const same = [1, 2, 3, 4];
  for (const distance of ["cosine", "euclidean", "manhattan"] as const) {
    for (
      const found of [
        await apply(triplet({ distance }), [2, 2], [same, same, same]),
        await apply(contrastive({ distance }), [2, 2], [same, same], [1, 0]),
        await apply(onlineContrastive({ distance }), [2, 2], [same, same], [1, 0]),
      ]
    ) {
      assert.ok(found.flat().every(Number.isFinite), `${distance}: ${found}`);
    }
  }
});

Deno.test("scores that are all equal order nothing: loss and gradients are 0", async () => {
  for (const loss of [cosent(), angle()]) {
    const found = await apply(loss, [2, 2], [[1, 2, 3, 4], [4, 3, 2, 5]], [0.5, 0.5]);
    assert.ok(found.flat().every((x) => x === 0), `${loss.name}: ${found}`);
  }
});

Deno.test("a batch of one row has losses of 0 where rows are compared", async () => {
  assert.deepEqual(await apply(cosent(), [1, 2], [[1, 2], [3, 1]], [0.5]), [[0], [0, 0], [0, 0]]);
  assert.deepEqual((await apply(multipleNegativesRanking(), [1, 2], [[1, 2], [3, 1]]))[0], [0]);
  assert.deepEqual((await apply(onlineContrastive(), [1, 2], [[1, 2], [3, 1]], [1]))[0], [0]);
});

Deno.test("a cleared triplet pulls no more", async () => {
  const found = await apply(triplet({ margin: 1 }), [1, 2], [[0, 0], [0, 1], [0, 3]]);
  assert.deepEqual(found.flat().map(Math.abs), [0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual(await apply(triplet({ margin: 3 }), [1, 2], [[0, 0], [0, 1], [0, 3]]), [[1], [0, 0], [0, 1], [
    0,
    -1,
  ]]);
});

Deno.test("matryoshka of the whole width alone is the loss itself; unit vectors stay what they are", async () => {
  const columns = [[0.6, 0.8, 1, 0], [0, 1, 0.8, 0.6]];
  const inner = multipleNegativesRanking();
  const found = await apply(matryoshka(inner, { dimensions: [2], weights: [2] }), [2, 2], columns);
  const [expected] = await apply(inner, [2, 2], columns);
  assert.ok(Math.abs(found[0]![0]! - 2 * expected![0]!) < 1e-5);
});

Deno.test("what a loss cannot do is refused by name", async () => {
  const ranking = multipleNegativesRanking();
  assert.throws(() => matryoshka(softmax(), { dimensions: [2] }), UsageError);
  assert.throws(() => matryoshka(ranking, { dimensions: [] }), UsageError);
  assert.throws(() => matryoshka(ranking, { dimensions: [1.5] }), UsageError);
  assert.throws(() => matryoshka(ranking, { dimensions: [2, 1], weights: [1] }), UsageError);
  for (const weight of [-1, NaN, Infinity]) {
    assert.throws(() => matryoshka(ranking, { dimensions: [2], weights: [weight] }), /cannot weigh/);
  }
  assert.throws(() => multipleNegativesRanking({ directions: ["doc_to_query"] }), UsageError);
  await assert.rejects(apply(matryoshka(ranking, { dimensions: [4] }), [1, 2], [[1, 2], [3, 1]]), UsageError);
  await assert.rejects(apply(angle(), [1, 3], [[1, 2, 3], [3, 1, 2]], [1]), UsageError);
});

Deno.test("a softmax head depends on the seed and on nothing else, within ±1/√k of its k features", () => {
  const head = (seed: number) => softmax({ classes: 2, multiplication: true }).head!(5, seed);
  assert.deepEqual(head(1), head(1));
  assert.notDeepEqual(head(1), head(2));
  const { data, shape } = head(1)["classifier.weight"]!;
  assert.deepEqual(shape, [2, 20]);
  assert.ok(data.every((x) => Math.abs(x) <= 1 / Math.sqrt(20)));
  assert.ok(Math.max(...data) > 0.15 && Math.min(...data) < -0.15, "the whole range is used");
  assert.equal(softmax({ frozen: true }).head!(5, 1)["classifier.weight"]!.trained, false);
});
