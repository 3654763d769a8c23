/**
 * The largest of each row.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Engine } from "../engine.ts";
import { at, type Core } from "./core.ts";
import type { Dispatch } from "./dispatch.ts";

/** See the Engine contract. */
export function topKernels({ heap }: Core, { rows }: Dispatch): Pick<Engine, "topK"> {
  return {
    topK(x, k) {
      const [count, columns] = x.shape as [number, number];
      if (k > columns) {
        throw new EngineError("topK: fewer columns than wanted", { expected: `${k}`, found: `[${x.shape}]` });
      }
      const [values, indices] = [heap.temporary([count, k]), heap.temporary([count, k], "i32")];
      rows("topK", count, columns, { x: at(x), columns, k, values: at(values), indices: at(indices) });
      return { values, indices };
    },
  };
}
