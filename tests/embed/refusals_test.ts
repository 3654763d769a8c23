import assert from "node:assert/strict";
import {
  closestPairs,
  dequantizeEmbeddings,
  type Embeddings,
  nearest,
  nearestBits,
  nearestQuantized,
  pairwiseSimilarities,
  quantizeEmbeddings,
  recallOf,
  similarityMatrix,
} from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";

const two: Embeddings = { data: Float32Array.of(1, 0, 0, 1), width: 2, rows: 2 };
const three: Embeddings = { data: Float32Array.of(1, 0, 0, 1, 1, 1), width: 2, rows: 3 };

Deno.test("embeddings that do not fit together, or are not finite, are not compared row by row", () => {
  assert.throws(() => pairwiseSimilarities(two, { ...three, width: 3, rows: 2 }), DatasetError);
  assert.throws(() => pairwiseSimilarities(two, three), /2 rows/);
  assert.throws(() => pairwiseSimilarities({ ...two, data: two.data.subarray(2) }, two), DatasetError);
  for (const value of [NaN, Infinity]) {
    assert.throws(() => pairwiseSimilarities({ ...two, data: Float32Array.of(1, 0, value, 1) }, two), /row 1/);
  }
});

Deno.test("a similarity that there is not is refused, and no other one taken for it", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const similarity = "euclidean" as "dot";
  try {
    await assert.rejects(nearest(engine, two, three, { similarity }), UsageError);
    await assert.rejects(closestPairs(engine, three, { similarity }), UsageError);
    await assert.rejects(
      nearestQuantized(engine, two, quantizeEmbeddings(three, "binary"), { similarity }),
      UsageError,
    );
    assert.throws(() => similarityMatrix("l2" as "dot", two, two), UsageError);
    await assert.rejects(closestPairs(engine, three, { minScore: NaN }), UsageError);
    // Codes would be compared as if they were numbers.
    const codes = quantizeEmbeddings(two, "int8") as unknown as Embeddings;
    await assert.rejects(nearest(engine, codes, three), /Int8Array/);
    await assert.rejects(nearest(engine, two, codes), /Int8Array/);
  } finally {
    engine.close();
  }
});

Deno.test("rows and precisions that there are not are refused", async () => {
  assert.throws(() => quantizeEmbeddings(two, "int4" as "int8"), UsageError);
  const bytes = quantizeEmbeddings(two, "int8");
  assert.throws(() => dequantizeEmbeddings(bytes, 1, 9), DatasetError);
  assert.throws(() => dequantizeEmbeddings(bytes, -1, 1), UsageError);
  const bits = quantizeEmbeddings(two, "binary");
  await assert.rejects(nearestBits({ ...bits, data: new Int8Array(1) }, bits), DatasetError);
  const found = await nearestBits(bits, bits, { k: 1 });
  assert.throws(() => recallOf({ ...found, queries: 1 }, found), DatasetError);
});
