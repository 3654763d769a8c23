import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine, Handle } from "../../../lib/engine/engine.ts";

/** Work of some tenths of a second: x · 2ⁿ, n products of large matrices. */
function long(engine: Engine, n: number): Handle {
  const size = 320;
  const twice = new Float32Array(size * size);
  for (let i = 0; i < size; i++) twice[i * size + i] = 2;
  const matrix = engine.upload(twice, [size, size]);
  let x = engine.upload(new Float32Array(size * size).fill(1), [size, size]);
  for (let i = 0; i < n; i++) x = engine.matmul(x, matrix);
  return engine.sum(x);
}

Deno.test("two that read at once both wait for everything before", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const first = long(engine, 60);
  const second = engine.affine(first, 2);
  const [a, b, c] = await Promise.all([engine.read(first), engine.read(second), engine.read(first)]);
  assert.equal(a[0], 320 * 320 * 2 ** 60);
  assert.equal(b[0], 2 * a[0]!);
  assert.equal(c[0], a[0]);
  engine.close();
});

Deno.test("what is enqueued while others wait comes after what they wait for", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const target = engine.upload(Float32Array.of(1), [1]);
  const waiting = engine.read(long(engine, 60));
  engine.copy(target, engine.affine(target, 3));
  await new Promise((resolve) => setTimeout(resolve, 0)); // the first are at work
  engine.write(target, Float32Array.of(7));
  const large = engine.upload(new Float32Array(2 ** 26), [2 ** 26]); // more than the queue likes to hold
  engine.copy(target, engine.affine(target, 2));
  await waiting;
  assert.deepEqual([...await engine.read(target)], [14]);
  assert.equal((await engine.read(engine.sum(large)))[0], 0);
  engine.close();
});

Deno.test("the event loop has its turns during a long step", async () => {
  const engine = createCpuEngine({ threads: 1 });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await engine.read(long(engine, 300));
  assert.ok(turns >= 3, `${turns} turns`);
  turns = 0;
  for (let i = 0; i < 300; i++) await engine.read(long(engine, 1)); // or many short ones, none of which takes so long
  clearInterval(timer);
  engine.close();
  assert.ok(turns >= 3, `${turns} turns of many short steps`);
});
