/** Matrix products and activations. */
import type { Activation, MatmulOptions } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { activations } from "../reference/activations.ts";
import { activate, matmul } from "../reference/products.ts";
import { differences, dot, filled, floats, map, normals, type Tensor, tensor } from "../tensor.ts";

/** M, K, N: one of everything, no multiple of anything, more than a block of every kind, and nothing at all. */
const SIZES = [[1, 1, 1], [1, 7, 5], [11, 20, 7], [6, 3, 8], [37, 29, 53], [50, 400, 19], [7, 1030, 9], [97, 64, 33]];
const EMPTY = [[0, 4, 3], [4, 3, 0], [3, 0, 5]];
const TRANSPOSES = [[false, false], [false, true], [true, false], [true, true]] as const;

const shapeOf = (rows: number, columns: number, transposed: boolean) => transposed ? [columns, rows] : [rows, columns];

function plain([M, K, N]: readonly number[], transposeA: boolean, transposeB: boolean): Case {
  const flags = { transposeA, transposeB };
  return testCase(
    `matmul [${M}, ${K}]${transposeA ? "ᵀ" : ""} × [${K}, ${N}]${transposeB ? "ᵀ" : ""}`,
    { a: normals(shapeOf(M!, K!, transposeA)), b: normals(shapeOf(K!, N!, transposeB), 1, 1) },
    (engine, { a, b }) => ({ y: engine.matmul(a, b, flags) }),
    ({ a, b }) => ({ y: matmul(a, b, flags) }),
  );
}

/** A weight that an engine may keep as its products take it, written in two parts; it is read as it was written. */
function packed([M, K, N]: readonly number[]): Case {
  const weight = normals([N!, K!], 0.3, 1);
  const values = Float32Array.from(weight.data);
  const half = Math.floor(N! / 2) * K!;
  return testCase(
    `matmul [${M}, ${K}] × [${N}, ${K}]ᵀ, packed`,
    { a: normals([M!, K!]), bias: normals([N!], 1, 2) },
    (engine, { a, bias }) => {
      const b = engine.variable([N!, K!], { storage: "packed" });
      engine.write(b, values.subarray(half), half);
      engine.write(b, values.subarray(0, half));
      const y = engine.matmul(a, b, { transposeB: true, bias, activation: "relu" });
      engine.free(b);
      return { y };
    },
    ({ a, bias }) => ({ y: activate("relu", matmul(a, weight, { transposeB: true, bias })) }),
  );
}

/** A batch, whose elements must not meet. */
function batch(transposeA: boolean, transposeB: boolean): Case {
  const [B, M, K, N] = [5, 9, 4, 7];
  const flags = { transposeA, transposeB, scale: 0.25 };
  return testCase(
    `matmul of a batch, ${transposeA ? "Aᵀ" : "A"} ${transposeB ? "Bᵀ" : "B"}`,
    { a: normals([B, ...shapeOf(M, K, transposeA)]), b: normals([B, ...shapeOf(K, N, transposeB)], 1, 1) },
    (engine, { a, b }) => ({ y: engine.matmul(a, b, flags) }),
    ({ a, b }) => ({ y: matmul(a, b, flags) }),
  );
}

/** Bias, scale, and a tensor to write to or to add to, of one product in all sizes of [M, K, N]. */
function epilogues([M, K, N]: readonly [number, number, number]): Case[] {
  const inputs = {
    a: normals([M, K]),
    b: normals([N, K], 1, 1),
    bias: normals([N], 1, 2),
    out: normals([M, N], 1, 3),
  };
  const size = `[${M}, ${K}] × [${K}, ${N}]`;
  const one = (what: string, options: MatmulOptions, withBias: boolean, accumulate: boolean | undefined) =>
    testCase(
      `matmul ${size} with ${what}`,
      inputs,
      (engine, { a, b, bias, out }) => {
        const y = engine.matmul(a, b, {
          transposeB: true,
          ...options,
          ...(withBias && { bias }),
          ...(accumulate !== undefined && { out, accumulate }),
        });
        return { y, out };
      },
      ({ a, b, bias, out }) => {
        const y = matmul(a, b, {
          transposeB: true,
          scale: options.scale ?? 1,
          bias: withBias ? bias : undefined,
          before: accumulate === true ? out : undefined,
        });
        return { y, out: accumulate === undefined ? out : y };
      },
    );
  return [
    one("a bias", {}, true, undefined),
    one("a scale", { scale: -0.5 }, false, undefined),
    one("a bias and a scale: the scale is of the product alone", { scale: 3 }, true, undefined),
    one("a tensor to write to", {}, false, false),
    one("a tensor to add to", {}, false, true),
    one("a tensor to add to, and a scale", { scale: -2 }, false, true),
    one("a tensor to write to, and a bias", { scale: 2 }, true, false),
    one("a tensor to add to, and a bias", {}, true, true),
  ];
}

/** Every activation behind a product, with the value before it. */
function activated(activation: Activation | undefined, [M, K, N]: readonly [number, number, number], bias: boolean) {
  return testCase(
    `matmul [${M}, ${K}] × [${K}, ${N}] with ${activation ?? "no activation"}${bias ? " and bias" : ""}`,
    { a: normals([M, K]), b: normals([N, K], 0.5, 1), bias: normals([N], 1, 2), z: filled([M, N], NaN) },
    (engine, { a, b, z, ...x }) => ({
      y: engine.matmul(a, b, {
        transposeB: true,
        preactivation: z,
        ...(activation !== undefined && { activation }),
        ...(bias && { bias: x.bias }),
      }),
      z,
    }),
    ({ a, b, ...x }) => {
      const z = matmul(a, b, { transposeB: true, bias: bias ? x.bias : undefined });
      return { y: activation === undefined ? z : activate(activation, z), z };
    },
  );
}

const NAMES = Object.keys(activations) as Activation[];

/** Values from −12 to 12, none of them 0: there relu has no slope. */
const line = (size: number) => tensor([size], (i) => Math.fround(24 * (i + 0.5) / size - 12 + 1e-3));

function alone(activation: Activation, x: Tensor): Case[] {
  const dy = normals(x.shape, 1, 5);
  const size = `of [${x.shape}]`;
  return [
    testCase(
      `${activation} ${size}`,
      { x },
      (engine, { x }) => ({ y: engine.activate(activation, x) }),
      ({ x }) => ({ y: activate(activation, x) }),
    ),
    testCase(
      `the slope of ${activation} ${size}`,
      { x, dy },
      (engine, { x, dy }) => ({ dx: engine.activationBackward(activation, x, dy) }),
      // Each element depends on itself alone: all differences at once.
      ({ x, dy }) => {
        const h = 1e-5;
        const f = activations[activation];
        return { dx: map(x, (value, i) => dy.data[i]! * (f(value + h) - f(value - h)) / (2 * h)) };
      },
    ),
  ];
}

/** Far out nothing overflows, and where relu has a corner the slope is that of the left side. */
const corners: Case[] = NAMES.map((activation) => {
  const x = floats([-1e4, -200, -90, 90, 200, 1e4, 0, -0]);
  const f = activations[activation];
  const left = (value: number) => (f(value) - f(value - 1e-7)) / 1e-7;
  return testCase(
    `${activation} far out and at 0`,
    {
      x: floats([...x.data.subarray(0, 6)].map((value) => value / (activation === "squaredRelu" ? 100 : 1))),
      zero: floats([0, -0]),
      ones: floats([1, 1]),
    },
    (engine, { x, zero, ones }) => ({
      y: engine.activate(activation, x),
      y0: engine.activate(activation, zero),
      slope0: engine.activationBackward(activation, zero, ones),
    }),
    ({ x, zero }) => ({ y: activate(activation, x), y0: activate(activation, zero), slope0: map(zero, left) }),
    1e-6,
  );
});

/** Gradients of a whole layer: with the value before the activation, and both products of the backward pass. */
const layer = testCase(
  "the gradients of a linear layer with an activation",
  { x: normals([9, 20]), w: normals([7, 20], 0.3, 1), b: normals([7], 0.1, 2), dy: normals([9, 7], 1, 3) },
  (engine, { x, w, b, dy }) => {
    const preactivation = engine.zeros([9, 7]);
    engine.matmul(x, w, { transposeB: true, bias: b, activation: "geluTanh", preactivation });
    const dBias = engine.full([7], 0.5);
    const dz = engine.activationBackward("geluTanh", preactivation, dy, dBias);
    return {
      dx: engine.matmul(dz, w),
      dw: engine.matmul(dz, x, { transposeA: true }),
      db: engine.columnSum(dz),
      dBias: engine.affine(dBias, 1, -0.5),
    };
  },
  ({ x, w, b, dy }) => {
    const loss = (x: Tensor, w: Tensor, bias: Tensor) =>
      dot(dy, activate("geluTanh", matmul(x, w, { transposeB: true, bias })));
    const db = differences(b, (b) => loss(x, w, b));
    return {
      dx: differences(x, (x) => loss(x, w, b)),
      dw: differences(w, (w) => loss(x, w, b)),
      db,
      dBias: db,
    };
  },
);

/** The slope of a bias is summed by blocks of rows and parts of columns. */
const biasSlope = testCase(
  "the gradient of a bias over many rows and columns, beside what is there",
  { z: normals([150, 1100]), dy: normals([150, 1100], 1, 1), dBias: normals([1100], 1, 2) },
  (engine, { z, dy, dBias }) => ({ dz: engine.activationBackward("relu", z, dy, dBias), dBias }),
  ({ z, dy, dBias }) => {
    const dz = map(dy, (value, i) => z.data[i]! > 0 ? value : 0);
    return { dz, dBias: map(dBias, (value, c) => value + columnTotal(dz, c)) };
  },
);

function columnTotal({ shape, data }: Tensor, column: number): number {
  let total = 0;
  for (let row = 0; row < shape[0]!; row++) total += data[row * shape[1]! + column]!;
  return total;
}

export const products: readonly Case[] = [
  ...SIZES.flatMap((size) => TRANSPOSES.map(([a, b]) => plain(size, a, b))),
  ...EMPTY.flatMap((size) => TRANSPOSES.map(([a, b]) => plain(size, a, b))),
  ...[...SIZES, ...EMPTY].map(packed),
  ...TRANSPOSES.map(([a, b]) => batch(a, b)),
  ...([[11, 20, 7], [1, 1, 1], [64, 48, 50], [3, 700, 8], [3, 0, 5]] as const).flatMap(epilogues),
  ...NAMES.map((name) => activated(name, [5, 6, 7], true)),
  activated("gelu", [37, 40, 64], true),
  activated("relu", [11, 20, 7], false),
  activated(undefined, [11, 20, 7], true),
  activated(undefined, [11, 20, 7], false),
  activated("silu", [130, 400, 531], true), // several slices, and more columns than are finished at once
  activated("gelu", [3, 0, 5], true),
  layer,
  biasSlope,
];

export const activationCases: readonly Case[] = [
  ...NAMES.flatMap((name) => alone(name, line(1003))),
  ...NAMES.flatMap((name) => alone(name, normals([3, 7]))),
  ...alone("gelu", normals([40_001])),
  ...corners,
];
