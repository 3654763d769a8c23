/**
 * Rows of tables.
 *
 * @module
 */
import type { Engine, Handle } from "../engine.ts";
import { at, atOr0, type Core, expectShape, own } from "./core.ts";
import { columnsOf, type Dispatch, expectNumbers, rowsOf } from "./dispatch.ts";
import { POOLING } from "./pooling.ts";

/** See the Engine contract. */
export function embeddingKernels(
  core: Core,
  { run, rows }: Dispatch,
): Pick<Engine, "gather" | "scatterAdd" | "gatherPool" | "scatterPool"> {
  const { heap: { temporary }, threads } = core;
  const expectIds = (kernel: string, ids: Handle, table: Handle) => expectNumbers(core, kernel, ids, 0, rowsOf(table));
  /** How rows are added to: which have a gradient is kept count of, and threads share the columns, in whole vectors. */
  const additionTo = (dTable: Handle) => {
    const { touched } = own(dTable);
    const marks = { ever: atOr0(touched?.ever), dirty: atOr0(touched?.dirty) }; // all threads write the same
    const width = columnsOf(dTable);
    return { grain: Math.ceil(width / threads.count / 16) * 16, args: { dTable: at(dTable), width, ...marks } };
  };
  return {
    gather(table, ids) {
      expectIds("gather", ids, table);
      const y = temporary([rowsOf(ids), columnsOf(table)]);
      const width = columnsOf(table);
      rows("gather", rowsOf(ids), width, { table: at(table), ids: at(ids), y: at(y), width });
      return y;
    },
    scatterAdd(dTable, ids, dy) {
      expectShape("scatterAdd", dy, [rowsOf(ids), columnsOf(dTable)]);
      expectIds("scatterAdd", ids, dTable);
      const { grain, args } = additionTo(dTable);
      run("scatterAdd", args.width, grain, { ...args, ids: at(ids), dy: at(dy), rows: rowsOf(dy) });
    },
    gatherPool(table, ids, offsets, mode, skip = 0) {
      expectIds("gatherPool", ids, table);
      const width = columnsOf(table);
      const y = temporary([rowsOf(offsets) - 1, width]);
      const inputs = { x: at(table), ids: at(ids), offsets: at(offsets) };
      run("pool", rowsOf(y), 4, { ...inputs, y: at(y), width, mode: POOLING[mode], skip });
      return y;
    },
    scatterPool(dTable, ids, offsets, dy, mode, skip = 0) {
      expectIds("scatterPool", ids, dTable);
      const { grain, args } = additionTo(dTable);
      const inputs = { ids: at(ids), offsets: at(offsets), dy: at(dy), sequences: rowsOf(dy) };
      run("scatterPool", args.width, grain, { ...args, ...inputs, mode: POOLING[mode], skip });
    },
  };
}
