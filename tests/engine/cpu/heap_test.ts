import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { createHeap } from "../../../lib/engine/cpu/heap.ts";
import { scope } from "../../../lib/engine/engine.ts";

Deno.test("memory is fresh until it was given out once, from below or from above", () => {
  const heap = createHeap(0, 4096);
  const isFresh = (elements: number) => heap.variable([elements]).block.isFresh;
  const first = heap.variable([16]);
  assert.equal(first.block.isFresh, true);
  heap.free(first);
  assert.equal(isFresh(16), false); // the same place again
  assert.equal(isFresh(16), true);
  heap.enter();
  heap.temporary([800]);
  heap.exit(() => {});
  assert.equal(isFresh(160), true); // above what the temporary had
  assert.equal(isFresh(48), false); // reaches into it
});

Deno.test("a variable is 0, also where others were before", async () => {
  const engine = createCpuEngine({ threads: 1 });
  for (let round = 0; round < 2; round++) {
    const variable = engine.variable([64, 4], { touched: "rows" });
    const { all } = engine.block([[64, 4]]);
    assert.deepEqual([...await engine.read(variable), ...await engine.read(all)], Array(512).fill(0));
    for (const each of [variable, all]) {
      engine.write(each, new Float32Array(256).fill(3));
      engine.free(each);
    }
  }
  engine.close();
});

Deno.test("an engine at rest takes values as they are when they are written, a closed one takes none", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const [variable, values] = [engine.variable([2]), Float32Array.of(1, 2)];
  engine.write(variable, values);
  values.fill(9);
  assert.deepEqual([...await engine.read(variable)], [1, 2]);
  engine.close();
  assert.throws(() => engine.write(variable, values), /the engine is closed/);
});

Deno.test("a weight that was given back is multiplied no more, and one that waits to be written is written before", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const x = engine.upload(Float32Array.of(1, 2), [1, 2]);
  for (const options of [{}, { storage: "packed" }, { dtype: "i8" }] as const) {
    const weight = engine.variable([3, 2], options);
    engine.fill(x, 1); // something waits
    engine.write(weight, new Float32Array(6).fill(3));
    const y = engine.matmul(x, weight, { transposeB: true });
    engine.free(weight);
    assert.throws(() => engine.matmul(x, weight, { transposeB: true }), /given back/);
    assert.throws(() => engine.write(weight, new Float32Array(6)), /given back/);
    assert.deepEqual([...await engine.read(y)], [6, 6, 6]);
  }
  engine.close();
});

Deno.test("logits that find no room leave no arena open", () => {
  const engine = createCpuEngine({ threads: 1, logitBytes: 4 });
  const [vocabulary, width] = [1 << 20, 4];
  const weight = engine.variable([vocabulary, width]);
  const [x, ids, one] = [engine.zeros([2, width]), engine.zeros([2], "i32"), engine.full([1], 1)];
  const forward = engine.linearCrossEntropy(x, weight, undefined, ids);
  engine.empty([2 ** 30 - 6_900_000]); // all of the memory but some 2 MiB, half a row
  const { live } = engine.memory();
  for (
    const attempt of [
      () => engine.linearCrossEntropy(x, weight, undefined, ids),
      () => engine.linearCrossEntropyBackward(one, x, weight, undefined, ids, forward, undefined, undefined),
    ]
  ) {
    assert.throws(() => scope(engine, () => void attempt()), /out of memory/);
    assert.equal(engine.memory().live, live);
  }
  engine.close();
});
