import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { openNativeKernels } from "../../../lib/engine/cpu/native.ts";
import type { Engine } from "../../../lib/engine/engine.ts";

/** M, K, N: more columns than rows, more rows than columns, and what is more than a call or the scratch of a thread holds. */
const SIZES = [[5, 400, 700], [300, 800, 40], [70, 385, 33000], [5210, 384, 5200]] as const;

/** The numbers that `size` of them have at `place`. */
const numberAt = (size: number, place: number) => Math.fround((place * 7919 + size) % 1009 / 500 - 1);
const numbers = (size: number) => Float32Array.from({ length: size }, (_, place) => numberAt(size, place));

/** relu(α A Bᵀ + bias), the sums before it, and those added to what was there. */
async function products(engine: Engine, [m, k, n]: readonly [number, number, number]): Promise<Float32Array[]> {
  engine.enter();
  const [a, b] = [engine.upload(numbers(m * k), [m, k]), engine.upload(numbers(n * k), [n, k])];
  const bias = engine.upload(numbers(n), [n]);
  const preactivation = engine.zeros([m, n]);
  const options = { transposeB: true, scale: 0.5 };
  const y = engine.matmul(a, b, { ...options, bias, activation: "relu", preactivation });
  const sums = await Promise.all([y, preactivation].map((each) => engine.read(each) as Promise<Float32Array>));
  engine.matmul(a, b, { ...options, out: preactivation, accumulate: true });
  const added = await engine.read(preactivation) as Float32Array;
  engine.exit();
  return [...sums, added];
}

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
const isSame = (x: Float32Array, y: Float32Array) => Buffer.compare(bytes(x), bytes(y)) === 0;

Deno.test("whichever factor threads share out, and however many they are, a product has the same bits", async () => {
  const { native } = await openNativeKernels();
  for (const size of SIZES) {
    const [m, k, n] = size;
    let first: Float32Array[] | undefined;
    for (const threads of m * n > 1e7 ? [2, 6] : [1, 2, 6]) {
      const engine = createCpuEngine({ threads, native });
      const found = await products(engine, size);
      engine.close();
      first ??= found;
      found.forEach((values, i) => assert.ok(isSame(values, first![i]!), `${size}, ${threads} threads, ${i}`));
    }
    for (let sample = 0; sample < 1000; sample++) {
      const [row, column] = [sample * 7919 % m, sample * 104729 % n];
      let sum = 0;
      for (let i = 0; i < k; i++) sum += numberAt(m * k, row * k + i) * numberAt(n * k, column * k + i);
      const before = 0.5 * sum + numberAt(n, column);
      const wanted = [Math.max(0, before), before, before + 0.5 * sum];
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
