/**
 * Element-wise arithmetic, and sums.
 *
 * @module
 */
import { type Engine, type Handle, sizeOf, type Unary } from "../engine.ts";
import { expectSize } from "../shapes.ts";
import type { ElementwiseKernels } from "../subjects.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { elementwise, EXP, groupsOf, LOG, reduction, ROW, rowwise } from "./wgsl.ts";

const UNARY: Readonly<Record<Unary, string>> = {
  abs: "abs(x[i])",
  sign: "sign(x[i])",
  exp: "exponential(x[i])",
  log: "logarithm(x[i])",
  sqrt: "root(x[i])",
  square: "x[i] * x[i]",
  reciprocal: "inverse(x[i])",
};
/** What they call. A device may take numbers below the normal ones for 0: their bits are whole numbers n, and they n · 2⁻¹⁴⁹. */
const HEADS: Readonly<Partial<Record<Unary, string>>> = {
  exp: EXP,
  log: `${EXP}${LOG}`,
  sqrt: `fn root(x: f32) -> f32 {
  let word = bitcast<u32>(x);
  return select(sqrt(x), sqrt(f32(word)) * 3.7433921e-23, word > 0u && word < 0x800000u);
}`,
  reciprocal: `fn inverse(x: f32) -> f32 {
  let word = bitcast<u32>(x) & 0x7fffffffu;
  // Held below what it never reaches: else compilers make one factor of the two, which is infinite.
  let small = min(1.0 / f32(max(word, 1u)) * 1.8889465931478581e22, 1e30) * 3.7778931862957162e22;
  return select(1.0 / x, select(small, -small, bitcast<u32>(x) >= 0x80000000u), word > 0u && word < 0x800000u);
}`,
};
const BINARY = { add: "u + v", subtract: "u - v", multiply: "u * v", divide: "u / v", maximum: "max(u, v)" } as const;

const xy = { reads: { x: "f32" }, writes: { y: "f32" } } as const;
const AFFINE = elementwise("affine", { ...xy, numbers: { a: "f32", b: "f32" } }, "y[i] = p.a * x[i] + p.b;");
const ADD_TO = elementwise(
  "addTo",
  { reads: { x: "f32" }, writes: { target: "f32" }, numbers: { scale: "f32" } },
  "target[i] += p.scale * x[i];",
);
const SCALE_ROWS = elementwise(
  "scaleRows",
  { reads: { x: "f32", r: "f32" }, writes: { y: "f32" }, numbers: { width: "u32" } },
  "y[i] = x[i] * r[i / p.width];",
);

const reduceRows = (kind: "sum" | "max"): Kernel =>
  rowwise(
    `rowReduce ${kind}`,
    xy,
    kind === "sum"
      ? `var share = 0.0;
for (var c = t; c < p.width; c += ${ROW}u) { share += x[start + c]; }
let result = total(share, t);
if (t == 0u) { y[row] = result; }`
      : `var share = -3.4028234e38;
for (var c = t; c < p.width; c += ${ROW}u) { share = max(share, x[start + c]); }
let result = most(share, t);
if (t == 0u) { y[row] = result; }`,
  );

/** Columns that a workgroup sums, and the threads that share one. */
const COLUMNS = 16;
const LANES = 16;

/**
 * y[c] = Σᵣ value(r, c), or that added to y: a workgroup of the columns of a matrix, whose rows are shared by threads in
 * turn and then added up in a fixed order.
 */
export function columnwise(
  name: string,
  reads: Kernel["reads"],
  value: string,
  accumulate: boolean,
  numbers: Kernel["numbers"] = {},
): Kernel {
  return {
    name: accumulate ? `${name}, added` : name,
    reads,
    writes: { y: "f32" },
    numbers: { rows: "u32", width: "u32", ...numbers },
    threads: COLUMNS * LANES,
    head: `var<workgroup> shares: array<f32, ${COLUMNS * LANES}>;`,
    body: `
  let c = group * ${COLUMNS}u + t % ${COLUMNS}u;
  var share = 0.0;
  if (c < p.width) {
    for (var r = t / ${COLUMNS}u; r < p.rows; r += ${LANES}u) { share += ${value}; }
  }
  shares[t] = share;
  workgroupBarrier();
  for (var step = ${LANES / 2}u; step > 0u; step /= 2u) {
    if (t < step * ${COLUMNS}u) { shares[t] += shares[t + step * ${COLUMNS}u]; }
    workgroupBarrier();
  }
  if (t < ${COLUMNS}u && c < p.width) { y[c] ${accumulate ? "+=" : "="} shares[t]; }`,
  };
}
/** Workgroups for so many columns. */
export const columnGroups = (width: number): number => groupsOf(width, COLUMNS);

/** Elements whose sum is one workgroup's. */
export const BLOCK = 16384;
/** partial[p.to + group] = Σ f(x) over a block. */
export const partialSums = (name: string, value: string): Kernel => ({
  name,
  reads: { x: "f32" },
  writes: { partial: "f32" },
  numbers: { size: "u32", to: "u32" },
  threads: 256,
  head: reduction(256),
  body: `
  var share = 0.0;
  let end = min(p.size, (group + 1u) * ${BLOCK}u);
  for (var i = group * ${BLOCK}u + t; i < end; i += 256u) { share += ${value}; }
  let result = total(share, t);
  if (t == 0u && group * ${BLOCK}u < p.size) { partial[p.to + group] = result; }`,
});
const SUMS = partialSums("sum", "x[i]");
/** The partial sums of all blocks of these tensors. */
export function sumBlocks({ device, temporary, at, part, windows }: Core, kernel: Kernel, tensors: readonly Handle[]) {
  const runs = tensors.flatMap((x) => {
    const all = part(x, 0, [sizeOf(x.shape)]);
    return windows(all).map(([from, to]) => part(all, from, [to - from]));
  });
  const counts = runs.map(({ shape }) => groupsOf(shape[0]!, BLOCK));
  const partial = temporary([Math.max(1, counts.reduce((sum, count) => sum + count, 0))]);
  if (runs.length === 0) device.clear(at(partial));
  let to = 0;
  runs.forEach((x, i) => {
    device.run(kernel, counts[i]!, { x: at(x), partial: at(partial) }, { size: x.shape[0]!, to });
    to += counts[i]!;
  });
  return partial;
}

/** See the Engine contract. */
export function elementwiseKernels(core: Core): ElementwiseKernels {
  const { device, temporary, at, elements, each } = core;
  const columnSum: Engine["columnSum"] = (x, { out, accumulate = false } = {}) => {
    const [rows, width] = x.shape as [number, number];
    if (out !== undefined) expectSize("columnSum", out, [width]);
    const y = out ?? temporary([width]);
    const kernel = columnwise("columnSum", { x: "f32" }, "x[r * p.width + c]", accumulate && out !== undefined);
    device.run(kernel, columnGroups(width), { x: at(x), y: at(y) }, { rows, width });
    return y;
  };
  const sum = (x: Handle): Handle => {
    const partial = sumBlocks(core, SUMS, [x]);
    return partial.shape[0] === 1 ? partial : sum(partial);
  };

  return {
    unary(kind, x) {
      const y = temporary(x.shape);
      const kernel = elementwise(`unary ${kind}`, { ...xy, head: HEADS[kind] ?? "" }, `y[i] = ${UNARY[kind]};`);
      each(kernel, { x, y });
      return y;
    },
    binary(kind, a, b) {
      const isSingle = sizeOf(b.shape) === 1;
      if (!isSingle) expectSize(kind, b, a.shape);
      const y = temporary(a.shape);
      const kernel = elementwise(
        `binary ${kind}${isSingle ? " with one number" : ""}`,
        { reads: { a: "f32", b: "f32" }, writes: { y: "f32" } },
        `let u = a[i];\nlet v = b[${isSingle ? "0" : "i"}];\ny[i] = ${BINARY[kind]};`,
      );
      each(kernel, isSingle ? { a, y } : { a, b, y }, {}, isSingle ? { b } : {});
      return y;
    },
    affine(x, a, b = 0) {
      const y = temporary(x.shape);
      each(AFFINE, { x, y }, { a, b });
      return y;
    },
    addTo(target, x, scale = 1) {
      expectSize("addTo", x, target.shape);
      each(ADD_TO, { target, x }, { scale });
    },
    scaleRows(x, r) {
      expectSize("scaleRows", r, [x.shape[0]!]);
      const y = temporary(x.shape);
      elements(SCALE_ROWS, sizeOf(x.shape), { x, r, y }, { width: x.shape[1]! });
      return y;
    },
    rowReduce(kind, x) {
      const [rows, width] = x.shape as [number, number];
      const y = temporary([rows]);
      device.run(reduceRows(kind), rows, { x: at(x), y: at(y) }, { rows, width });
      return y;
    },
    columnSum,
    sum,
  };
}
