import assert from "node:assert/strict";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { epochBatches } from "../../lib/train/batches.ts";
import { numberTexts } from "../../lib/train/distinct_batches.ts";

Deno.test("epochBatches() uses every row once, and shuffles each epoch anew from the seed", () => {
  const rowsOf = (seed: number, epoch: number) =>
    epochBatches(103, { batchSize: 10, seed, epoch }).flatMap(({ rows }) => [...rows]);
  const first = rowsOf(1, 0);
  assert.deepEqual([...first].sort((a, b) => a - b), Array.from({ length: 103 }, (_, i) => i));
  assert.deepEqual(first, rowsOf(1, 0));
  assert.notDeepEqual(first, rowsOf(1, 1));
  assert.notDeepEqual(first, rowsOf(2, 0));
});

Deno.test("epochBatches() without shuffling keeps the order of the file", () => {
  const batches = epochBatches(5, { batchSize: 2, seed: 1, epoch: 7, shuffle: false });
  assert.deepEqual(batches.map(({ rows }) => [...rows]), [[0, 1], [2, 3], [4]]);
  assert.deepEqual(batches.map(({ epoch }) => epoch), [7, 7, 7], "batches know their epoch");
});

Deno.test("epochBatches() puts no text twice into a batch, with 30 % repeats, and loses no row", () => {
  const rows = 1000;
  const anchors = Array.from({ length: rows }, (_, i) => `a${i % 700}`);
  // Some positives are other rows' anchors: a text may not come back in another column either.
  const positives = Array.from({ length: rows }, (_, i) => i % 10 === 0 ? `a${(i * 7) % 700}` : `p${i % 700}`);
  const batches = epochBatches(rows, { batchSize: 16, seed: 3, epoch: 0, distinct: numberTexts([anchors, positives]) });
  const seen = batches.flatMap(({ rows }) => [...rows]);
  assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: rows }, (_, i) => i));
  for (const { rows } of batches) {
    const texts = [...rows].flatMap((row) => [...new Set([anchors[row]!, positives[row]!])]);
    assert.equal(new Set(texts).size, texts.length);
  }
  assert.ok(batches.length < 1.2 * rows / 16, `${batches.length} batches`);
});

/** Row after row, from the first one that is left: what `epochBatches` must come to, whatever its order of looking. */
function greedy(order: readonly number[], batchSize: number, columns: readonly (readonly string[])[]): number[][] {
  let left = [...order];
  const batches: number[][] = [];
  while (left.length > 0) {
    const [batch, taken]: [number[], Set<string>] = [[], new Set()];
    left = left.filter((row) => {
      const texts = columns.map((column) => column[row]!);
      if (batch.length === batchSize || texts.some((text) => taken.has(text))) return true;
      texts.forEach((text) => taken.add(text));
      batch.push(row);
      return false;
    });
    batches.push(batch);
  }
  return batches;
}

Deno.test("distinct texts: the batches are those of looking at every row that is left, for any kind of repeats", () => {
  const random = randomStream(7, randomPurpose("sample"));
  const draw = (n: number) => Math.floor(n * random.uniform());
  for (let trial = 0; trial < 300; trial++) {
    const [rows, batchSize, count] = [1 + draw(60), 1 + draw(9), 1 + draw(3)];
    const kinds = Array.from({ length: count }, () => 1 + draw(draw(2) === 0 ? 4 : 80));
    const columns = kinds.map((kind) => Array.from({ length: rows }, () => `t${draw(kind)}`));
    const options = { batchSize, seed: trial, epoch: 0 };
    const order = epochBatches(rows, options).flatMap(({ rows }) => [...rows]);
    const found = epochBatches(rows, { ...options, distinct: numberTexts(columns) }).map(({ rows }) => [...rows]);
    assert.deepEqual(found, greedy(order, batchSize, columns));
  }
});

Deno.test("a text that stands in every row gives batches of one row, soon", () => {
  const columns = [Array.from({ length: 100_000 }, (_, i) => `a${i}`), new Array<string>(100_000).fill("yes")];
  const batches = epochBatches(100_000, { batchSize: 32, seed: 1, epoch: 0, distinct: numberTexts(columns) });
  assert.equal(batches.length, 100_000);
});
