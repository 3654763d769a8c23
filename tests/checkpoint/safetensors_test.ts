import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { CheckpointError } from "../../lib/error.ts";
import { withFolder } from "../folder.ts";

/** A file of the given header and data; `length` overrides what it says of its header. */
function fileOf(header: unknown, data: Uint8Array | number = 0, length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

const tensor = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

Deno.test("what is written is read again", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    const weights = Float32Array.of(1.5, -2, 3.25, 1e-30, -0, Infinity);
    await writeSafetensors(path, [
      { name: "w", shape: [2, 3], data: weights },
      { name: "half", shape: [3], data: Float32Array.of(1, 65504, 1 / 3), dtype: "F16" },
      { name: "i", shape: [2], data: Int32Array.of(-1, 2 ** 31 - 1) },
      { name: "none", shape: [0, 4], data: new Float32Array(0) },
      { name: "scalar", shape: [], data: Float32Array.of(7) },
    ], { step: "3" });
    const bytes = await Deno.readFile(path);
    assert.equal(new DataView(bytes.buffer).getBigUint64(0, true) % 8n, 0n);
    const reader = await openTensors(path);
    assert.deepEqual({ ...reader.metadata }, { format: "pt", step: "3" });
    assert.deepEqual(await reader.readF32("w"), weights);
    assert.deepEqual([...await reader.readF32("half")], [1, 65504, Math.f16round(1 / 3)]);
    assert.deepEqual([...await reader.readI32("i")], [-1, 2 ** 31 - 1]);
    assert.equal((await reader.readF32("none")).length, 0);
    assert.deepEqual([...await reader.readF32("scalar")], [7]);
    assert.deepEqual(reader.tensors.get("w")!.shape, [2, 3]);
    await assert.rejects(reader.readF32("absent"), CheckpointError);
    await assert.rejects(reader.readF32("i"), CheckpointError);
    await assert.rejects(reader.readI32("w"), CheckpointError);
    reader.close();
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["model.safetensors"]);
  }));

Deno.test("pieces are whole rows, one after the other, of several tensors at once", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const numbers = (size: number) => Float32Array.from({ length: size }, (_, i) => i % 2048);
    const all = [
      { name: "large", shape: [5, 600_000], data: numbers(3_000_000) },
      { name: "half", shape: [2_200_001], data: numbers(2_200_001), dtype: "F16" as const },
      { name: "none", shape: [4, 0], data: numbers(0) },
    ];
    await writeSafetensors(path, all);
    const reader = await openTensors(path);
    const found = await Promise.all(all.map(async ({ name, shape }) => {
      const values: number[] = [];
      for await (const piece of reader.piecesF32(name)) {
        assert.equal(piece.length % shape.slice(1).reduce((product, n) => product * n, 1), 0);
        piece.forEach((value) => values.push(value));
      }
      return values;
    }));
    all.forEach(({ data }, i) =>
      assert.ok(data.length === found[i]!.length && data.every((x, at) => x === found[i]![at]))
    );
    reader.close();
  }));

Deno.test("types of the file become f32 and i32", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    const data = new Uint8Array(36);
    const view = new DataView(data.buffer);
    view.setUint16(0, 0x3fc0, true); // bf16 1.5
    view.setUint16(2, 0xc000, true); // bf16 -2
    view.setFloat64(4, 0.1, true);
    view.setBigInt64(12, -5n, true);
    view.setBigInt64(20, 2n ** 31n, true);
    view.setBigInt64(28, 2n ** 31n - 1n, true);
    const header = {
      bf16: tensor(0, 4, [2], "BF16"),
      f64: tensor(4, 12, [1], "F64"),
      i64: tensor(12, 20, [1], "I64"),
      tooLarge: tensor(20, 28, [1], "I64"),
      largest: tensor(28, 36, [1], "I64"),
    };
    await Deno.writeFile(path, fileOf(header, data));
    const reader = await openTensors(path);
    // All at once: reads of one file must not disturb each other.
    const [bf16, f64, i64, largest] = await Promise.all([
      reader.readF32("bf16"),
      reader.readF32("f64"),
      reader.readI32("i64"),
      reader.readI32("largest"),
    ]);
    assert.deepEqual([...bf16], [1.5, -2]);
    assert.deepEqual([...f64], [Math.fround(0.1)]);
    assert.deepEqual([...i64, ...largest], [-5, 2 ** 31 - 1]);
    await assert.rejects(reader.readI32("tooLarge"), CheckpointError);
    reader.close();
  }));

Deno.test("a tensor of any type of the format may stand in a file; it is refused when it is read", () =>
  withFolder(async (folder) => {
    const path = join(folder, "x.safetensors");
    for (const dtype of ["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3"]) {
      await Deno.writeFile(path, fileOf({ a: tensor(0, 4), left: tensor(4, 8, [4], dtype) }, 8));
      const reader = await openTensors(path);
      assert.equal((await reader.readF32("a")).length, 1);
      await assert.rejects(reader.readF32("left"), /has a type that is not read/);
      reader.close();
    }
    for (const dtype of ["I16", "U16", "U32", "U64", "I64"]) {
      const bytes = { I16: 2, U16: 2, U32: 4, U64: 8, I64: 8 }[dtype]!;
      await Deno.writeFile(path, fileOf({ left: tensor(0, 2 * bytes, [2], dtype) }, 2 * bytes));
      const reader = await openTensors(path);
      await assert.rejects(reader.readF32("left"), CheckpointError);
      reader.close();
    }
  }));

Deno.test("damaged files are refused before their tensors are read", async (t) => {
  const bad: Record<string, Uint8Array> = {
    "empty file": new Uint8Array(0),
    "seven bytes": new Uint8Array(7),
    "a header of 1 TiB": fileOf({}, 0, 2n ** 40n),
    "a header of 2^64 - 1 bytes": fileOf({}, 0, 2n ** 64n - 1n),
    "a header longer than the file": fileOf({}, 0, 3n),
    "a header that is no JSON": fileOf("{nope"),
    "a header that is a list": fileOf("[]"),
    "a header that is no UTF-8": new Uint8Array([2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]),
    "a tensor that is null": fileOf({ a: null }),
    "a tensor that is a number": fileOf({ a: 1 }),
    "an unknown type": fileOf({ a: tensor(0, 4, [1], "Q4") }, 4),
    "a type named like a method": fileOf({ a: tensor(0, 4, [1], "toString") }, 4),
    "offsets behind the end": fileOf({ a: tensor(0, 8) }, 4),
    "offsets that run backwards": fileOf({ a: { dtype: "F32", shape: [1], data_offsets: [4, 0] } }, 4),
    "negative offsets": fileOf({ a: tensor(-4, 0) }, 4),
    "fractions in the shape": fileOf({ a: tensor(0, 4, [0.5, 2]) }, 4),
    "more bytes than the shape has": fileOf({ a: tensor(0, 8, [1]) }, 8),
    "a shape that overflows": fileOf({ a: tensor(0, 4, [2 ** 40, 2 ** 40]) }, 4),
    "tensors that overlap": fileOf({ a: tensor(0, 8), b: tensor(4, 12) }, 12),
    "the same bytes twice": fileOf({ a: tensor(0, 4), b: tensor(0, 4) }, 4),
    "bytes that no tensor has": fileOf({ a: tensor(0, 4), b: tensor(8, 12) }, 12),
    "bytes behind the last tensor": fileOf({ a: tensor(0, 4) }, 8),
    "a name twice": fileOf(
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}',
      8,
    ),
    "metadata that are no object": fileOf({ __metadata__: "text" }),
  };
  for (const [name, bytes] of Object.entries(bad)) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        const path = join(folder, "x.safetensors");
        await Deno.writeFile(path, bytes);
        await assert.rejects(openTensors(path), CheckpointError);
      }));
  }
});

Deno.test("a file that Git LFS has not fetched says so", () =>
  withFolder(async (folder) => {
    const path = join(folder, "model.safetensors");
    await Deno.writeTextFile(path, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 90868376\n");
    await assert.rejects(openTensors(folder), (error: CheckpointError) => /git lfs pull/.test(error.hint ?? ""));
  }));

Deno.test("folders: shards are read as one, foreign paths and pickles are refused", () =>
  withFolder(async (folder) => {
    await assert.rejects(openTensors(join(folder, "absent")), CheckpointError);
    await assert.rejects(openTensors(folder), /no weights/);
    await Deno.writeTextFile(join(folder, "pytorch_model.bin"), "");
    await assert.rejects(openTensors(folder), (error: CheckpointError) => /pickle/.test(error.message));
    const index = join(folder, "model.safetensors.index.json");
    for (const shard of ["../x.safetensors", "/etc/x.safetensors", 3]) {
      await Deno.writeTextFile(index, JSON.stringify({ weight_map: { a: shard } }));
      await assert.rejects(openTensors(folder), /outside/);
    }
    await Deno.writeTextFile(index, JSON.stringify({ weight_map: { a: "1.safetensors", b: "2.safetensors" } }));
    await assert.rejects(openTensors(folder), CheckpointError);
    await writeSafetensors(join(folder, "1.safetensors"), [{ name: "a", shape: [1], data: Float32Array.of(1) }]);
    await writeSafetensors(join(folder, "2.safetensors"), [{ name: "b", shape: [1], data: Float32Array.of(2) }]);
    const reader = await openTensors(folder);
    assert.deepEqual([...await reader.readF32("a"), ...await reader.readF32("b")], [1, 2]);
    reader.close();
    await writeSafetensors(join(folder, "2.safetensors"), [{ name: "a", shape: [1], data: Float32Array.of(2) }]);
    await assert.rejects(openTensors(folder), /twice/);
  }));

Deno.test("a file that cannot be written leaves nothing behind", () =>
  withFolder(async (folder) => {
    const one = [{ name: "a", shape: [1], data: Float32Array.of(1) }];
    await assert.rejects(writeSafetensors(join(folder, "absent", "x.safetensors"), one), CheckpointError);
    await Deno.mkdir(join(folder, "x.safetensors", "full"), { recursive: true });
    await assert.rejects(writeSafetensors(join(folder, "x.safetensors"), one));
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["x.safetensors"]);
  }));
