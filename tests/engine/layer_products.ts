/** Products of layers in a precision of 16 bits, beside sums in double precision of factors that are rounded to it. */
import assert from "node:assert/strict";
import type { Engine } from "../../lib/engine/engine.ts";

/** All ways to transpose two factors. */
export const TRANSPOSES = [[false, false], [false, true], [true, false], [true, true]] as const;

/** Numbers that look as if drawn, from −3 to 3. */
export const numbers = (size: number, seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * 3);

/** What was multiplied, and the result. */
export interface LayerProduct {
  readonly found: Float32Array;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** What it was added to. */
  readonly z: Float32Array;
}

/** op(x) op(y) + z of sizes [m, n, k], as a layer's or not. */
export async function layerProduct(
  engine: Engine,
  sizes: readonly number[],
  transposes: readonly boolean[],
  isLayer: boolean,
): Promise<LayerProduct> {
  const [m, n, k] = sizes as [number, number, number];
  const [transposeA, transposeB] = transposes as [boolean, boolean];
  const [x, y, z] = [numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3)];
  engine.enter();
  const a = engine.upload(x, transposeA ? [k, m] : [m, k]);
  const b = engine.upload(y, transposeB ? [n, k] : [k, n]);
  const out = engine.upload(z, [m, n]);
  engine.matmul(a, b, { transposeA, transposeB, out, accumulate: true, isLayer });
  const found = await engine.read(out) as Float32Array;
  engine.exit();
  return { found, x, y, z };
}

/** That the factors were rounded and the sums were not. */
export function assertRounded(
  one: LayerProduct,
  sizes: readonly number[],
  transposes: readonly boolean[],
  rounded: (values: Float32Array) => Float32Array,
): void {
  const [m, n, k] = sizes as [number, number, number];
  const [x, y] = [rounded(one.x), rounded(one.y)];
  const [rowOfX, columnOfX] = transposes[0] ? [1, m] : [k, 1];
  const [rowOfY, columnOfY] = transposes[1] ? [1, k] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let [sum, size] = [one.z[i * n + j]!, 1];
      for (let p = 0; p < k; p++) {
        const product = x[i * rowOfX + p * columnOfX]! * y[p * rowOfY + j * columnOfY]!;
        sum += product;
        size += Math.abs(product);
      }
      const found = one.found[i * n + j]!;
      assert.ok(Math.abs(found - sum) <= 1e-6 * size, `[${sizes}] ${transposes} at ${i}, ${j}: ${found}, not ${sum}`);
    }
  }
}
