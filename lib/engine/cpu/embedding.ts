/**
 * Rows of tables.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { at, atOr0, type Core, own } from "./core.ts";
import { columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** See the Engine contract. */
export function embeddingKernels(
  { heap, threads }: Core,
  { run, rows }: Dispatch,
): Pick<Engine, "gather" | "scatterAdd"> {
  const { temporary } = heap;
  return {
    gather(table, ids) {
      const y = temporary([rowsOf(ids), columnsOf(table)]);
      rows("gather", rowsOf(ids), columnsOf(table), at(table), at(ids), at(y), columnsOf(table));
      return y;
    },
    scatterAdd(dTable, ids, dy) {
      const [count, width] = dy.shape as [number, number];
      const { touched } = own(dTable);
      // Threads share the columns, in whole vectors; the flags are written by all of them, with the same value.
      const grain = Math.max(16, Math.ceil(width / threads.count / 4) * 4);
      const marks = [atOr0(touched?.ever), atOr0(touched?.dirty)];
      run("scatterAdd", width, grain, at(dTable), at(ids), at(dy), count, width, ...marks);
    },
  };
}
