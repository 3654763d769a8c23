/**
 * What a machine can do at most: the roof that kernels are measured by (Williams et al. 2009, doi 10.1145/1498765.1498785).
 *
 * @module
 */
import type { Engine } from "./engine.ts";

/** The most of an engine on this machine, as it is now. */
export interface Roofline {
  /** Operations per second of a large square product. */
  readonly operations: number;
  /** Bytes per second of a sum of two vectors that fit into no cache. */
  readonly bytes: number;
}

const SIDE = 768;
const ELEMENTS = 8 << 20;

/**
 * Measures an engine by a product and by a sum, the best of a few rounds each.
 *
 * @param engine The engine.
 * @returns Its speeds.
 */
export async function measureRoofline(engine: Engine): Promise<Roofline> {
  const best = async (work: () => void): Promise<number> => {
    let seconds = Infinity;
    for (let round = 0; round < 4; round++) {
      const start = performance.now();
      work();
      await engine.read(one);
      seconds = Math.min(seconds, (performance.now() - start) / 1000);
    }
    return seconds;
  };
  engine.enter();
  const one = engine.full([1], 1);
  const [a, c] = [engine.full([SIDE, SIDE], 1), engine.empty([SIDE, SIDE])];
  const [x, y] = [engine.full([ELEMENTS], 1), engine.full([ELEMENTS], 1)];
  const product = await best(() => engine.matmul(a, a, { out: c }));
  const sum = await best(() => engine.addTo(y, x));
  engine.exit();
  return { operations: 2 * SIDE ** 3 / product, bytes: 3 * 4 * ELEMENTS / sum };
}
