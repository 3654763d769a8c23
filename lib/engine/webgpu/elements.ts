/**
 * Functions of single elements, reductions, and parts of tensors put elsewhere.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type Activation, type Engine, type Handle, sizeOf, type Unary } from "../engine.ts";
import { expectShape, expectSize } from "../shapes.ts";
import type { Kernel } from "./device.ts";
import type { Core } from "./memory.ts";
import { activationText, ELEMENTS, elementwise, EXP, groupsOf, LOG, reduction, ROW, rowwise } from "./wgsl.ts";

/** The kernels of this file. */
export type ElementKernels = Pick<
  Engine,
  | "transpose"
  | "sliceRows"
  | "sliceColumns"
  | "concatRows"
  | "concatColumns"
  | "activationBackward"
  | "activate"
  | "gated"
  | "gatedBackward"
  | "unary"
  | "binary"
  | "affine"
  | "addTo"
  | "scaleRows"
  | "rowReduce"
  | "columnSum"
  | "sum"
  | "topK"
>;

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
  if (t == 0u && group * ${BLOCK}u < max(p.size, 1u)) { partial[p.to + group] = result; }`,
});
const SUMS = partialSums("sum", "x[i]");

const activate = (activation: Activation): Kernel =>
  elementwise(`activate ${activation}`, { ...xy, head: activationText(activation) }, "y[i] = activated(x[i]);");
const activateBackward = (activation: Activation): Kernel =>
  elementwise(
    `activationBackward ${activation}`,
    { reads: { z: "f32", dy: "f32" }, writes: { dz: "f32" }, head: activationText(activation) },
    "dz[i] = dy[i] * slope(z[i]);",
  );
/** The halves of a row: what is activated, and what it multiplies. */
const halves = `let row = i / p.width;
let a = row * 2u * p.width + p.second * p.width + i % p.width;
let b = row * 2u * p.width + (1u - p.second) * p.width + i % p.width;`;
const gated = (activation: Activation): Kernel =>
  elementwise(
    `gated ${activation}`,
    { ...xy, numbers: { width: "u32", second: "u32" }, head: activationText(activation) },
    `${halves}\ny[i] = activated(x[a]) * x[b];`,
  );
const gatedBackward = (activation: Activation): Kernel =>
  elementwise(
    `gatedBackward ${activation}`,
    {
      reads: { x: "f32", dy: "f32" },
      writes: { dx: "f32" },
      numbers: { width: "u32", second: "u32" },
      head: activationText(activation),
    },
    `${halves}\ndx[a] = dy[i] * x[b] * slope(x[a]);\ndx[b] = dy[i] * activated(x[a]);`,
  );

/**
 * The k largest of a row, one after the other: each time the largest of what comes behind the last one. Numbers are
 * compared as whole numbers of the same order, NaN below all.
 */
const TOP_K: Kernel = {
  name: "topK",
  reads: { x: "f32" },
  writes: { values: "f32", indices: "i32" },
  numbers: { rows: "u32", width: "u32", k: "u32" },
  threads: ROW,
  head: `
var<workgroup> keys: array<u32, ${ROW}>;
var<workgroup> places: array<u32, ${ROW}>;
fn keyOf(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if ((bits & 0x7fffffffu) == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}`,
  body: `
  let row = group;
  if (row >= p.rows) { return; }
  var lastKey = 0xffffffffu;
  var lastPlace = 0xffffffffu;
  for (var n = 0u; n < p.k; n++) {
    var best = 0u;
    var place = 0xffffffffu;
    for (var c = t; c < p.width; c += ${ROW}u) {
      let key = keyOf(bitcast<u32>(x[row * p.width + c]));
      let isBehind = lastPlace == 0xffffffffu || key < lastKey || (key == lastKey && c > lastPlace);
      if (isBehind && (place == 0xffffffffu || key > best)) { best = key; place = c; }
    }
    keys[t] = best;
    places[t] = place;
    workgroupBarrier();
    for (var step = ${ROW / 2}u; step > 0u; step /= 2u) {
      if (t < step) {
        let other = t + step;
        if (places[other] != 0xffffffffu && (places[t] == 0xffffffffu || keys[other] > keys[t] ||
            (keys[other] == keys[t] && places[other] < places[t]))) {
          keys[t] = keys[other];
          places[t] = places[other];
        }
      }
      workgroupBarrier();
    }
    lastKey = keys[0];
    lastPlace = places[0];
    workgroupBarrier();
    if (t == 0u) {
      values[row * p.k + n] = x[row * p.width + lastPlace];
      indices[row * p.k + n] = i32(lastPlace);
    }
  }`,
};

/** See the Engine contract. */
export function elementKernels({ device, temporary, at }: Core): ElementKernels {
  const elements = (kernel: Kernel, size: number, tensors: Record<string, Handle>, numbers = {}) =>
    device.run(
      kernel,
      groupsOf(size, ELEMENTS),
      Object.fromEntries(Object.entries(tensors).map(([name, handle]) => [name, at(handle)])),
      { size, ...numbers },
    );
  const copyColumns = (x: Handle, y: Handle, width: number, start: number, to: number) =>
    elements(COPY_COLUMNS, x.shape[0]! * width, { x, y }, {
      width,
      columns: x.shape[1]!,
      outColumns: y.shape[1]!,
      start,
      to,
    });
  const columnSum: Engine["columnSum"] = (x, { out, accumulate = false } = {}) => {
    const [rows, width] = x.shape as [number, number];
    const y = out ?? temporary([width]);
    const kernel = columnwise("columnSum", { x: "f32" }, "x[r * p.width + c]", accumulate && out !== undefined);
    device.run(kernel, columnGroups(width), { x: at(x), y: at(y) }, { rows, width });
    return y;
  };
  const sum = (x: Handle): Handle => {
    const size = sizeOf(x.shape);
    const blocks = Math.max(1, groupsOf(size, BLOCK));
    const partial = temporary([blocks]);
    device.run(SUMS, blocks, { x: at(x), partial: at(partial) }, { size, to: 0 });
    return blocks === 1 ? partial : sum(partial);
  };

  return {
    transpose(x) {
      const [rows, columns] = x.shape as [number, number];
      const y = temporary([columns, rows], x.dtype);
      elements(TRANSPOSE, rows * columns, { x, y }, { rows, columns });
      return y;
    },
    sliceRows(x, start, end) {
      const width = sizeOf(x.shape.slice(1));
      const y = temporary([end - start, ...x.shape.slice(1)], x.dtype);
      const { buffer, first } = at(x);
      device.copy(at(y), { buffer, first: first + start * width }, (end - start) * width);
      return y;
    },
    sliceColumns(x, start, end) {
      const y = temporary([x.shape[0]!, end - start], x.dtype);
      copyColumns(x, y, end - start, start, 0);
      return y;
    },
    concatRows(parts) {
      for (const part of parts) expectShape("concatRows", part, [undefined, parts[0]!.shape[1]]);
      const rows = parts.reduce((total, { shape }) => total + shape[0]!, 0);
      const y = temporary([rows, parts[0]!.shape[1]!], parts[0]!.dtype);
      let { buffer, first } = at(y);
      for (const part of parts) {
        device.copy({ buffer, first }, at(part), sizeOf(part.shape));
        first += sizeOf(part.shape);
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

    activate(activation, x) {
      const y = temporary(x.shape);
      elements(activate(activation), sizeOf(x.shape), { x, y });
      return y;
    },
    activationBackward(activation, z, dy, dBias) {
      expectShape("activationBackward", dy, z.shape);
      const dz = temporary(z.shape);
      elements(activateBackward(activation), sizeOf(z.shape), { z, dy, dz });
      if (dBias !== undefined) columnSum(dz, { out: dBias, accumulate: true });
      return dz;
    },
    gated(activation, x, activated = "first") {
      const width = x.shape[1]! / 2;
      const y = temporary([x.shape[0]!, width]);
      elements(gated(activation), sizeOf(y.shape), { x, y }, { width, second: +(activated === "second") });
      return y;
    },
    gatedBackward(activation, x, dy, activated = "first") {
      const width = x.shape[1]! / 2;
      expectShape("gatedBackward", dy, [x.shape[0], width]);
      const dx = temporary(x.shape);
      const second = +(activated === "second");
      elements(gatedBackward(activation), sizeOf(dy.shape), { x, dy, dx }, { width, second });
      return dx;
    },

    unary(kind, x) {
      const y = temporary(x.shape);
      const kernel = elementwise(`unary ${kind}`, { ...xy, head: HEADS[kind] ?? "" }, `y[i] = ${UNARY[kind]};`);
      elements(kernel, sizeOf(x.shape), { x, y });
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
      elements(kernel, sizeOf(a.shape), { a, b, y });
      return y;
    },
    affine(x, a, b = 0) {
      const y = temporary(x.shape);
      elements(AFFINE, sizeOf(x.shape), { x, y }, { a, b });
      return y;
    },
    addTo(target, x, scale = 1) {
      expectSize("addTo", x, target.shape);
      elements(ADD_TO, sizeOf(x.shape), { target, x }, { scale });
    },
    scaleRows(x, r) {
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
    topK(x, k) {
      const [rows, width] = x.shape as [number, number];
      if (k > width) {
        throw new EngineError("topK: fewer columns than wanted", { expected: `${k}`, found: `[${x.shape}]` });
      }
      const [values, indices] = [temporary([rows, k]), temporary([rows, k], "i32")];
      const places = { x: at(x), values: at(values), indices: at(indices) };
      device.run(TOP_K, k === 0 ? 0 : rows, places, { rows, width, k });
      return { values, indices };
    },
  };
}
