/**
 * Element-wise arithmetic, and sums.
 *
 * @module
 */
import { expectSize } from "../shapes.ts";
import type { ElementwiseKernels } from "../subjects.ts";
import { at, type Core, own } from "./core.ts";
import { columnsOf, type Dispatch, markAll, rowsOf, sumOf } from "./dispatch.ts";

const UNARY = { abs: 0, sign: 1, exp: 2, log: 3, sqrt: 4, square: 5, reciprocal: 6 } as const;
const BINARY = { add: 0, subtract: 1, multiply: 2, divide: 3, maximum: 4 } as const;

/** See the Engine contract. */
export function elementwiseKernels(core: Core, { elements, rows, columnSum }: Dispatch): ElementwiseKernels {
  const { enqueue } = core;
  const { temporary } = core.heap;
  return {
    unary(kind, x) {
      const y = temporary(x.shape);
      elements("unary", y.block.size, { kind: UNARY[kind], x: at(x), y: at(y) });
      return y;
    },
    binary(kind, a, b) {
      const single = own(b).block.size === 1 && own(a).block.size !== 1;
      if (!single) expectSize(kind, b, a.shape);
      const y = temporary(a.shape);
      elements("binary", y.block.size, { kind: BINARY[kind], x: at(a), other: at(b), single: +single, y: at(y) });
      return y;
    },
    affine(x, a, b = 0) {
      const y = temporary(x.shape);
      elements("affine", y.block.size, { x: at(x), scale: a, shift: b, y: at(y) });
      return y;
    },
    addTo(target, x, scale = 1) {
      expectSize("addTo", x, target.shape);
      markAll(core, own(target));
      elements("addTo", own(x).block.size, { target: at(target), x: at(x), scale });
    },
    scaleRows(x, r) {
      expectSize("scaleRows", r, [rowsOf(x)]);
      const y = temporary(x.shape);
      const columns = columnsOf(x);
      rows("scaleRows", rowsOf(x), columns, { x: at(x), r: at(r), y: at(y), columns });
      return y;
    },
    rowReduce(kind, x) {
      const y = temporary([rowsOf(x)]);
      const columns = columnsOf(x);
      rows("rowReduce", rowsOf(x), columns, { kind: kind === "sum" ? 0 : 1, x: at(x), y: at(y), columns });
      return y;
    },
    columnSum(x, { out, accumulate = false } = {}) {
      if (out !== undefined) expectSize("columnSum", out, [columnsOf(x)]);
      const y = out ?? temporary([columnsOf(x)]);
      markAll(core, own(y));
      columnSum(x, at(y), accumulate && out !== undefined);
      return y;
    },
    sum(x) {
      const y = temporary([1]);
      const [total, out] = [sumOf(core, x, false), at(y)];
      enqueue(() => core.floats(out, 1)[0] = total());
      return y;
    },
  };
}
