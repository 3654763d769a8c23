import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { CpuOptions } from "../../../lib/engine/cpu/core.ts";
import { openNativeKernels } from "../../../lib/engine/cpu/native.ts";
import type { Engine } from "../../../lib/engine/engine.ts";

/** M, K, N: more columns than rows, more rows than columns, and what is more than a call or the scratch of a thread holds. */
const SIZES = [[5, 400, 700], [300, 800, 40], [140, 385, 33000], [5210, 390, 5300]] as const;

/** The numbers that `size` of them have at `place`. */
const numberAt = (size: number, place: number) => Math.fround((place * 7919 + size) % 1009 / 500 - 1);
const numbers = (size: number) => Float32Array.from({ length: size }, (_, place) => numberAt(size, place));

/** relu(α A Bᵀ + bias), the sums before it, and those of A read as [k, m] added to them. */
async function products(engine: Engine, [m, k, n]: readonly [number, number, number]): Promise<Float32Array[]> {
  engine.enter();
  const [a, b] = [engine.upload(numbers(m * k), [m, k]), engine.upload(numbers(n * k), [n, k])];
  const bias = engine.upload(numbers(n), [n]);
  const preactivation = engine.zeros([m, n]);
  const options = { transposeB: true, scale: 0.5 };
  const y = engine.matmul(a, b, { ...options, bias, activation: "relu", preactivation });
  const sums = await Promise.all([y, preactivation].map((each) => engine.read(each) as Promise<Float32Array>));
  const turned = engine.reshape(a, [k, m]);
  engine.matmul(turned, b, { ...options, transposeA: true, out: preactivation, accumulate: true });
  const added = await engine.read(preactivation) as Float32Array;
  engine.exit();
  return [...sums, added];
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
const isSame = (x: Float32Array, y: Float32Array) => Buffer.compare(bytes(x), bytes(y)) === 0;

Deno.test("whichever factor threads share out, and however many they are, a product has the same bits", async () => {
  const [{ native }, { native: narrow }] = [await openNativeKernels(), await openNativeKernels("avx2")];
  const few: CpuOptions[] = [{ threads: 2, native }, { threads: 6, native }, { threads: 2, native: narrow }];
  const many: CpuOptions[] = [...few, { threads: 1, native }, { threads: 2 }];
  for (const size of SIZES) {
    const [m, k, n] = size;
    let first: Float32Array[] | undefined;
    for (const options of m * n > 1e7 ? few : many) {
      const engine = createCpuEngine(options);
      const found = await products(engine, size);
      engine.close();
      first ??= found;
      const how = `${size}, ${options.threads} threads, ${options.native?.level ?? "WebAssembly"}`;
      found.forEach((values, i) => assert.ok(isSame(values, first![i]!), `${how}, ${i}`));
    }
    for (let sample = 0; sample < 1000; sample++) {
      const [row, column] = [sample * 7919 % m, sample * 104729 % n];
      let [sum, turned] = [0, 0];
      for (let i = 0; i < k; i++) {
        const y = numberAt(n * k, column * k + i);
        sum += numberAt(m * k, row * k + i) * y;
        turned += numberAt(m * k, i * m + row) * y;
      }
      const before = 0.5 * sum + numberAt(n, column);
      const wanted = [Math.max(0, before), before, before + 0.5 * turned];
      wanted.forEach((value, i) => {
        const is = first![i]![row * n + column]!;
        assert.ok(
          Math.abs(is - value) < 1e-6 * (100 + Math.abs(value)),
          `${size}, row ${row}, column ${column}: ${is}, not ${value}`,
        );
      });
    }
  }
});
