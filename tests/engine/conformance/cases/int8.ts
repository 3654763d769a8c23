/** Layers whose weights have 8 bits: without an activation every bit is given. */
import type { Activation, Handle, MatmulOptions } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { int8Layer } from "../reference/int8.ts";
import { activate } from "../reference/products.ts";
import { activations } from "../reference/activations.ts";
import { floats, normals, type Tensor, tensor } from "../tensor.ts";

/** M, K, N: one of everything, no multiple of anything, tiles and panels of every machine, several blocks of rows. */
const SIZES = [
  [1, 1, 1],
  [5, 7, 3],
  [14, 64, 32],
  [33, 65, 37],
  [16, 128, 16],
  [3, 400, 70],
  [70, 33, 5],
  [300, 20, 33],
] as const;
const EMPTY = [[0, 4, 3], [3, 4, 0], [3, 0, 5]] as const;

/** A layer with this weight, which is written in two parts. */
function int8Case<I extends Readonly<Record<string, Tensor>>>(
  name: string,
  inputs: I & { readonly a: Tensor },
  weight: Tensor,
  options: (inputs: { readonly [Name in keyof I]: Handle }) => MatmulOptions,
  expected: (inputs: I & { readonly a: Tensor }) => Tensor,
  tolerance?: number,
): Case {
  const [N, K] = weight.shape as [number, number];
  const half = Math.floor(N / 2) * K;
  const values = Float32Array.from(weight.data);
  const each = testCase(
    name,
    inputs,
    (engine, { a, ...handles }) => {
      const packed = engine.variable([N, K], { dtype: "i8" });
      engine.write(packed, values.subarray(half), half);
      engine.write(packed, values.subarray(0, half));
      const y = engine.matmul(a, packed, {
        transposeB: true,
        ...options(handles as unknown as { readonly [Name in keyof I]: Handle }),
      });
      engine.free(packed);
      return { y };
    },
    (inputs) => ({ y: expected(inputs) }),
    tolerance,
  );
  return { ...each, needs: "int8" };
}

function layer([M, K, N]: readonly [number, number, number], withBias: boolean, activation?: Activation): Case {
  const what = `${withBias ? " with bias" : ""}${activation === undefined ? "" : ` with ${activation}`}`;
  const weight = normals([N, K], 0.3, 1);
  return int8Case(
    `int8 [${M}, ${K}] × [${N}, ${K}]ᵀ${what}`,
    { a: normals([M, K]), bias: normals([N], 1, 2) },
    weight,
    ({ bias }) => ({ activation, ...(withBias && { bias }) }),
    ({ a, bias }) => {
      const y = int8Layer(a, weight, withBias ? bias : undefined);
      return activation === undefined ? y : activate(activation, y);
    },
    activation === undefined ? 0 : undefined,
  );
}

/** Halves that are rounded to even, signs, the largest and the smallest numbers, and what is not finite. */
const EDGES = floats([
  ...[127, 0.5, 1.5, 2.5, -0.5, -1.5, -126.5, 3],
  ...[-127, 127, -127, 126.5, 125.5, -3.5, 0, 1],
  ...[0, 0, 0, 0, 0, 0, 0, 0],
  ...[1e-38, -1e-39, 1e-33, 0, 1e-31, 0, -1e-32, 0],
  ...[3e38, -3e38, 1e38, 1, 0, -2e38, 1e37, 5],
  ...[1, NaN, 3, 4, 5, 6, 7, 8],
  ...[Infinity, 2, 3, 4, 5, 6, 7, 8],
  ...[1, -Infinity, 3, 4, 5, 6, 7, 8],
], [8, 8]);

const STEPS = tensor([3, 8], (i) => Math.fround([1, i % 5 - 2, -0.01 * i][Math.floor(i / 8)]!));
const SHORT = normals([7, 20], 1, 1);

export const int8Layers: readonly Case[] = [
  ...[...SIZES, ...EMPTY].flatMap((size) => [layer(size, false), layer(size, true)]),
  ...(Object.keys(activations) as Activation[]).map((activation) => layer([37, 29, 53], true, activation)),
  int8Case(
    "int8: halves, the smallest, the largest, and what is not finite",
    { a: EDGES },
    STEPS,
    () => ({}),
    ({ a }) => int8Layer(a, STEPS),
    0,
  ),
  int8Case(
    "int8: a weight with rows of zeros, and of what is not finite",
    { a: normals([4, 8]) },
    EDGES,
    () => ({}),
    ({ a }) => int8Layer(a, EDGES),
    0,
  ),
  int8Case(
    "int8 written over a tensor",
    { a: normals([9, 20]), out: normals([9, 7], 1, 2) },
    SHORT,
    ({ out }) => ({ out }),
    ({ a }) => int8Layer(a, SHORT),
    0,
  ),
];
