import assert from "node:assert/strict";
import type { Engine, Handle } from "../../lib/engine/engine.ts";
import { scope, scopeAsync } from "../../lib/engine/engine.ts";
import { engines } from "./engines.ts";

const upload = (engine: Engine, ...values: number[]) => engine.upload(Float32Array.from(values), [values.length]);
const numbers = async (engine: Engine, handle: Handle) => [...await engine.read(handle)];
/** Something else takes the place of what was given back. */
const overwrite = (engine: Engine) => engine.upload(new Float32Array(1000).fill(9), [1000]);

for (const { name, create } of engines) {
  Deno.test(`${name}: what a scope returns is lifted out, wherever it stands in the result`, async () => {
    const engine = await create();
    const variable = engine.variable([1]);
    engine.write(variable, Float32Array.of(5));
    const lifted = scope(engine, () => {
      const [lost, x] = [upload(engine, 7, 7), upload(engine, 1, 2)];
      return { x, sum: engine.sum(x), parts: [engine.affine(x, 3), engine.affine(lost, 2)], variable, n: 4, text: "a" };
    });
    const inner = await scopeAsync(engine, async () => {
      await engine.read(variable);
      return engine.affine(lifted.x, 10);
    });
    overwrite(engine);
    assert.deepEqual(await numbers(engine, lifted.x), [1, 2]);
    assert.deepEqual(await numbers(engine, lifted.sum), [3]);
    assert.deepEqual(await numbers(engine, lifted.parts[0]!), [3, 6]);
    assert.deepEqual(await numbers(engine, lifted.parts[1]!), [14, 14]);
    assert.deepEqual(await numbers(engine, lifted.variable), [5]);
    assert.deepEqual(await numbers(engine, inner), [10, 20]);
    engine.write(lifted.variable, Float32Array.of(6));
    assert.deepEqual(await numbers(engine, variable), [6]);
    engine.close();
  });

  Deno.test(`${name}: a tensor and its views are kept as one`, async () => {
    const engine = await create();
    engine.enter();
    upload(engine, 0);
    const x = upload(engine, ...Array.from({ length: 40 }, (_, i) => i));
    const view = engine.reshape(x, [8, 5]);
    const other = upload(engine, 1, 2, 3);
    engine.keep(view);
    engine.keep(x);
    engine.keep(engine.reshape(x, [2, 20]));
    engine.keep(other);
    engine.exit();
    overwrite(engine);
    engine.write(x, Float32Array.of(100), 1);
    const expected = Array.from({ length: 40 }, (_, i) => i === 1 ? 100 : i);
    assert.deepEqual(await numbers(engine, view), expected);
    assert.deepEqual(await numbers(engine, x), expected);
    assert.deepEqual(await numbers(engine, other), [1, 2, 3]);
    engine.close();
  });

  Deno.test(`${name}: a view keeps its tensor`, async () => {
    const engine = await create();
    const [x, view] = scope(engine, () => {
      upload(engine, 0);
      const x = upload(engine, 1, 2, 3, 4);
      return [x, engine.keep(engine.reshape(x, [2, 2]))] as const;
    });
    overwrite(engine);
    assert.deepEqual(await numbers(engine, x), [1, 2, 3, 4]);
    assert.deepEqual([view.shape, await numbers(engine, view)], [[2, 2], [1, 2, 3, 4]]);
    engine.close();
  });

  Deno.test(`${name}: a read gives what was there when it was asked for`, async () => {
    const engine = await create();
    engine.enter();
    const x = upload(engine, 1, 2);
    const size = name === "cpu" ? 256 : 8; // longer than one turn of the queue, where there is one
    let long = engine.upload(new Float32Array(size * size).fill(1 / size), [size, size]);
    for (let i = 0; i < 30; i++) long = engine.matmul(long, long);
    const [first, second] = [engine.read(engine.sum(long)), engine.read(x)];
    engine.exit();
    overwrite(engine);
    await first;
    assert.deepEqual([...await second], [1, 2]);
    engine.close();
  });
}
