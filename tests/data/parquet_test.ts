import { parquetMetadataAsync } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import assert from "node:assert/strict";
import { join } from "node:path";
import { parquetSink, writeParquet } from "../../lib/data/parquet.ts";
import { openParquet, readColumns } from "../../lib/data/parquet_file.ts";
import { DatasetError } from "../../lib/error.ts";
import { withFolder } from "../folder.ts";

Deno.test("columns come back in the types that were written, whatever their names, also without rows", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const columns = {
      label: Float64Array.of(0.5, 1.5),
      count: ["three", "four"],
      anything: Int32Array.of(-1, 2 ** 31 - 1),
      constructor: Float64Array.of(NaN, -0),
    };
    await writeParquet(path, { columns, rows: 2 });
    assert.deepEqual(await readColumns(path), { columns, rows: 2 });

    const none = { label: new Float64Array(), count: [], anything: new Int32Array() };
    await writeParquet(path, { columns: none, rows: 0 });
    assert.deepEqual(await readColumns(path), { columns: none, rows: 0 });
  });
});

Deno.test("a range of rows, across row groups, of some of the columns", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const sink = await parquetSink(path, { text: "text", number: "int32" });
    const rows = [10_500, 3, 700];
    let row = 0;
    for (const count of rows) {
      const numbers = Int32Array.from({ length: count }, () => row++);
      await sink.write({ text: Array.from(numbers, (n) => `text ${n}`), number: numbers }, count);
    }
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound); // not before it is whole
    await sink.finish();
    const all = await readColumns(path);
    assert.equal(all.rows, row);
    assert.deepEqual(all.columns.number, Int32Array.from({ length: row }, (_, i) => i));
    for (const [rowStart, rowEnd] of [[0, 1], [9_990, 10_510], [10_499, 10_504], [11_202, 99_999], [5, 5]] as const) {
      const { columns, rows } = await readColumns(path, { columns: ["text"], rowStart, rowEnd });
      assert.equal(rows, Math.min(rowEnd, row) - rowStart);
      assert.deepEqual(columns, { text: (all.columns.text as string[]).slice(rowStart, rowEnd) });
    }
    const file = await openParquet(path);
    assert.deepEqual(file.groupEnds, [10_000, 10_500, 10_503, 11_203]);
    file.close();
    assert.deepEqual((await Array.fromAsync(Deno.readDir(folder))).length, 1);
  });
});

Deno.test("vectors are lists of float32", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const sink = await parquetSink(path, { id: "int32", vector: "vector" });
    await sink.write({ id: Int32Array.of(1, 2), vector: Float32Array.of(0.1, 0.2, 0.3, 1, 2, 3) }, 2);
    await sink.finish();
    const bytes = await Deno.readFile(path);
    const { schema } = await parquetMetadataAsync({
      byteLength: bytes.length,
      slice: (a, b) => bytes.buffer.slice(a, b),
    });
    assert.equal(schema.at(-1)!.type, "FLOAT");
    const file = await openParquet(path);
    const vectors = await file.cells("vector", 0, 2);
    file.close();
    assert.deepEqual(vectors, [[...Float32Array.of(0.1, 0.2, 0.3)], [1, 2, 3]]);
  });
});

Deno.test("what is not written whole leaves nothing", async () => {
  await withFolder(async (folder) => {
    const sink = await parquetSink(join(folder, "a.parquet"), { id: "int32" });
    await assert.rejects(() => sink.write({ id: Int32Array.of(1) }, 2), DatasetError);
    await sink.abandon();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder)), []);
  });
});

Deno.test("an empty cell, a number that is too large, an unknown column", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const columnData = [
      { name: "text", data: ["a", null], type: "STRING" as const },
      { name: "large", data: [1n, 2n ** 60n], type: "INT64" as const },
    ];
    await Deno.writeFile(path, new Uint8Array(parquetWriteBuffer({ columnData })));
    await assert.rejects(() => readColumns(path, { columns: ["text"] }), { where: `${path}:2`, expected: "text" });
    await assert.rejects(() => readColumns(path, { columns: ["large"] }), { where: `${path}:2` });
    assert.deepEqual((await readColumns(path, { columns: ["large"], rowEnd: 1 })).columns.large, Float64Array.of(1));
    await assert.rejects(() => readColumns(path, { columns: ["txt"] }), { found: "text, large" });
  });
});
