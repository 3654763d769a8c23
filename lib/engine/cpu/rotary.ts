/**
 * Rotary positions.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { at, type Core } from "./core.ts";
import { columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** See the Engine contract. */
export function rotaryKernels(_core: Core, { rows }: Dispatch): Pick<Engine, "rotate"> {
  return {
    rotate(x, { table, positions, heads, headSize, inverse = false }) {
      rows("rotate", rowsOf(x), heads * headSize, {
        x: at(x),
        stride: columnsOf(x),
        table: at(table),
        positions: at(positions),
        pairs: columnsOf(table) / 2,
        heads,
        headSize,
        turn: inverse ? -1 : 1,
      });
    },
  };
}
