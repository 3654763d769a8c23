import assert from "node:assert/strict";
import { epochBatches } from "../../lib/train/batches.ts";

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
  const batches = epochBatches(rows, { batchSize: 16, seed: 3, epoch: 0, distinct: [anchors, positives] });
  const seen = batches.flatMap(({ rows }) => [...rows]);
  assert.deepEqual([...seen].sort((a, b) => a - b), Array.from({ length: rows }, (_, i) => i));
  for (const { rows } of batches) {
    const texts = [...rows].flatMap((row) => [...new Set([anchors[row]!, positives[row]!])]);
    assert.equal(new Set(texts).size, texts.length);
  }
  assert.ok(batches.length < 1.2 * rows / 16, `${batches.length} batches`);
});
