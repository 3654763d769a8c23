/** Golden numbers, and how near to them results must be. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";

/** The path of a file in this folder. */
export function goldenPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

/** All tensors of a file in this folder, as f32. */
export async function goldenTensors(name: string): Promise<ReadonlyMap<string, Float32Array>> {
  const reader = await openTensors(goldenPath(name));
  const tensors = new Map<string, Float32Array>();
  for (const key of reader.tensors.keys()) {
    const isInteger = reader.tensors.get(key)!.dtype === "I32";
    tensors.set(key, isInteger ? Float32Array.from(await reader.readI32(key)) : await reader.readF32(key));
  }
  reader.close();
  return tensors;
}

/** The entries of a map below a prefix, without it. */
export function below(tensors: ReadonlyMap<string, Float32Array>, prefix: string): Map<string, Float32Array> {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, values]) => [name.slice(prefix.length), values]));
}

/** The largest absolute value. */
export function largest(values: Iterable<number>): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}

/** max|a − b| ≤ tolerance · scale; the scale is the largest expected value if none is given. */
export function assertNear(
  name: string,
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  scale = largest(Array.from(expected)),
): void {
  assert.equal(found.length, expected.length, `${name}: number of values`);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    assert.ok(difference <= tolerance * scale, `${name}[${i}]: ${found[i]} instead of ${expected[i]} (scale ${scale})`);
  }
}

/**
 * Gradients of a whole model: max|a − b| ≤ 10⁻⁴ · max(max|b|, 10⁻³ · the model's largest entry).
 *
 * Where the true gradient is 0 (the biases of keys: softmax does not see them) there is nothing but rounding, measured
 * against an oracle in float64. PyTorch's own float32 leaves up to 1.5 · 10⁻⁷ of the model's largest entry there;
 * 5 · 10⁻⁷ is allowed.
 */
export function assertGradients(
  found: ReadonlyMap<string, ArrayLike<number>>,
  expected: ReadonlyMap<string, Float32Array>,
): void {
  assert.deepEqual([...found.keys()].sort(), [...expected.keys()].sort());
  const most = Math.max(...[...expected.values()].map(largest));
  for (const [name, values] of expected) {
    const own = largest(values);
    const isZero = own < 1e-12 * most;
    assertNear(
      `gradient of ${name}`,
      found.get(name)!,
      values,
      isZero ? 5e-7 : 1e-4,
      isZero ? most : Math.max(own, 1e-3 * most),
    );
  }
}
