import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../../lib/engine/engine.ts";
import { WAYS } from "./dots.ts";

const numbers = (size: number, seed: number) =>
  Float32Array.from(
    { length: size },
    (_, i) => Math.sin(i * 12.9898 + seed * 78.233) * Math.exp(Math.sin(i * 0.37) * 3),
  );

/** Rows, depth, columns: a token, fewer rows than a tile, several blocks for each thread, depths of one and many tiles. */
const SHAPES = [[1, 384, 1152], [13, 384, 384], [97, 100, 70], [300, 64, 40], [64, 1536, 384], [401, 96, 33]] as const;

async function layers(engine: Engine): Promise<Uint32Array[]> {
  const results: Uint32Array[] = [];
  for (const [m, k, n] of SHAPES) {
    engine.enter();
    const weight = engine.variable([n, k], { dtype: "i8" });
    engine.write(weight, numbers(n * k, 1));
    const [x, bias] = [engine.upload(numbers(m * k, 2), [m, k]), engine.upload(numbers(n, 3), [n])];
    const y = engine.matmul(x, weight, { transposeB: true, bias, activation: "relu" });
    results.push(new Uint32Array((await engine.read(y) as Float32Array<ArrayBuffer>).buffer));
    engine.free(weight);
    engine.exit();
  }
  return results;
}

Deno.test("layers in 8 bits have the same bits by every instruction, level and module, on any number of threads", async (t) => {
  let expected: Uint32Array[] | undefined;
  for (const [name, native] of WAYS) {
    for (const threads of [1, 2, 5]) {
      await t.step(`${name}, ${threads} threads`, async () => {
        const engine = createCpuEngine({ threads, native });
        const found = await layers(engine);
        engine.close();
        expected ??= found;
        assert.deepEqual(found, expected);
      });
    }
  }
});

Deno.test("a weight in 8 bits takes a quarter of the memory", () => {
  const engine = createCpuEngine({ threads: 1 });
  engine.variable([1152, 384], { dtype: "i8" });
  assert.ok(engine.memory().live < 1152 * 384 * 1.03);
  engine.close();
});

Deno.test("rows are written where they belong, in any portions", async () => {
  const engine = createCpuEngine({ threads: 2 });
  const [n, k] = [1500, 800]; // more than is written at once
  const values = numbers(n * k, 5);
  const x = engine.upload(numbers(3 * k, 6), [3, k]);
  const product = async (portions: readonly (readonly [from: number, to: number])[]) => {
    const weight = engine.variable([n, k], { dtype: "i8" });
    for (const [from, to] of portions) engine.write(weight, values.subarray(from * k, to * k), from * k);
    const y = await engine.read(engine.matmul(x, weight, { transposeB: true }));
    engine.free(weight);
    return y;
  };
  const whole = await product([[0, n]]);
  assert.ok(whole.every((value) => Number.isFinite(value) && value !== 0));
  assert.deepEqual(await product([[700, n], [33, 700], [0, 33]]), whole);
  engine.close();
});
