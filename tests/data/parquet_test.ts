import { parquetMetadataAsync } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import assert from "node:assert/strict";
import { join } from "node:path";
import { parquetSink, writeParquet } from "../../lib/data/parquet.ts";
import { readTable } from "../../lib/data/table.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
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

Deno.test("a damaged file is refused, and nothing is left that fails later", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const rows = 300;
    const texts = Array.from({ length: rows }, (_, row) => `text ${row % 90} ${"x".repeat(row % 7)}`);
    const columnData = [
      { name: "a", data: texts, type: "STRING" as const },
      { name: "b", data: texts.map((text) => ({ text, list: [text.length] })), type: "VARIANT" as const },
      { name: "c", data: texts.map((text, row) => row % 3 ? text : null), type: "STRING" as const },
      { name: "d", data: texts.map((_, row) => BigInt(row)), type: "INT64" as const },
    ];
    const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100 }));
    const random = randomStream(1, randomPurpose("shuffle"));
    let refused = 0;
    for (let attempt = 0; attempt < 200; attempt++) {
      const damaged = bytes.slice();
      for (let flips = 1 + random.int(4); flips > 0; flips--) damaged[random.int(bytes.length)] = random.int(256);
      await Deno.writeFile(path, damaged);
      try {
        assert.ok((await readTable(path)).rows > 0);
      } catch (error) {
        assert.ok(error instanceof DatasetError, String(error));
        assert.ok(error.where!.startsWith(path));
        refused++;
      }
    }
    assert.ok(refused > 50);
    await new Promise((resolve) => setTimeout(resolve, 50)); // a rejection that no one catches ends the process
  });
});

Deno.test("thousands of columns, in time that grows as their number", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.parquet");
    const columns = Object.fromEntries(Array.from({ length: 4000 }, (_, i) => [`c${i}`, Int32Array.of(i)]));
    await writeParquet(path, { columns, rows: 1 });
    const started = performance.now();
    const table = await readTable(path);
    assert.deepEqual(table.columns.get("c3999"), [3999]);
    assert.ok(performance.now() - started < 15_000, "40 s where each column walks the description of all");
  });
});
