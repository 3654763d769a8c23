/** What products of matrices have on WebGPU alone: tiles of many shapes, and numbers that are read by four. */
import assert from "node:assert/strict";
import type { Engine, Handle, MatmulOptions } from "../../../lib/engine/engine.ts";
import { findAdapter, openAdapter } from "../../../lib/engine/webgpu/engine.ts";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { nameOf, TILES, tilesWithin } from "../../../lib/engine/webgpu/tiles.ts";
import { hasWebgpu } from "../engines.ts";

const ignore = !hasWebgpu;

const numbers = (size: number, seed: number, scale = 3) =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * scale);
const bitsOf = (values: Float32Array | Int32Array) => new Uint32Array(values.buffer);

/** Batch, M, N, K: less than a tile of any shape, more than all of them, and rows that begin at every fourth element. */
const SIZES = [[1, 1, 1, 1], [1, 3, 5, 7], [1, 65, 33, 17], [3, 9, 7, 5], [1, 132, 136, 36], [2, 20, 12, 40]] as const;
/** With each of these what follows the sums. */
const FORMS = [
  { transposeA: false, transposeB: false },
  { transposeA: false, transposeB: true, bias: true, activation: "silu" },
  { transposeA: true, transposeB: false, scale: 0.3, accumulate: true },
  { transposeA: true, transposeB: true, scale: -2, bias: true, accumulate: true, activation: "relu" },
] as const satisfies readonly (Omit<MatmulOptions, "bias"> & { readonly bias?: true })[];
type Form = Omit<MatmulOptions, "bias"> & { readonly bias?: true };

/** A product, and the value before its activation. */
async function multiply(
  engine: Engine,
  [batch, m, n, k]: typeof SIZES[number],
  { bias, activation, ...rest }: Form,
): Promise<readonly Uint32Array[]> {
  const shape = (...sizes: readonly number[]) => batch === 1 ? sizes : [batch, ...sizes];
  engine.enter();
  const a = engine.upload(numbers(batch * m * k, 1), rest.transposeA ? shape(k, m) : shape(m, k));
  const b = engine.upload(numbers(batch * k * n, 2), rest.transposeB ? shape(n, k) : shape(k, n));
  const out = engine.upload(numbers(batch * m * n, 3), shape(m, n));
  const preactivation = activation && engine.upload(new Float32Array(batch * m * n), shape(m, n));
  const added = bias && engine.upload(numbers(n, 4), [n]);
  engine.matmul(a, b, { ...rest, bias: added, activation, preactivation, out });
  const found = [bitsOf(await engine.read(out))];
  if (preactivation !== undefined) found.push(bitsOf(await engine.read(preactivation)));
  engine.exit();
  return found;
}

Deno.test({
  name: "webgpu: no shape of a product's tiles changes a bit of it",
  ignore,
  fn: async () => {
    const engines = await Promise.all(TILES.map(async (tile) => await openAdapter((await findAdapter())!, { tile })));
    for (const size of SIZES) {
      for (const form of FORMS) {
        const [expected, ...others] = await Promise.all(engines.map((engine) => multiply(engine, size, form)));
        for (const [i, found] of others.entries()) {
          assert.deepEqual(found, expected, `${nameOf(TILES[i + 1]!)}: [${size}] ${JSON.stringify(form)}`);
        }
      }
    }
    for (const engine of engines) engine.close();
  },
});

Deno.test({
  name: "webgpu: rows that begin anywhere give the bits of those that begin at every fourth element",
  ignore,
  fn: async () => {
    const engine = await createWebgpuEngine();
    const [m, n, k] = [12, 20, 24];
    const moved = (values: Float32Array, shape: readonly number[]): Handle => {
      const held = engine.upload(Float32Array.of(9, ...values), [values.length + 1]);
      return { ...held, shape, first: 1 } as Handle;
    };
    const plain = (values: Float32Array, shape: readonly number[]) => engine.upload(values, shape);
    for (const { transposeA, transposeB } of FORMS.slice(0, 3)) {
      const product = async (places: readonly (typeof plain)[]) => {
        const out = places[2]!(numbers(m * n, 3), [m, n]);
        const bias = places[3]!(numbers(n, 4), [n]);
        engine.matmul(
          places[0]!(numbers(m * k, 1), transposeA ? [k, m] : [m, k]),
          places[1]!(numbers(k * n, 2), transposeB ? [n, k] : [k, n]),
          { transposeA, transposeB, out, bias, scale: 0.3, accumulate: true },
        );
        return bitsOf(await engine.read(out));
      };
      const expected = await product([plain, plain, plain, plain]);
      for (let i = 0; i < 4; i++) {
        const places = [plain, plain, plain, plain].with(i, moved);
        assert.deepEqual(await product(places), expected, `tensor ${i}, ${transposeA} ${transposeB}`);
      }
    }
    engine.close();
  },
});

Deno.test("a shape of tiles that a device has no room for is no candidate", () => {
  const limits = {
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupStorageSize: 16384,
  } as GPUSupportedLimits;
  assert.deepEqual(tilesWithin(limits), TILES); // what every device of WebGPU has
  const names = (less: Partial<GPUSupportedLimits>) => tilesWithin({ ...limits, ...less }).map(nameOf);
  const all = TILES.map(nameOf);
  assert.deepEqual(names({ maxComputeWorkgroupStorageSize: 16383 }), all.slice(0, -1));
  assert.deepEqual(names({ maxComputeInvocationsPerWorkgroup: 128 }), all.slice(1, 4));
  assert.deepEqual(names({ maxComputeWorkgroupSizeX: 64 }), [all[1]]);
});
