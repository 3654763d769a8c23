/** The choice of tiles, by a pretended clock and on the adapter. */
import assert from "node:assert/strict";
import type { MeasurementStore } from "../../../lib/engine/measurements.ts";
import { findAdapter, openAdapter } from "../../../lib/engine/webgpu/engine.ts";
import { createWebgpuEngine, type WebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { openStopwatch } from "../../../lib/engine/webgpu/stopwatch.ts";
import { type Tile, TILES } from "../../../lib/engine/webgpu/tiles.ts";
import { chooseTiles, type Stopwatch } from "../../../lib/engine/webgpu/tuning.ts";
import { hasWebgpu } from "../engines.ts";
import { inMemory } from "../machine.ts";

const [first, second, last] = [TILES[0]!, TILES[1]!, TILES.at(-1)!];
/** The second is best for few elements, the last for many. */
const usual = (tile: Tile, side: number) => side <= 512 ? tile === second ? 0.5 : 1 : tile === last ? 2 : 4;

/** A stopwatch by which a product takes as long as `cost` says, and `pause` milliseconds pass at each measurement. */
function pretended(cost: (tile: Tile, side: number) => number = usual, pause = 1) {
  let now = 0;
  const sides: number[] = [];
  let closed = 0;
  const stopwatch: Stopwatch = {
    time(side, tiles) {
      sides.push(side);
      now += pause;
      return Promise.resolve(tiles.map((tile) => cost(tile, side)));
    },
    close: () => void closed++,
  };
  return { open: () => Promise.resolve(stopwatch), clock: () => now, sides, closed: () => closed };
}

Deno.test("the shape that took the least time is taken, by the size of a product, and measured once", async () => {
  const { open, clock, sides, closed } = pretended();
  const choice = await chooseTiles(["a card"], TILES, open, undefined, clock);
  for (const [size, tile] of [[1, second], [2 * 512 ** 2, second], [2 * 512 ** 2 + 1, last], [1e12, last]] as const) {
    assert.equal(choice(size), tile, `${size}`);
  }
  assert.deepEqual([sides.length, closed()], [4, 1]);
  await chooseTiles(["a card"], TILES, open, undefined, clock);
  assert.equal(sides.length, 4);
});

Deno.test("measuring ends when its time is over: larger products take what the last ones took", async () => {
  const { open, clock, sides } = pretended(usual, 300);
  const choice = await chooseTiles(["a slow card"], TILES, open, undefined, clock);
  assert.equal(sides.length, 2);
  assert.equal(choice(1e12), second);
});

Deno.test("where nothing can be measured it is the first, and nothing is kept", async () => {
  const store = inMemory();
  const { clock } = pretended();
  const opens: [string, () => Promise<Stopwatch | undefined>][] = [
    ["no clock", () => Promise.resolve(undefined)],
    ["no device", () => Promise.reject(new Error("lost"))],
    ["a clock that stands still", pretended(() => 0).open],
    ["a clock that gives no numbers", pretended(() => NaN).open],
    ["a device that is lost", () => Promise.resolve({ time: () => Promise.reject(new Error("lost")), close() {} })],
  ];
  for (const [name, open] of opens) {
    const choice = await chooseTiles([name], TILES, open, store, clock);
    assert.deepEqual([choice(1), choice(1e12)], [first, first], name);
  }
  assert.equal(store.texts.size, 0);
});

Deno.test("what is kept is not measured again; what is damaged, foreign or of other candidates is, and is replaced", async () => {
  let [kept, starts] = ["", 0];
  /** As another process would: the process that has measured remembers. */
  const start = async (text: string) => {
    const name = `card ${starts++}`;
    const { open, clock, sides } = pretended();
    const store: MeasurementStore = {
      read: () => Promise.resolve(text.replaceAll(/card \d+/g, name)),
      write: (_, written) => Promise.resolve(void (kept = written)),
    };
    const choice = await chooseTiles([name, 256], TILES, open, store, clock);
    assert.deepEqual([choice(1), choice(1e12)], [second, last]);
    return sides.length > 0;
  };
  assert.equal(await start(""), true);
  assert.equal(await start(kept), false);
  const whole = kept;
  for (
    const damaged of [
      whole.slice(0, 20),
      "null",
      '{"key": 1, "value": []}',
      whole.replace("256", "512"), // limits of another device
      whole.replace(/"value":\["[^"]+"/, '"value":["9×9×9 by 9×9"'),
      whole.replace(/"value":\["[^"]+",/, '"value":['),
    ]
  ) {
    assert.notEqual(damaged, whole);
    kept = "";
    assert.equal(await start(damaged), true, damaged);
    assert.equal(await start(kept), false, "what was written is whole");
  }
});

Deno.test({
  name: "webgpu: tiles are measured on an adapter, kept, and change no bit",
  ignore: !hasWebgpu,
  fn: async () => {
    const stopwatch = await openStopwatch((await navigator.gpu.requestAdapter())!, [], false);
    const times = await stopwatch!.time(256, TILES.slice(0, 1));
    stopwatch!.close();
    assert.ok(times.length === 1 && times.every((time) => time > 0), `${times}`);

    const store = inMemory();
    const tuned = await openAdapter((await findAdapter())!, { tunes: true, store });
    const plain = await createWebgpuEngine();
    assert.equal(store.texts.size, 1);
    assert.equal(tuned.work.dispatches, 0);
    const [m, n, k] = [100, 300, 80];
    const product = async (engine: WebgpuEngine) => {
      const values = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(i));
      const [a, b] = [engine.upload(values(m * k), [m, k]), engine.upload(values(n * k), [n, k])];
      return await engine.read(engine.matmul(a, b, { transposeB: true }));
    };
    assert.deepEqual(await product(tuned), await product(plain));
    tuned.close();
    plain.close();
  },
});
