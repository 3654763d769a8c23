/**
 * The largest of each row.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { expectTopK } from "../shapes.ts";
import { at, type Core } from "./core.ts";
import type { Dispatch } from "./dispatch.ts";

/** See the Engine contract. */
export function topKernels({ heap }: Core, { rows }: Dispatch): Pick<Engine, "topK"> {
  return {
    topK(x, k, best) {
      const [count, columns] = expectTopK(x, k, best);
      const before = best === undefined
        ? { from: 0, best: 0, bestIndices: 0 }
        : { from: best.from, best: at(best.values), bestIndices: at(best.indices) };
      const [values, indices] = [heap.temporary([count, k]), heap.temporary([count, k], "i32")];
      rows("topK", count, columns, { x: at(x), columns, ...before, k, values: at(values), indices: at(indices) });
      return { values, indices };
    },
  };
}
