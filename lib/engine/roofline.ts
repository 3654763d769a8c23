/**
 * What a machine can do at most: the roof that kernels are measured by (Williams et al. 2009, doi 10.1145/1498765.1498785).
 *
 * @module
 */
import { type Engine, scopeAsync } from "./engine.ts";

/** The most of an engine on this machine, as it is now. */
export interface Roofline {
  /** Operations per second of a large square product. */
  readonly operations: number;
  /** Bytes per second of a sum of two vectors that fit into no cache. */
  readonly bytes: number;
}

const SIDE = 768;
const ELEMENTS = 8 << 20;
/** Seconds of work, at least, that a time is taken of. */
const SECONDS = 0.02;
/** Seconds of which one time is enough. */
const LONG = 1;
/** Calls in a row at most. */
const MOST = 1024;

/**
 * Measures an engine by a product and by a sum, the best of a few rounds each.
 *
 * @param engine The engine.
 * @returns Its speeds.
 */
export async function measureRoofline(engine: Engine): Promise<Roofline> {
  const operations = await measureProduct(engine);
  const sum = await scopeAsync(engine, () => {
    const [x, y] = [engine.full([ELEMENTS], 1), engine.full([ELEMENTS], 1)];
    return secondsOf(engine, () => engine.addTo(y, x));
  });
  return { operations, bytes: 3 * 4 * ELEMENTS / sum };
}

/**
 * Measures an engine by a large square product, the best of a few rounds.
 *
 * @param engine The engine.
 * @param side Rows and columns. Default 768.
 * @param isLayer Whether the product is a layer's, of the engine's precision. Default: of fp32.
 * @returns Operations per second.
 */
export async function measureProduct(engine: Engine, side = SIDE, isLayer = false): Promise<number> {
  const seconds = await scopeAsync(engine, () => {
    const [a, c] = [engine.full([side, side], 1), engine.empty([side, side])];
    return secondsOf(engine, () => engine.matmul(a, a, { out: c, isLayer }));
  });
  return 2 * side ** 3 / seconds;
}

/** Seconds of one call: of so many in a row that what it takes to wait for a device is small beside them, and known. */
async function secondsOf(engine: Engine, work: () => void): Promise<number> {
  const one = engine.full([1], 1);
  const timed = async (calls: number) => {
    const start = performance.now();
    for (let call = 0; call < calls; call++) work();
    await engine.read(one);
    return (performance.now() - start) / 1000;
  };
  await timed(1); // kernels are compiled
  const waiting = Math.min(await timed(0), await timed(0));
  let calls = 1;
  let seconds = await timed(calls) - waiting;
  while (seconds < Math.max(SECONDS, 2 * waiting) && calls < MOST) {
    calls *= 4;
    seconds = await timed(calls) - waiting;
  }
  for (let round = 0; round < 2 && seconds < LONG; round++) seconds = Math.min(seconds, await timed(calls) - waiting);
  return seconds / calls;
}
