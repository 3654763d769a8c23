import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors, type TensorToWrite, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { staticEmbedding } from "../../lib/model/families/static.ts";

const WIDTH = 4;

/** The table that a family reads for so many tokens from tensors of model2vec. */
async function tableOf(tensors: readonly TensorToWrite[], tokens: number): Promise<Float32Array> {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "model.safetensors");
  try {
    await writeSafetensors(path, tensors);
    const reader = await openTensors(path);
    try {
      const initial = staticEmbedding.initial!(reader, path)!;
      const table = new Float32Array(tokens * WIDTH);
      let at = 0;
      const pieces = await initial("embedding.weight", { shape: [tokens, WIDTH], kind: "table" });
      for await (const piece of pieces instanceof Float32Array ? [pieces] : pieces) {
        table.set(piece, at);
        at += piece.length;
      }
      assert.equal(at, table.length);
      return table;
    } finally {
      reader.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const embeddings = (rows: number): TensorToWrite => ({
  name: "embeddings",
  shape: [rows, WIDTH],
  data: Float32Array.from({ length: rows * WIDTH }, (_, i) => Math.sin(i)),
});

Deno.test("tokens share rows, and each has its weight, in pieces of any number", async () => {
  const tokens = 10_000;
  const [rows, mapping] = [embeddings(300), Int32Array.from({ length: tokens }, (_, i) => (i * 7) % 300)];
  const weights = Float32Array.from({ length: tokens }, (_, i) => 1 / (1 + i % 11));
  const expected = Float32Array.from(
    { length: tokens * WIDTH },
    (_, i) => weights[Math.floor(i / WIDTH)]! * rows.data[mapping[Math.floor(i / WIDTH)]! * WIDTH + i % WIDTH]!,
  );
  const table = await tableOf([
    rows,
    { name: "mapping", shape: [tokens], data: mapping, dtype: "I32" },
    { name: "weights", shape: [tokens], data: weights },
  ], tokens);
  assert.deepEqual(table, expected);
});

Deno.test("rows behind those of tokens are left out; a token without one is an error", async () => {
  const rows = embeddings(20);
  assert.deepEqual(await tableOf([rows], 15), rows.data.subarray(0, 15 * WIDTH));
  const missing = /a token has no row of its own/;
  await assert.rejects(tableOf([rows], 21), missing);
  const mapping = { name: "mapping", shape: [2], data: Int32Array.of(0, 20), dtype: "I32" } as const;
  await assert.rejects(tableOf([rows, mapping], 2), missing);
});
