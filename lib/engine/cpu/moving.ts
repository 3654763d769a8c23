/**
 * Parts of tensors, put elsewhere.
 *
 * @module
 */
import { expectRange } from "../shapes.ts";
import type { MovingKernels } from "../subjects.ts";
import { at, type Core, expectShape, own } from "./core.ts";
import { columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** See the Engine contract. */
export function movingKernels({ heap }: Core, { rows }: Dispatch): MovingKernels {
  const { temporary } = heap;
  return {
    transpose(x) {
      const [r, c] = x.shape as [number, number];
      const y = temporary([c, r], x.dtype);
      rows("transpose", r, c, { x: at(x), y: at(y), rows: r, columns: c });
      return y;
    },
    sliceRows(x, start, end) {
      expectRange("sliceRows", rowsOf(x), start, end);
      const columns = own(x).block.size / rowsOf(x);
      const y = temporary([end - start, ...x.shape.slice(1)], x.dtype);
      const first = at(x) + 4 * start * columns;
      rows("copyColumns", end - start, columns, {
        x: first,
        columns,
        from: 0,
        width: columns,
        y: at(y),
        outColumns: columns,
        to: 0,
      });
      return y;
    },
    sliceColumns(x, start, end) {
      expectRange("sliceColumns", columnsOf(x), start, end);
      const y = temporary([rowsOf(x), end - start], x.dtype);
      const width = end - start;
      const source = { x: at(x), columns: columnsOf(x), from: start, width };
      rows("copyColumns", rowsOf(x), width, { ...source, y: at(y), outColumns: width, to: 0 });
      return y;
    },
    concatRows(parts) {
      const columns = columnsOf(parts[0]!);
      const y = temporary([parts.reduce((sum, part) => sum + rowsOf(part), 0), columns], parts[0]!.dtype);
      let row = 0;
      for (const part of parts) {
        expectShape("concatRows", part, [undefined, columns]);
        const source = { x: at(part), columns, from: 0, width: columns };
        rows("copyColumns", rowsOf(part), columns, {
          ...source,
          y: at(y) + 4 * row * columns,
          outColumns: columns,
          to: 0,
        });
        row += rowsOf(part);
      }
      return y;
    },
    concatColumns(parts) {
      const count = rowsOf(parts[0]!);
      const columns = parts.reduce((sum, part) => sum + columnsOf(part), 0);
      const y = temporary([count, columns], parts[0]!.dtype);
      let column = 0;
      for (const part of parts) {
        const width = columnsOf(part);
        expectShape("concatColumns", part, [count, undefined]);
        const source = { x: at(part), columns: width, from: 0, width };
        rows("copyColumns", count, width, { ...source, y: at(y), outColumns: columns, to: column });
        column += width;
      }
      return y;
    },
  };
}
