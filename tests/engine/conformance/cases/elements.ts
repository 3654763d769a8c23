/** Functions of one or two elements, and reductions. */
import type { Binary, Unary } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { columnSum, rowReduce, sum } from "../reference/rows.ts";
import { add, filled, floats, map, normals, type Tensor } from "../tensor.ts";

const unary: Readonly<Record<Unary, (x: number) => number>> = {
  abs: Math.abs,
  sign: Math.sign,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: (x) => x * x,
  reciprocal: (x) => 1 / x,
};

const binary: Readonly<Record<Binary, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
};

/** More than one portion of work, and shapes that are no multiple of anything. */
const SHAPES = [[1], [5], [3, 7], [40_001]] as const;

const needsPositive = (kind: Unary) => kind === "log" || kind === "sqrt";

const ones: Case[] = (Object.keys(unary) as Unary[]).flatMap((kind) => [
  ...SHAPES.map((shape) =>
    testCase(
      `${kind} of [${shape}]`,
      { x: map(normals(shape, 2), (value) => needsPositive(kind) ? Math.abs(value) + 0.125 : value || 1) },
      (engine, { x }) => ({ y: engine.unary(kind, x) }),
      ({ x }) => ({ y: map(x, unary[kind]) }),
      // One over a number near 0 is large: each element is then far below the largest.
      3e-7,
    )
  ),
  testCase(
    `${kind} at the ends`,
    { x: floats(needsPositive(kind) ? [0, Infinity, -1, 4] : [0, Infinity, -Infinity, -4, 100]) },
    (engine, { x }) => ({ y: engine.unary(kind, x) }),
    ({ x }) => ({ y: map(x, (value) => Math.fround(unary[kind](value))) }),
    1e-6,
  ),
]);

/** One number at a time, for the largest of several would hide the others. */
const far: Case[] = Object.entries(
  {
    exp: [-87, -60, -20, 20, 60, 88.5],
    log: [1e-40, 1.2e-38, 1e-30, 0.7, 1, 1.5, 3e38],
    sqrt: [1e-38, 1e-20, 3e38],
    reciprocal: [-1e-38, 1e-20, 3e37],
  } as const,
).flatMap(([kind, values]) =>
  values.map((value) =>
    testCase(
      `${kind} of ${value}`,
      { x: floats([value]) },
      (engine, { x }) => ({ y: engine.unary(kind as Unary, x) }),
      ({ x }) => ({ y: map(x, unary[kind as Unary]) }),
      3e-7,
    )
  )
);

const pairs: Case[] = (Object.keys(binary) as Binary[]).flatMap((kind) => {
  const f = binary[kind];
  /** Away from 0, so that a quotient is not far above all others. */
  const away = (x: Tensor) => map(x, (value) => Math.fround(value + (value < 0 ? -1 : 1)));
  return [
    ...SHAPES.map((shape) =>
      testCase(
        `${kind} of two [${shape}]`,
        { a: normals(shape), b: away(normals(shape, 1, 1)) },
        (engine, { a, b }) => ({ y: engine.binary(kind, a, b) }),
        ({ a, b }) => ({ y: map(a, (value, i) => f(value, b.data[i]!)) }),
        3e-7,
      )
    ),
    ...SHAPES.map((shape) =>
      testCase(
        `${kind} of [${shape}] and one number`,
        { a: normals(shape), b: floats([-0.75]) },
        (engine, { a, b }) => ({ y: engine.binary(kind, a, b) }),
        ({ a }) => ({ y: map(a, (value) => f(value, -0.75)) }),
        3e-7,
      )
    ),
  ];
});

const more: Case[] = SHAPES.flatMap((shape) => [
  testCase(
    `a·x + b of [${shape}]`,
    { x: normals(shape) },
    (engine, { x }) => ({ y: engine.affine(x, -1.5, 0.25), z: engine.affine(x, 3) }),
    ({ x }) => ({ y: map(x, (value) => -1.5 * value + 0.25), z: map(x, (value) => 3 * value) }),
    3e-7,
  ),
  testCase(
    `adding in place, [${shape}]`,
    { a: normals(shape), b: normals(shape), x: normals(shape, 1, 1) },
    (engine, { a, b, x }) => {
      engine.addTo(a, x);
      engine.addTo(b, x, -0.5);
      return { a, b, x };
    },
    ({ a, b, x }) => ({ a: add(a, x), b: add(b, x, -0.5), x }),
    3e-7,
  ),
]);

/** One row, one column, no row, blocks of rows and one row more. */
const MATRICES = [[1, 1], [1, 9], [9, 1], [3, 5], [16, 16], [11, 20], [64, 7], [65, 7], [300, 66], [0, 5]] as const;

const reductions: Case[] = MATRICES.flatMap((shape) => [
  testCase(
    `sum and maximum of each row of [${shape}]`,
    { x: normals(shape), below: map(normals(shape), (value) => -3 - Math.abs(value)) },
    (engine, { x, below }) => ({
      sum: engine.rowReduce("sum", x),
      max: engine.rowReduce("max", x),
      negative: engine.rowReduce("max", below),
    }),
    ({ x, below }) => ({ sum: rowReduce("sum", x), max: rowReduce("max", x), negative: rowReduce("max", below) }),
  ),
  testCase(
    `column sums of [${shape}], to a tensor, and added to one`,
    { x: normals(shape), a: normals([shape[1]]), b: normals([shape[1]], 1, 1) },
    (engine, { x, a, b }) => ({
      fresh: engine.columnSum(x),
      written: engine.columnSum(x, { out: a }),
      added: engine.columnSum(x, { out: b, accumulate: true }),
      a,
      b,
    }),
    ({ x, b }) => {
      const [fresh, added] = [columnSum(x), add(columnSum(x), b)];
      return { fresh, written: fresh, added, a: fresh, b: added };
    },
  ),
  testCase(
    `rows of [${shape}] times a number each`,
    { x: normals(shape), r: normals([shape[0]], 1, 1) },
    (engine, { x, r }) => ({ y: engine.scaleRows(x, r) }),
    ({ x, r }) => ({ y: map(x, (value, i) => value * r.data[Math.floor(i / shape[1])]!) }),
    3e-7,
  ),
]);

const sums: Case[] = [[1], [3, 7], [1027], [16_384], [50_003], [2, 0]].map((shape) =>
  testCase(
    `the sum of [${shape}]`,
    { x: map(normals(shape), (value) => Math.fround(value + 0.5)) },
    (engine, { x }) => ({ y: engine.sum(x) }),
    ({ x }) => ({ y: floats([sum(x.data)]) }),
  )
);

export const elements: readonly Case[] = [
  ...ones,
  ...far,
  ...pairs,
  testCase(
    "two of equal size and another shape",
    { a: normals([3, 4]), b: normals([12], 1, 1) },
    (engine, { a, b }) => {
      const y = engine.binary("subtract", a, b);
      engine.addTo(a, b, 2);
      return { y, a };
    },
    ({ a, b }) => ({ y: add(a, b, -1), a: add(a, b, 2) }),
  ),
  ...more,
  ...reductions,
  testCase(
    "the maximum of a row with one and with many of it, and with infinity",
    { x: floats([2, 2, 1, -Infinity, -Infinity, -5, Infinity, 0, 1], [3, 3]) },
    (engine, { x }) => ({ y: engine.rowReduce("max", x) }),
    () => ({ y: floats([2, -5, Infinity]) }),
  ),
  ...sums,
  testCase(
    "sums of zeros are 0 to the last bit",
    { x: filled([130, 33], 0) },
    (engine, { x }) => ({ sum: engine.sum(x), rows: engine.rowReduce("sum", x), columns: engine.columnSum(x) }),
    () => ({ sum: floats([0]), rows: filled([130], 0), columns: filled([33], 0) }),
    0,
  ),
  testCase(
    "small numbers are not lost beside large ones",
    { x: map(filled([20_000], 0), (_, i) => i === 0 ? 65_536 : 2 ** -8) },
    (engine, { x }) => ({ y: engine.sum(x) }),
    ({ x }) => ({ y: floats([sum(x.data)]) }),
    1e-5,
  ),
];
