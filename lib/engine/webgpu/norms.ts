/**
 * Normalisation of rows, and dropout.
 *
 * @module
 */
import {
  type Dropout,
  type Handle,
  type LayerNormResult,
  sizeOf,
  type SumGradientOptions,
  type SumGradients,
} from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { NormKernels } from "../subjects.ts";
import type { Kernel } from "./kernel.ts";
import { columnGroups, columnwise } from "./elementwise.ts";
import type { Core } from "./memory.ts";
import { DROPOUT_NUMBERS, dropoutOf, elementwise, PHILOX, ROW, rowwise } from "./wgsl.ts";

const EACH = `for (var c = t; c < p.width; c += ${ROW}u)`;
/** The factor of dropout of feature c of row r. */
const KEPT = (row: string, c: string) => `kept(u32(places[2u * ${row}]), u32(places[2u * ${row} + 1u]), 0u, ${c})`;

interface NormForm {
  readonly kind: "layer" | "rms";
  readonly residual: boolean;
  readonly dropout: boolean;
  readonly beta: boolean;
}

/** s = x, or dropout(x) + residual; y = γ (s − mean) / √(var + ε) + β, or w s / √(mean s² + ε). Each thread reads its own. */
function norm({ kind, residual, dropout, beta }: NormForm): Kernel {
  const isLayer = kind === "layer";
  const name = [`${kind} norm`, residual && "residual", dropout && "dropout", beta && "β"].filter(Boolean).join(" ");
  return rowwise(
    name,
    {
      reads: {
        x: "f32",
        gamma: "f32",
        ...(residual && { residual: "f32" }),
        ...(beta && { beta: "f32" }),
        ...(dropout && { places: "i32" }),
      },
      writes: { y: "f32", sum: "f32", statistics: "f32" },
      numbers: { epsilon: "f32", plus: "f32", ...(dropout && DROPOUT_NUMBERS) },
      head: dropout ? PHILOX : "",
    },
    `
var share = 0.0;
${EACH} {
  var s = x[start + c];
  ${dropout ? `s *= ${KEPT("row", "c")};` : ""}
  ${residual ? "s += residual[start + c];" : ""}
  sum[start + c] = s;
  share += ${isLayer ? "s" : "s * s"};
}
let mean = total(share, t) / f32(p.width);
${
      isLayer
        ? `share = 0.0;
${EACH} { let d = sum[start + c] - mean; share += d * d; }
let inverse = 1.0 / sqrt(total(share, t) / f32(p.width) + p.epsilon);
${EACH} { y[start + c] = (p.plus + gamma[c]) * (sum[start + c] - mean) * inverse${beta ? " + beta[c]" : ""}; }
if (t == 0u) { statistics[2u * row] = mean; statistics[2u * row + 1u] = inverse; }`
        : `let inverse = 1.0 / sqrt(mean + p.epsilon);
${EACH} { y[start + c] = (p.plus + gamma[c]) * sum[start + c] * inverse; }
if (t == 0u) { statistics[row] = inverse; }`
    }`,
  );
}

/** How the gradient of a sum is put down: what has come to it from elsewhere is added, that of x is dropped out as x was. */
interface BackwardForm {
  readonly kind: "layer" | "rms";
  /** Where that lies which is added: nowhere, by itself, or where the gradient is to be. */
  readonly added: "" | "added" | "in place";
  readonly dropout: boolean;
}

/**
 * ds = (g − mean(g) − x̂ mean(g ⊙ x̂)) / σ with g = dy ⊙ γ, without the mean of g for the norm that has none; dx = ds ⊙ M.
 */
function normBackward({ kind, added, dropout }: BackwardForm): Kernel {
  const isLayer = kind === "layer";
  const [g, normal] = isLayer
    ? ["dy[start + c] * gamma[c]", "(sum[start + c] - mean) * inverse"]
    : ["dy[start + c] * (p.plus + gamma[c])", "sum[start + c] * inverse"];
  const before = { "": "", "added": " + added[start + c]", "in place": " + ds[start + c]" }[added];
  return rowwise(
    [`${kind} norm, backward`, added, dropout && "dropout"].filter(Boolean).join(" "),
    {
      reads: {
        dy: "f32",
        sum: "f32",
        statistics: "f32",
        gamma: "f32",
        ...(added === "added" && { added: "f32" }),
        ...(dropout && { places: "i32" }),
      },
      writes: { ds: "f32", ...(dropout && { dx: "f32" }) },
      numbers: { plus: "f32", ...(dropout && DROPOUT_NUMBERS) },
      head: dropout ? PHILOX : "",
    },
    `
${
      isLayer
        ? "let mean = statistics[2u * row];\nlet inverse = statistics[2u * row + 1u];"
        : "let inverse = statistics[row];"
    }
var plain = 0.0;
var along = 0.0;
${EACH} {
  let g = ${g};
  plain += g;
  along += g * ${normal};
}
plain = ${isLayer ? "total(plain, t) / f32(p.width)" : "0.0"};
along = total(along, t) / f32(p.width);
${EACH} {
  let slope = (${g} - plain - ${normal} * along) * inverse${before};
  ds[start + c] = slope;
  ${dropout ? `dx[start + c] = slope * ${KEPT("row", "c")};` : ""}
}`,
  );
}

const HEAD_NUMBERS = { columns: "u32", first: "u32", count: "u32" } as const;
/** A row of these is one head of a token. */
const HEAD = `let token = row / p.count;
let at = token * p.columns + (p.first + row % p.count) * p.width;`;
const HEAD_NORM = rowwise(
  "head norm",
  {
    reads: { x: "f32", weight: "f32" },
    writes: { y: "f32", statistics: "f32" },
    numbers: { ...HEAD_NUMBERS, epsilon: "f32", plus: "f32" },
  },
  `${HEAD}
var share = 0.0;
${EACH} { share += x[at + c] * x[at + c]; }
let inverse = 1.0 / sqrt(total(share, t) / f32(p.width) + p.epsilon);
${EACH} { y[at + c] = (p.plus + weight[c]) * x[at + c] * inverse; }
if (t == 0u) { statistics[row] = inverse; }`,
);
const HEAD_BACKWARD = rowwise(
  "head norm, backward",
  {
    reads: { x: "f32", weight: "f32", statistics: "f32" },
    writes: { slope: "f32" },
    numbers: { ...HEAD_NUMBERS, plus: "f32" },
  },
  `${HEAD}
let inverse = statistics[row];
var along = 0.0;
${EACH} { along += slope[at + c] * (p.plus + weight[c]) * x[at + c] * inverse; }
along = total(along, t) / f32(p.width);
${EACH} {
  slope[at + c] = (slope[at + c] * (p.plus + weight[c]) - x[at + c] * inverse * along) * inverse;
}`,
);

const DROPOUT = elementwise("dropout", {
  reads: { x: "f32", places: "i32" },
  writes: { y: "f32" },
  numbers: { width: "u32", ...DROPOUT_NUMBERS },
  head: PHILOX,
}, `let row = i / p.width;\ny[i] = x[i] * ${KEPT("row", "i % p.width")};`);

const NORMALIZE = rowwise(
  "normalizeRows",
  {
    reads: { x: "f32" },
    writes: { y: "f32", norms: "f32" },
    numbers: { epsilon: "f32" },
  },
  `
var share = 0.0;
${EACH} { share += x[start + c] * x[start + c]; }
let norm = sqrt(total(share, t));
${EACH} { y[start + c] = x[start + c] / max(norm, p.epsilon); }
if (t == 0u) { norms[row] = norm; }`,
);
const NORMALIZE_BACKWARD = rowwise(
  "normalizeRows, backward",
  {
    reads: { dy: "f32", y: "f32", norms: "f32" },
    writes: { dx: "f32" },
    numbers: { epsilon: "f32" },
  },
  `
var share = 0.0;
${EACH} { share += dy[start + c] * y[start + c]; }
let norm = norms[row];
let along = select(0.0, total(share, t), norm >= p.epsilon);
${EACH} { dx[start + c] = (dy[start + c] - y[start + c] * along) / max(norm, p.epsilon); }`,
);

/** See the Engine contract. */
export function normKernels({ device, temporary, at, elements }: Core): NormKernels {
  /** y += Σ over rows of `value`, where y is wanted. */
  const addColumns = (
    name: string,
    y: Handle | undefined,
    reads: Kernel["reads"],
    value: string,
    places: Parameters<typeof device.run>[2],
    numbers: Readonly<Record<string, number>>,
    types: Kernel["numbers"] = {},
  ) => {
    if (y === undefined) return;
    device.run(
      columnwise(name, reads, value, true, types),
      columnGroups(numbers.width!),
      { ...places, y: at(y) },
      numbers,
    );
  };
  const forward = (
    kind: NormForm["kind"],
    x: Handle,
    gamma: Handle,
    beta: Handle | undefined,
    options: { readonly residual?: Handle | undefined; readonly dropout?: Dropout | undefined },
    numbers: Readonly<Record<string, number>>,
  ) => {
    const [rows, width] = x.shape as [number, number];
    const { residual } = options;
    expectShape(`${kind}Norm`, gamma, [width]);
    if (beta !== undefined) expectShape(`${kind}Norm`, beta, [width]);
    if (residual !== undefined) expectShape(`${kind}Norm`, residual, x.shape);
    const dropped = dropoutOf(options.dropout, at);
    const [y, sum] = [temporary(x.shape), temporary(x.shape)];
    const statistics = temporary(kind === "layer" ? [rows, 2] : [rows]);
    const form = { kind, residual: residual !== undefined, dropout: dropped !== undefined, beta: beta !== undefined };
    device.run(norm(form), rows, {
      x: at(x),
      gamma: at(gamma),
      ...(residual !== undefined && { residual: at(residual) }),
      ...(beta !== undefined && { beta: at(beta) }),
      ...dropped?.places,
      y: at(y),
      sum: at(sum),
      statistics: at(statistics),
    }, { rows, width, ...numbers, ...dropped?.numbers });
    return { y, sum, statistics };
  };

  const backward = (
    kind: NormForm["kind"],
    dy: Handle,
    { sum, statistics }: Pick<LayerNormResult, "sum" | "statistics">,
    gamma: Handle,
    { added, inPlace = false, dropout }: SumGradientOptions = {},
    plus = 0,
  ): SumGradients => {
    const [rows, width] = dy.shape as [number, number];
    const dropped = dropoutOf(dropout, at);
    const isOver = inPlace && added !== undefined;
    const ds = isOver ? added : temporary(dy.shape);
    const dx = dropped === undefined ? ds : temporary(dy.shape);
    const form = { kind, added: added === undefined ? "" : isOver ? "in place" : "added" } as const;
    device.run(normBackward({ ...form, dropout: dropped !== undefined }), rows, {
      dy: at(dy),
      sum: at(sum),
      statistics: at(statistics),
      gamma: at(gamma),
      ...(form.added === "added" && { added: at(added!) }),
      ds: at(ds),
      ...(dropped !== undefined && { ...dropped.places, dx: at(dx) }),
    }, { rows, width, plus, ...dropped?.numbers });
    return { sum: ds, x: dx };
  };

  return {
    layerNorm: (x, gamma, beta, epsilon, options = {}) =>
      forward("layer", x, gamma, beta, options, { epsilon, plus: 0 }),
    layerNormBackward(dy, forward, gamma, dGamma, dBeta, options) {
      expectShape("layerNormBackward", dy, forward.sum.shape);
      const [rows, width] = dy.shape as [number, number];
      addColumns(
        "dγ of layer norm",
        dGamma,
        { dy: "f32", sum: "f32", statistics: "f32" },
        "dy[r * p.width + c] * (sum[r * p.width + c] - statistics[2u * r]) * statistics[2u * r + 1u]",
        { dy: at(dy), sum: at(forward.sum), statistics: at(forward.statistics) },
        { rows, width },
      );
      addColumns("columnSum", dBeta, { x: "f32" }, "x[r * p.width + c]", { x: at(dy) }, { rows, width });
      return backward("layer", dy, forward, gamma, options);
    },

    rmsNorm: (x, weight, epsilon, { onePlus = false, ...options } = {}) =>
      forward("rms", x, weight, undefined, options, { epsilon, plus: +onePlus }),
    rmsNormBackward(dy, forward, weight, dWeight, options = {}) {
      expectShape("rmsNormBackward", dy, forward.sum.shape);
      const [rows, width] = dy.shape as [number, number];
      addColumns(
        "dw of rms norm",
        dWeight,
        { dy: "f32", sum: "f32", statistics: "f32" },
        "dy[r * p.width + c] * sum[r * p.width + c] * statistics[r]",
        { dy: at(dy), sum: at(forward.sum), statistics: at(forward.statistics) },
        { rows, width },
      );
      return backward("rms", dy, forward, weight, options, +(options.onePlus === true));
    },

    headNorm(x, out, weight, epsilon, { first, count }, onePlus = false) {
      expectShape("headNorm", out, x.shape);
      const [tokens, columns] = x.shape as [number, number];
      const statistics = temporary([tokens, count]);
      const [rows, width] = [tokens * count, weight.shape[0]!];
      const places = { x: at(x), weight: at(weight), y: at(out), statistics: at(statistics) };
      device.run(HEAD_NORM, rows, places, { rows, width, columns, first, count, epsilon, plus: +onePlus });
      return statistics;
    },
    headNormBackward(dOut, x, statistics, weight, { first, count }, dWeight, onePlus = false) {
      expectShape("headNormBackward", dOut, x.shape);
      const [tokens, columns] = x.shape as [number, number];
      const [rows, width] = [tokens * count, weight.shape[0]!];
      const numbers = { rows, width, columns, first, count };
      const place = "r / p.count * p.columns + (p.first + r % p.count) * p.width + c";
      addColumns(
        "dw of head norm",
        dWeight,
        { dy: "f32", x: "f32", statistics: "f32" },
        `dy[${place}] * x[${place}] * statistics[r]`,
        { dy: at(dOut), x: at(x), statistics: at(statistics) },
        numbers,
        HEAD_NUMBERS,
      );
      const places = { x: at(x), weight: at(weight), statistics: at(statistics), slope: at(dOut) };
      device.run(HEAD_BACKWARD, rows, places, { ...numbers, plus: +onePlus });
    },

    dropout(x, dropout) {
      const dropped = dropoutOf(dropout, at);
      if (dropped === undefined) return x;
      const y = temporary(x.shape);
      const tensors = { x, y, places: dropout.places };
      elements(DROPOUT, sizeOf(x.shape), tensors, { width: x.shape[1]!, ...dropped.numbers });
      return y;
    },

    normalizeRows(x, epsilon) {
      const [rows, width] = x.shape as [number, number];
      const [y, norms] = [temporary(x.shape), temporary([rows])];
      device.run(NORMALIZE, rows, { x: at(x), y: at(y), norms: at(norms) }, { rows, width, epsilon });
      return { y, norms };
    },
    normalizeRowsBackward(dy, y, norms, epsilon) {
      const [rows, width] = dy.shape as [number, number];
      const dx = temporary(dy.shape);
      const places = { dy: at(dy), y: at(y), norms: at(norms), dx: at(dx) };
      device.run(NORMALIZE_BACKWARD, rows, places, { rows, width, epsilon });
      return dx;
    },
  };
}
