import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { LEVELS, type NativeKernels, openNativeKernels, roundedBy } from "../../../lib/engine/cpu/native.ts";
import { assertRounded, layerProduct, numbers, TRANSPOSES } from "../layer_products.ts";

/** Every set of instructions here that has products of 16 bits. */
const levels: NativeKernels[] = [];
for (const level of LEVELS) {
  const { native } = await openNativeKernels(level);
  if (native !== undefined && roundedBy(native) !== undefined) levels.push(native);
}
const open = (native: NativeKernels, threads: number) => createCpuEngine({ threads, native, precision: "bf16" });

/** The nearest numbers of 16 bits, of two the even one. */
function rounded(x: Float32Array): Float32Array {
  const result = x.slice();
  const bits = new Uint32Array(result.buffer);
  for (let i = 0; i < bits.length; i++) bits[i] = bits[i]! + 0x7fff + (bits[i]! >>> 16 & 1) & 0xffff0000;
  return result;
}

for (const native of levels) {
  Deno.test(`${native.level}: factors of layers are rounded to bf16, the sums keep 32 bits, on one thread as on two`, async () => {
    const engines = [open(native, 1), open(native, 2)];
    for (
      const sizes of [[1, 1, 1], [5, 7, 3], [14, 32, 2], [33, 37, 65], [200, 70, 391], [15, 33, 768], [333, 64, 33]]
    ) {
      for (const transposes of TRANSPOSES) {
        const [one, two] = [
          await layerProduct(engines[0]!, sizes, transposes, true),
          await layerProduct(engines[1]!, sizes, transposes, true),
        ];
        assert.deepEqual(two.found, one.found);
        assertRounded(one, sizes, transposes, rounded);
      }
    }
    for (const engine of engines) engine.close();
  });

  Deno.test(`${native.level}: a row has the same bits whatever stands beside it, added to something or not`, async () => {
    const engine = open(native, 1);
    const [m, n, k] = [75, 70, 800];
    const [x, y] = [numbers(m * k, 1), engine.upload(numbers(n * k, 2), [n, k])];
    const rowsFrom = async (first: number, count: number, adds: boolean) => {
      const a = engine.upload(x.subarray(first * k, (first + count) * k), [count, k]);
      const out = engine.full([count, n], 0);
      engine.matmul(a, y, { transposeB: true, isLayer: true, out, accumulate: adds });
      return await engine.read(out);
    };
    const all = await rowsFrom(0, m, false);
    assert.deepEqual(await rowsFrom(0, m, true), all);
    for (const [first, count] of [[0, 1], [31, 2], [64, 11], [20, 55]] as const) {
      assert.deepEqual(await rowsFrom(first, count, false), all.slice(first * n, (first + count) * n));
    }
    engine.close();
  });

  Deno.test(`${native.level}: bias and activation follow the sums, whole as in parts`, async () => {
    const engine = open(native, 2);
    const [m, n, k] = [300, 333, 800];
    const [x, y] = [engine.upload(numbers(m * k, 1), [m, k]), engine.upload(numbers(n * k, 2), [n, k])];
    const bias = engine.upload(numbers(n, 3), [n]);
    const preactivation = engine.empty([m, n]);
    const layer = { transposeB: true, isLayer: true };
    const found = engine.matmul(x, y, { ...layer, bias, activation: "gelu", preactivation });
    const sums = await engine.read(engine.matmul(x, y, layer));
    const added = await engine.read(bias);
    assert.deepEqual(await engine.read(preactivation), sums.map((sum, i) => sum + added[i % n]!));
    assert.deepEqual(await engine.read(found), await engine.read(engine.activate("gelu", preactivation)));
    engine.close();
  });

  Deno.test(`${native.level}: products that are no layer's are those of fp32, bit for bit`, async () => {
    const [engine, plain] = [open(native, 1), createCpuEngine({ threads: 1, native })];
    const sizes = [33, 37, 65];
    const [found, expected] = [
      await layerProduct(engine, sizes, [false, true], false),
      await layerProduct(plain, sizes, [false, true], true),
    ];
    assert.deepEqual(found.found, expected.found);
    engine.close();
    plain.close();
  });

  Deno.test(`${native.level}: what is not finite stays so`, async () => {
    const engine = open(native, 1);
    for (const value of [NaN, Infinity]) {
      const a = engine.upload(Float32Array.of(1, value, 3, 4), [2, 2]);
      const [first, second] = await engine.read(
        engine.matmul(a, engine.full([2, 1], 1), { isLayer: true }),
      ) as Float32Array;
      assert.ok(!Number.isFinite(first));
      assert.equal(second, 7);
    }
    engine.close();
  });
}

Deno.test("what results depend on names whose products of bf16 they are", { ignore: levels.length === 0 }, () => {
  const bits = levels.map((native) => {
    const engine = open(native, 1);
    engine.close();
    return engine.info.bits;
  });
  assert.equal(new Set(bits).size, bits.length);
});

Deno.test("other kernels have no bf16, and say so", () => {
  assert.throws(() => createCpuEngine({ threads: 1, precision: "bf16" }), /needs machine code/);
});
