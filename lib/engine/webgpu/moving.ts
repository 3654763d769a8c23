/**
 * Parts of tensors, put elsewhere. The elements may be whole numbers: they are moved as they are.
 *
 * @module
 */
import { type Handle, sizeOf } from "../engine.ts";
import { expectRange, expectShape } from "../shapes.ts";
import type { MovingKernels } from "../subjects.ts";
import type { Core } from "./memory.ts";
import { elementwise } from "./wgsl.ts";

const TRANSPOSE = elementwise(
  "transpose",
  { reads: { x: "u32" }, writes: { y: "u32" }, numbers: { rows: "u32", columns: "u32" } },
  "y[i] = x[(i % p.rows) * p.columns + i / p.rows];",
);
/** Columns from … of x become columns to … of y; elements are those that move. */
const COPY_COLUMNS = elementwise(
  "copyColumns",
  {
    reads: { x: "u32" },
    writes: { y: "u32" },
    numbers: { width: "u32", columns: "u32", outColumns: "u32", start: "u32", to: "u32" },
  },
  `let row = i / p.width;
let column = i % p.width;
y[row * p.outColumns + p.to + column] = x[row * p.columns + p.start + column];`,
);

/** See the Engine contract. */
export function movingKernels({ temporary, elements, part, windows, copy }: Core): MovingKernels {
  const copyColumns = (x: Handle, y: Handle, width: number, start: number, to: number) => {
    const [columns, outColumns] = [x.shape[1]!, y.shape[1]!];
    for (const [begin, end] of windows(x, y)) {
      const rows = end - begin;
      const tensors = {
        x: part(x, begin * columns, [rows, columns]),
        y: part(y, begin * outColumns, [rows, outColumns]),
      };
      elements(COPY_COLUMNS, rows * width, tensors, { width, columns, outColumns, start, to });
    }
  };

  return {
    transpose(x) {
      const [rows, columns] = x.shape as [number, number];
      const y = temporary([columns, rows], x.dtype);
      elements(TRANSPOSE, rows * columns, { x, y }, { rows, columns });
      return y;
    },
    sliceRows(x, start, end) {
      expectRange("sliceRows", x.shape[0]!, start, end);
      const shape = [end - start, ...x.shape.slice(1)];
      const y = temporary(shape, x.dtype);
      copy(y, part(x, start * sizeOf(x.shape.slice(1)), shape));
      return y;
    },
    sliceColumns(x, start, end) {
      expectRange("sliceColumns", x.shape[1]!, start, end);
      const y = temporary([x.shape[0]!, end - start], x.dtype);
      copyColumns(x, y, end - start, start, 0);
      return y;
    },
    concatRows(parts) {
      for (const each of parts) expectShape("concatRows", each, [undefined, parts[0]!.shape[1]]);
      const rows = parts.reduce((total, { shape }) => total + shape[0]!, 0);
      const y = temporary([rows, parts[0]!.shape[1]!], parts[0]!.dtype);
      let from = 0;
      for (const each of parts) {
        copy(part(y, from, each.shape), each);
        from += sizeOf(each.shape);
      }
      return y;
    },
    concatColumns(parts) {
      for (const part of parts) expectShape("concatColumns", part, [parts[0]!.shape[0], undefined]);
      const columns = parts.reduce((total, { shape }) => total + shape[1]!, 0);
      const y = temporary([parts[0]!.shape[0]!, columns], parts[0]!.dtype);
      let to = 0;
      for (const part of parts) {
        copyColumns(part, y, part.shape[1]!, 0, to);
        to += part.shape[1]!;
      }
      return y;
    },
  };
}
