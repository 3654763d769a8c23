import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { type Handle, STEP } from "../../../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../../../lib/engine/philox.ts";

const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

/** Steps of AdamW over a table, of which rows get gradients now and then, and over tensors of odd sizes. */
async function train(coldAbove: number | undefined, threads: number, weightDecay: number) {
  const engine = createCpuEngine({ threads, coldAbove });
  const stream = randomStream(1, randomPurpose("sample"));
  const normals = (size: number) => Float32Array.from({ length: size }, () => stream.normal());
  const [rows, width] = [150_000, 8]; // more than one block
  const shapes = [[rows, width], [1_100_003], [7], [1]];
  const slots = shapes.map((shape, i) => {
    const weight = engine.variable(shape);
    engine.write(weight, new Float32Array(shape.reduce((a, b) => a * b)).map((_, at) => Math.sin(3 * at)));
    return {
      weight,
      gradient: engine.variable(shape, i === 0 ? { touched: "rows" } : {}),
      m: engine.variable(shape, { storage: "cold" }),
      v: engine.variable(shape, { storage: "cold" }),
      weightDecay,
    };
  });
  const state = engine.variable([STEP.length]);
  const loss = engine.upload(Float32Array.of(1), [1]);
  for (let step = 1; step <= 4; step++) {
    engine.enter();
    const ids = Int32Array.from({ length: 50 }, (_, i) => (i * 7919 * step) % rows);
    engine.scatterAdd(slots[0]!.gradient, engine.upload(ids, [50]), engine.upload(normals(50 * width), [50, width]));
    for (const { gradient } of slots.slice(1)) {
      const values = new Float32Array(gradient.shape[0]!);
      values.forEach((_, i) => values[i] = Math.sin(i * step));
      engine.write(gradient, values);
    }
    engine.write(state, Float32Array.of(0.01, step, 1));
    engine.clip(
      slots.map(({ gradient }) => gradient),
      step === 3 ? engine.upload(Float32Array.of(NaN), [1]) : loss,
      1,
      state,
    );
    engine.adamw(slots, options, state);
    engine.exit();
  }
  const all: Float32Array[] = [];
  for (const { weight, m, v, gradient } of slots) {
    assert.ok((await engine.read(gradient)).every((value) => value === 0));
    for (const handle of [weight, m, v]) all.push(await engine.read(handle) as Float32Array);
  }
  const live = engine.memory().live;
  for (const { m } of slots) engine.free(m);
  const freed = live - engine.memory().live;
  engine.close();
  assert.equal(engine.memory().live, 0);
  return { all, freed };
}

Deno.test("moments outside of the kernels' memory give the same bits", async () => {
  for (const [weightDecay, threads] of [[0, 2], [0.1, 1]] as const) {
    const [inside, outside] = [await train(undefined, 1, weightDecay), await train(0, threads, weightDecay)];
    inside.all.forEach((values, i) => assert.ok(values.every((value, at) => value === outside.all[i]![at]), `${i}`));
    assert.equal(outside.freed, 4 * (150_000 * 8 + 1_100_003 + 7 + 1));
  }
});

Deno.test("one moment in the kernels' memory and the other outside give the same bits", async () => {
  const inside = await train(undefined, 1, 0);
  const sizes = [150_000 * 8, 1_100_003];
  for (const slot of [0, 1]) {
    // Room for the weights and gradients of all, and the moments up to the first one of this slot.
    const held = 2 * 4 * (sizes[0]! + sizes[1]!) + 2 * 150_000 + 2 * 4 * (slot === 1 ? sizes[0]! : 0);
    const found = await train(held + 4 * sizes[slot]! + 400_000, 1, 0);
    inside.all.forEach((values, i) => assert.ok(values.every((value, at) => value === found.all[i]![at]), `${i}`));
  }
});

Deno.test("a cold tensor is read, written, filled and copied, and refused elsewhere", async () => {
  const engine = createCpuEngine({ threads: 1, coldAbove: 0 });
  const values = async (handle: Handle) => [...await engine.read(handle)];
  const [cold, other] = [engine.variable([2, 2], { storage: "cold" }), engine.variable([4], { storage: "cold" })];
  const warm = engine.upload(Float32Array.of(5, 6, 7, 8), [4]);
  assert.deepEqual(await values(cold), [0, 0, 0, 0]);
  engine.write(cold, Float32Array.of(1, 2), 1);
  assert.deepEqual(await values(cold), [0, 1, 2, 0]);
  engine.copy(other, cold);
  engine.copy(cold, warm);
  engine.copy(warm, other);
  assert.deepEqual([await values(cold), await values(warm)], [[5, 6, 7, 8], [0, 1, 2, 0]]);
  engine.fill(other, 3);
  assert.deepEqual(await values(other), [3, 3, 3, 3]);
  assert.throws(() => engine.write(cold, new Float32Array(5)), /room/);
  assert.throws(() => engine.sum(cold), /cold/);
  assert.throws(() => engine.addTo(warm, other), /cold/);
  engine.close();
});

Deno.test("memory that was given back is used again, in whatever order and sizes", () => {
  const engine = createCpuEngine({ threads: 1 });
  const held = () => engine.memory().live;
  const size = 2 ** 26; // 256 MiB each: without reuse the fifth round is out of memory
  for (let round = 0; round < 12; round++) {
    const sizes = [size, 3 * size / 2, size / 2, size].map((n) => n + 16 * round);
    const all = sizes.map((n) => engine.variable([n]));
    for (const i of [1, 3, 0, 2]) engine.free(all[i]!);
    assert.equal(held(), 0);
  }
  const [a, b, c] = [1000, 2000, 3000].map((n) => engine.variable([n])) as [Handle, Handle, Handle];
  engine.free(b);
  const before = held();
  const [d, e] = [engine.variable([500]), engine.variable([1400])]; // both fit into the hole
  assert.ok(held() > before);
  engine.free(a);
  engine.free(d);
  engine.free(c);
  engine.free(e);
  assert.equal(held(), 0);
  engine.close();
});
