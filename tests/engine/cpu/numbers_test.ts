import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine, Handle } from "../../../lib/engine/engine.ts";
import { softmax, tryLoss } from "../../../lib/loss/mod.ts";
import { allEngines } from "../engines.ts";

const ids = (engine: Engine, ...values: number[]) => engine.upload(Int32Array.from(values), [values.length]);

Deno.test("an id that is no row, or a target that is no column, touches no memory, and the next read says so", async () => {
  const kernels: readonly (readonly [string, (engine: Engine, bad: Handle) => unknown])[] = [
    ["gather", (e, bad) => e.gather(e.zeros([3, 4]), bad)],
    ["scatterAdd", (e, bad) => e.scatterAdd(e.zeros([3, 4]), bad, e.full([2, 4], 1))],
    ["gatherPool", (e, bad) => e.gatherPool(e.zeros([3, 4]), bad, ids(e, 0, 2), "mean")],
    ["scatterPool", (e, bad) => e.scatterPool(e.zeros([3, 4]), bad, ids(e, 0, 2), e.full([1, 4], 1), "mean")],
    ["crossEntropy", (e, bad) => e.crossEntropy(e.zeros([2, 3]), bad)],
    ["crossEntropyBackward", (e, bad) => e.crossEntropyBackward(e.full([1], 1), e.zeros([2, 3]), bad)],
    ["linearCrossEntropy", (e, bad) => e.linearCrossEntropy(e.zeros([2, 4]), e.zeros([3, 4]), undefined, bad)],
  ];
  for (const [name, run] of kernels) {
    for (const number of [3, -2]) {
      const engine = createCpuEngine({ threads: 1 });
      const fine = engine.full([4], 5);
      run(engine, ids(engine, 0, number));
      await assert.rejects(engine.read(fine), new RegExp(`^EngineError: ${name}: .*${number} in place 1`, "s"));
      assert.deepEqual([...await engine.read(fine)], [5, 5, 5, 5], "the engine goes on");
      engine.close();
    }
  }
});

/** The element of a result that a NaN belongs in. */
const NAN: Readonly<Record<string, (engine: Engine) => readonly [Handle, number]>> = {
  ...Object.fromEntries(
    (["gelu", "geluTanh", "tanh", "relu", "silu", "quickGelu", "sigmoid", "leakyRelu", "squaredRelu"] as const)
      .map((activation) => [activation, (e) => [e.activate(activation, floats(e, [20], 18)), 18]] as const),
  ),
  "the greater of two, the first of which is none": (e) => [e.binary("maximum", floats(e, [20], 3), e.zeros([20])), 3],
  "the greater of two, the second of which is none": (e) => [e.binary("maximum", e.zeros([20]), floats(e, [20], 3)), 3],
  "the greatest of a row": (e) => [e.rowReduce("max", floats(e, [2, 20], 25)), 1],
  "the greatest of a sequence, in the beginning": (e) => [e.pool(floats(e, [3, 17], 16), ids(e, 0, 3), "max"), 16],
  "the greatest of a sequence, in the middle": (e) => [e.pool(floats(e, [3, 17], 20), ids(e, 0, 3), "max"), 3],
  "cross-entropy": (e) => [e.crossEntropy(floats(e, [1, 20], 7), ids(e, 0)).loss, 0],
  "cross-entropy of a layer": (e) => [
    e.linearCrossEntropy(e.full([1, 2], 1), floats(e, [20, 2], 9), undefined, ids(e, 0)).loss,
    0,
  ],
  "attention, of a query": (e) => [
    e.attention({ qkv: floats(e, [2, 12], 12), offsets: ids(e, 0, 2), heads: 1, maxLength: 2 }).out,
    4,
  ],
  "attention, of a key": (e) => [
    e.attention({ qkv: floats(e, [2, 12], 16), offsets: ids(e, 0, 2), heads: 1, maxLength: 2 }).out,
    0,
  ],
};
/** Small numbers, one of which is none. */
const floats = (engine: Engine, shape: readonly number[], bad: number) => {
  const size = shape.reduce((a, b) => a * b);
  return engine.upload(Float32Array.from({ length: size }, (_, i) => i === bad ? NaN : i % 7 / 10 - 0.3), shape);
};
for (const { name, create } of allEngines.filter(({ name }) => name.startsWith("cpu"))) {
  Deno.test(`${name}: what is not a number is not taken for one on its way`, async () => {
    const engine = await create();
    for (const [what, run] of Object.entries(NAN)) {
      const [result, place] = run(engine);
      assert.ok(Number.isNaN((await engine.read(result))[place]), what);
    }
    engine.close();
  });
}

Deno.test("softmax refuses a class that it does not tell apart", async () => {
  const rows = [[0.1, 0.2], [0.3, 0.4]];
  await assert.rejects(tryLoss(softmax({ classes: 2 }), [rows, rows], [0, 2]), /TrainingError: .*\n.*0 to 1\n.*2\n/);
});
