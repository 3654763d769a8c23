/**
 * From the tokens of a sequence to its embedding.
 *
 * @module
 */
import type { Engine, PoolingMode } from "../engine.ts";
import { at, type Core, expectShape } from "./core.ts";
import { clearBehind, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** Numbers of the modes in the kernels. */
export const POOLING: Readonly<Record<PoolingMode, number>> = {
  mean: 0,
  cls: 1,
  max: 2,
  mean_sqrt_len: 3,
  weightedmean: 4,
  lasttoken: 5,
};

/** See the Engine contract. */
export function poolingKernels(core: Core, { run }: Dispatch): Pick<Engine, "pool" | "poolBackward"> {
  const { temporary } = core.heap;
  return {
    pool(x, offsets, mode, skip = 0) {
      const width = columnsOf(x);
      const y = temporary([rowsOf(offsets) - 1, width]);
      const inputs = { x: at(x), ids: 0, offsets: at(offsets) };
      run("pool", rowsOf(y), 4, { ...inputs, y: at(y), width, mode: POOLING[mode], skip });
      return y;
    },
    poolBackward(dy, x, pooled, offsets, mode, skip = 0) {
      const width = columnsOf(x);
      expectShape("poolBackward", dy, [rowsOf(offsets) - 1, width]);
      const dx = temporary(x.shape);
      const inputs = { dy: at(dy), x: at(x), pooled: at(pooled), offsets: at(offsets) };
      run("poolBackward", rowsOf(offsets) - 1, 4, { ...inputs, dx: at(dx), width, mode: POOLING[mode], skip });
      clearBehind(core, dx, offsets);
      return dx;
    },
  };
}
