import assert from "node:assert/strict";
import { join } from "node:path";
import { openParquet } from "../../lib/data/parquet_file.ts";
import { quantizeEmbeddings } from "../../lib/embed/mod.ts";
import { OUTPUT_PRECISIONS } from "../../lib/embed/quantize.ts";
import { embeddingSink } from "../../lib/pipeline/embedding_file.ts";
import { readEmbeddings, readRanges } from "../../lib/pipeline/embedding_reader.ts";
import { withFolder } from "../folder.ts";

const ROWS = 2500; // more than a row group
const WIDTH = 11;
const data = Float32Array.from({ length: ROWS * WIDTH }, (_, i) => Math.sin(i * i));
const whole = { data, width: WIDTH, rows: ROWS };
const texts = Array.from({ length: ROWS }, (_, i) => `text "${i}"`);

/** Writes all rows in three parts. */
async function write(path: string, options: Parameters<typeof embeddingSink>[1]) {
  const sink = await embeddingSink(path, options);
  for (const [from, to] of [[0, 1], [1, 2100], [2100, ROWS]] as const) {
    await sink.write(
      { data: data.subarray(from * WIDTH, to * WIDTH), width: WIDTH, rows: to - from },
      { texts: texts.slice(from, to) },
    );
  }
  await sink.finish();
}

for (const precision of OUTPUT_PRECISIONS) {
  Deno.test(`files of ${precision} hold what quantising all at once gives, and are read as they were written`, () =>
    withFolder(async (folder) => {
      const expected = quantizeEmbeddings(whole, precision);
      for (const format of ["npy", "safetensors", "parquet"]) {
        const path = join(folder, `e.${format}`);
        await write(path, { precision });
        const bits = precision.endsWith("binary");
        const said = format === "npy" && bits ? { precision, width: WIDTH } : {};
        assert.deepEqual(await readEmbeddings(path, said), expected, format);
        if (expected.ranges !== undefined) assert.deepEqual(await readRanges(path), expected.ranges);
      }
      const names = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
      const beside = expected.ranges === undefined ? [] : ["e.ranges.npy"];
      assert.deepEqual(names, ["e.npy", "e.parquet", ...beside, "e.safetensors"]);
      const file = await openParquet(join(folder, "e.parquet"));
      assert.deepEqual(await file.column("text", 2098, 2102), texts.slice(2098, 2102));
      file.close();
    }));
}

Deno.test("a file that does not say what it is, that is cut, or that has no ranges is refused; nothing is left behind", () =>
  withFolder(async (folder) => {
    const path = join(folder, "e.npy");
    await write(path, { precision: "ubinary" });
    await assert.rejects(readEmbeddings(path), /does not say what its bytes are/);
    await assert.rejects(readEmbeddings(path, { precision: "ubinary", width: 20 }), /another width/);
    await assert.rejects(readRanges(join(folder, "none.npy")), /cannot be read/);
    await write(path, {});
    await assert.rejects(readRanges(path), /no ranges in the file/);
    await assert.rejects(readEmbeddings(path, { precision: "int8" }), /are not int8/);
    await Deno.writeFile(path, (await Deno.readFile(path)).subarray(0, 5000));
    await assert.rejects(readEmbeddings(path), /not a matrix of numpy/);
    await assert.rejects(readEmbeddings(join(folder, "e.txt")), /no such format/);
    const sink = await embeddingSink(join(folder, "one.npy"), { precision: "int8" });
    await sink.write({ data: data.subarray(0, WIDTH), width: WIDTH, rows: 1 }, { texts: ["a"] });
    await assert.rejects(sink.finish(), /single text has no ranges/);
    await sink.abandon();
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["e.npy"]);
  }));
