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
      const width = columnsOf(table);
      rows("gather", rowsOf(ids), width, { table: at(table), ids: at(ids), y: at(y), width });
      return y;
    },
    scatterAdd(dTable, ids, dy) {
      const [count, width] = dy.shape as [number, number];
      const { touched } = own(dTable);
      // Threads share the columns, in whole vectors; the flags are written by all of them, with the same value.
      const grain = Math.ceil(width / threads.count / 16) * 16;
      const marks = { ever: atOr0(touched?.ever), dirty: atOr0(touched?.dirty) };
      run("scatterAdd", width, grain, { dTable: at(dTable), ids: at(ids), dy: at(dy), rows: count, width, ...marks });
    },
  };
}
