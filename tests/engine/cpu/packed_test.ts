import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { LEVELS, type NativeKernels, openNativeKernels } from "../../../lib/engine/cpu/native.ts";
import type { Engine, MatmulOptions } from "../../../lib/engine/engine.ts";

const numbers = (size: number, seed: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed));
const bytes = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);
const same = (x: Float32Array | Int32Array, y: Float32Array | Int32Array, what = "the same bits") =>
  assert.ok(Buffer.compare(bytes(x), bytes(y)) === 0, what);

/** M, N, K: few rows and many, more columns than rows and fewer, no multiple of a panel or of a slice, one of everything. */
const SIZES = [[7, 1152, 384], [300, 40, 800], [41, 70, 385], [700, 690, 96], [2, 2600, 500], [1, 1, 1]] as const;
const OPTIONS: MatmulOptions[] = [{}, { scale: 0.5, activation: "gelu" }];

/** Kernels by level; undefined: as WebAssembly. */
const WAYS: (NativeKernels | undefined)[] = [undefined];
for (const level of LEVELS) {
  const { native } = await openNativeKernels(level);
  if (native !== undefined) WAYS.push(native);
}

/** A variable with these values, which are written in portions of so many rows. */
function written(engine: Engine, shape: readonly [number, number], values: Float32Array, rows: number, packed = true) {
  const weight = engine.variable(shape, packed ? { storage: "packed" } : {});
  for (let at = 0; at < values.length; at += rows * shape[1]) {
    engine.write(weight, values.subarray(at, at + rows * shape[1]), at);
  }
  return weight;
}

Deno.test("products with a weight that is packed have the bits of those with one that is not", async (t) => {
  for (const native of WAYS) {
    for (const threads of [1, 2, 6]) {
      await t.step(`${native?.level ?? "wasm"}, ${threads} threads`, async () => {
        const engine = createCpuEngine({ threads, native });
        for (const [m, n, k] of SIZES) {
          const values = numbers(n * k, 1);
          const [packed, plain] = [written(engine, [n, k], values, 33), written(engine, [n, k], values, n, false)];
          same(await engine.read(packed), values, `[${n}, ${k}] is read as it was written`);
          engine.enter();
          const [a, bias] = [engine.upload(numbers(m * k, 2), [m, k]), engine.upload(numbers(n, 3), [n])];
          for (const options of OPTIONS) {
            const of = async (weight: typeof packed) =>
              await engine.read(engine.matmul(a, weight, { ...options, transposeB: true, bias }));
            same(await of(packed), await of(plain), `${m}, ${n}, ${k}`);
          }
          engine.exit();
          engine.free(packed);
          engine.free(plain);
        }
        engine.close();
      });
    }
  }
});

Deno.test("a weight that takes the memory of another is 0 where nothing was written", async () => {
  const engine = createCpuEngine({ threads: 1 });
  engine.free(written(engine, [40, 50], numbers(2000, 1), 40));
  const weight = engine.variable([39, 50], { storage: "packed" });
  engine.write(weight, numbers(50, 2), 38 * 50);
  const values = await engine.read(weight);
  assert.ok(values.subarray(0, 38 * 50).every((value) => value === 0));
  same(values.slice(38 * 50), numbers(50, 2));
  engine.close();
});

Deno.test("what is not for a weight that is packed is refused, and nothing is changed", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const weight = written(engine, [6, 4], numbers(24, 1), 6);
  const x = engine.zeros([2, 4]);
  for (
    const wrong of [
      () => engine.matmul(engine.zeros([2, 6]), weight),
      () => engine.matmul(weight, x, { transposeB: true }),
      () => engine.matmul(x, weight, { transposeB: true, out: weight }),
      () => engine.reshape(weight, [4, 6]),
      () => engine.sliceRows(weight, 0, 2),
      () => engine.fill(weight, 1),
      () => engine.copy(weight, engine.zeros([6, 4])),
      () => engine.addTo(weight, engine.zeros([6, 4])),
      () => engine.gather(weight, engine.zeros([1], "i32")),
      () => engine.write(weight, new Float32Array(3)),
      () => engine.write(weight, new Float32Array(4), 24),
      () => engine.variable([2, 3, 4], { storage: "packed" }),
    ]
  ) assert.throws(wrong, { name: "EngineError" }, `${wrong}`);
  same(await engine.read(weight), numbers(24, 1));
  engine.close();
});

Deno.test("in bf16 a weight stays as it is: products round both factors", async () => {
  const { native } = await openNativeKernels();
  if (native === undefined || !native.level.includes("bf16")) return;
  const engine = createCpuEngine({ threads: 1, native, precision: "bf16" });
  const weight = written(engine, [6, 4], numbers(24, 1), 6);
  engine.fill(weight, 2);
  assert.deepEqual(await engine.read(weight), new Float32Array(24).fill(2));
  engine.close();
});
