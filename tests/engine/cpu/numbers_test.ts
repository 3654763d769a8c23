import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine, Handle } from "../../../lib/engine/engine.ts";
import { softmax, tryLoss } from "../../../lib/loss/mod.ts";

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

Deno.test("softmax refuses a class that it does not tell apart", async () => {
  const rows = [[0.1, 0.2], [0.3, 0.4]];
  await assert.rejects(tryLoss(softmax({ classes: 2 }), [rows, rows], [0, 2]), /TrainingError: .*\n.*0 to 1\n.*2\n/);
});
