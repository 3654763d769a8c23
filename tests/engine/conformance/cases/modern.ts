/** Rotary positions, gated products, RMS norm, the largest of each row. */
import type { Activation } from "../../../../lib/engine/engine.ts";
import { randomPurpose } from "../../../../lib/engine/philox.ts";
import { type Case, testCase } from "../case.ts";
import { activations } from "../reference/activations.ts";
import { gated, headNorm, rmsNorm, rotate, topK } from "../reference/modern.ts";
import { add, differences, dot, floats, integers, map, normals, some, type Tensor, tensor } from "../tensor.ts";

interface RotaryCase {
  readonly tokens: number;
  readonly heads: number;
  readonly headSize: number;
  /** Angles of a position. */
  readonly pairs: number;
  /** Columns behind the heads that are rotated, and what fills whole heads no more. */
  readonly rest: number;
}

function rotaryCase({ tokens, heads, headSize, pairs, rest }: RotaryCase): Case {
  const [longest, base] = [40, 100];
  const angle = (at: number) => Math.floor(at / (2 * pairs)) * base ** (-(at % pairs) / pairs);
  const width = heads * headSize + rest;
  const options = { heads, headSize };
  return testCase(
    `rotary positions: ${tokens} tokens, ${heads} heads of ${headSize}, ${pairs} angles, ${rest} columns behind`,
    {
      x: normals([tokens, width]),
      dy: normals([tokens, width], 1, 1),
      back: normals([tokens, width], 1, 2),
      table: tensor(
        [longest, 2 * pairs],
        (i) => Math.fround(i % (2 * pairs) < pairs ? Math.cos(angle(i)) : Math.sin(angle(i))),
      ),
      positions: integers(Int32Array.from({ length: tokens }, (_, t) => (t * 7) % longest)),
    },
    (engine, { x, dy, back, table, positions }) => {
      engine.rotate(x, { ...options, table, positions });
      engine.rotate(dy, { ...options, table, positions, inverse: true });
      engine.rotate(back, { ...options, table, positions });
      engine.rotate(back, { ...options, table, positions, inverse: true });
      return { y: x, dx: dy, back };
    },
    ({ x, dy, back, table, positions }) => {
      const turned = (x: Tensor) => rotate(x, { ...options, table, positions });
      return { y: turned(x), dx: differences(x, (x) => dot(dy, turned(x)), some(x, 150)), back };
    },
    2e-6,
  );
}

function gatedCase(
  activation: Activation,
  tokens: number,
  width: number,
  activated: "first" | "second" | undefined,
): Case {
  return testCase(
    `gated product [${tokens}, 2 · ${width}] by ${activation} of the ${activated ?? "half of the default"}`,
    { x: normals([tokens, 2 * width], 1.5), dy: normals([tokens, width], 1, 1) },
    (engine, { x, dy }) => ({
      y: engine.gated(activation, x, activated),
      dx: engine.gatedBackward(activation, x, dy, activated),
    }),
    ({ x, dy }) => ({
      y: gated(activation, x, activated),
      dx: differences(x, (x) => dot(dy, gated(activation, x, activated)), some(x, 150)),
    }),
    3e-6,
  );
}

const key = { seed: 99, purpose: randomPurpose("hidden-dropout", 1), step: 8 };

interface RmsCase {
  readonly shape: readonly [number, number];
  readonly residual?: boolean;
  readonly rate?: number;
  readonly onePlus?: boolean;
  readonly epsilon?: number;
}

function rmsCase({ shape, residual = false, rate = 0, onePlus = false, epsilon = 1e-6 }: RmsCase): Case {
  const [rows, width] = shape;
  return testCase(
    `RMS norm of [${shape}]${residual ? " with a residual" : ""}${rate > 0 ? ` and dropout ${rate}` : ""}${
      onePlus ? ", 1 + w" : ""
    }, ε = ${epsilon}`,
    {
      x: normals(shape),
      residual: normals(shape, 1, 1),
      weight: normals([width], 1, 2),
      dy: normals(shape, 1, 3),
      dWeight: normals([width], 1, 4),
      places: integers(Int32Array.from({ length: 2 * rows }, (_, i) => i % 2 === 0 ? 70 + (i >> 2) : i % 5), [rows, 2]),
    },
    (engine, { x, weight, dy, dWeight, places, ...rest }) => {
      const forward = engine.rmsNorm(x, weight, epsilon, {
        residual: residual ? rest.residual : undefined,
        dropout: rate > 0 ? { rate, key, places } : undefined,
        onePlus,
      });
      const ds = engine.rmsNormBackward(dy, forward, weight, dWeight, onePlus);
      return {
        ...forward,
        ds,
        dWeight,
        again: engine.rmsNormBackward(dy, forward, weight, undefined, onePlus),
      };
    },
    ({ x, weight, dy, dWeight, places, ...rest }) => {
      const forward = rmsNorm(x, weight, epsilon, {
        residual: residual ? rest.residual : undefined,
        dropout: rate > 0 ? { rate, key, places } : undefined,
        onePlus,
      });
      const s = forward.sum;
      const loss = (s: Tensor, weight: Tensor) => dot(dy, rmsNorm(s, weight, epsilon, { onePlus }).y);
      const ds = differences(s, (s) => loss(s, weight), some(s, 150));
      return {
        ...forward,
        ds,
        dWeight: add(dWeight, differences(weight, (weight) => loss(s, weight), some(weight, 40))),
        again: ds,
      };
    },
    1e-5,
  );
}

interface HeadCase {
  readonly tokens: number;
  readonly columns: number;
  readonly size: number;
  readonly first: number;
  readonly count: number;
  readonly onePlus?: boolean;
}

function headCase({ tokens, columns, size, first, count, onePlus = false }: HeadCase): Case {
  const [range, epsilon] = [{ first, count }, 1e-6];
  return testCase(
    `RMS norm of heads ${first} … ${first + count - 1} of ${size} in [${tokens}, ${columns}]${
      onePlus ? ", 1 + w" : ""
    }`,
    {
      x: normals([tokens, columns]),
      out: normals([tokens, columns], 1, 1),
      dOut: normals([tokens, columns], 1, 2),
      again: normals([tokens, columns], 1, 2),
      weight: normals([size], 1, 3),
      dWeight: normals([size], 1, 4),
    },
    (engine, { x, out, dOut, again, weight, dWeight }) => {
      const statistics = engine.headNorm(x, out, weight, epsilon, range, onePlus);
      engine.headNormBackward(dOut, x, statistics, weight, range, dWeight, onePlus);
      engine.headNormBackward(again, x, statistics, weight, range, undefined, onePlus);
      return { x, out, statistics, dOut, again, dWeight };
    },
    ({ x, out, dOut, weight, dWeight }) => {
      const inside = (i: number) =>
        Math.floor(i % columns / size) >= first && Math.floor(i % columns / size) < first + count;
      // Of the columns that are written alone: what else stands in `out` is no function of x.
      const loss = (x: Tensor, weight: Tensor) =>
        dot(map(dOut, (value, i) => inside(i) ? value : 0), headNorm(x, out, weight, epsilon, range, onePlus).out);
      const only = some(x, 150);
      const slope = differences(x, (x) => loss(x, weight), only);
      const dx = { ...map(dOut, (value, i) => inside(i) ? slope.data[i]! : value), only };
      return {
        x,
        ...headNorm(x, out, weight, epsilon, range, onePlus),
        dOut: dx,
        again: dx,
        dWeight: add(dWeight, differences(weight, (weight) => loss(x, weight))),
      };
    },
    1e-5,
  );
}

function topCase(x: Tensor, k: number, what = ""): Case {
  return testCase(
    `the ${k} largest of each row of [${x.shape}]${what}`,
    { x },
    (engine, { x }) => engine.topK(x, k),
    ({ x }) => topK(x, k),
    0,
  );
}

export const modernCases: readonly Case[] = [
  rotaryCase({ tokens: 7, heads: 3, headSize: 8, pairs: 4, rest: 0 }),
  rotaryCase({ tokens: 7, heads: 2, headSize: 8, pairs: 4, rest: 13 }),
  rotaryCase({ tokens: 5, heads: 4, headSize: 5, pairs: 2, rest: 20 }),
  rotaryCase({ tokens: 9, heads: 2, headSize: 16, pairs: 3, rest: 16 }),
  rotaryCase({ tokens: 6, heads: 2, headSize: 70, pairs: 33, rest: 5 }),
  rotaryCase({ tokens: 6, heads: 1, headSize: 40, pairs: 20, rest: 0 }),
  rotaryCase({ tokens: 1, heads: 1, headSize: 2, pairs: 1, rest: 0 }),
  rotaryCase({ tokens: 300, heads: 4, headSize: 32, pairs: 16, rest: 64 }),
  rotaryCase({ tokens: 0, heads: 1, headSize: 4, pairs: 2, rest: 2 }),
  ...(Object.keys(activations) as Activation[]).map((name) => gatedCase(name, 5, 7, undefined)),
  ...(["gelu", "geluTanh", "silu"] as const).flatMap((name) =>
    (["first", "second"] as const).flatMap((half) => [
      gatedCase(name, 11, 20, half),
      gatedCase(name, 300, 66, half),
      gatedCase(name, 1, 1, half),
    ])
  ),
  gatedCase("silu", 0, 4, "second"),
  ...[false, true].flatMap((onePlus) => [
    rmsCase({ shape: [1, 5], onePlus }),
    rmsCase({ shape: [11, 20], residual: true, onePlus }),
    rmsCase({ shape: [5, 7], rate: 0.3, onePlus }),
    rmsCase({ shape: [66, 7], residual: true, rate: 0.3, onePlus }),
    rmsCase({ shape: [3, 8], epsilon: 0.5, onePlus }),
    rmsCase({ shape: [0, 6], onePlus }),
    headCase({ tokens: 7, columns: 30, size: 5, first: 0, count: 4, onePlus }),
    headCase({ tokens: 7, columns: 30, size: 5, first: 4, count: 1, onePlus }),
    headCase({ tokens: 70, columns: 96, size: 16, first: 2, count: 4, onePlus }),
  ]),
  rmsCase({ shape: [130, 96], residual: true, rate: 0.1 }),
  rmsCase({ shape: [2, 700] }),
  headCase({ tokens: 1, columns: 8, size: 8, first: 0, count: 1 }),
  headCase({ tokens: 0, columns: 8, size: 4, first: 1, count: 1 }),
  topCase(normals([11, 20]), 3),
  topCase(normals([3, 5]), 5),
  topCase(normals([300, 67]), 10),
  topCase(normals([2, 5000]), 100),
  topCase(normals([4, 1]), 1),
  topCase(normals([0, 4]), 2),
  topCase(normals([3, 4]), 0),
  topCase(
    floats([1, 3, 3, 2, 3, -1, -1, -1, -1, -2, 0, -0, 0, -Infinity, 5, -7, -8, -9, -10, -11], [4, 5]),
    3,
    " with equal ones",
  ),
  topCase(map(normals([5, 33]), (value) => Math.round(value)), 8, " with many equal ones"),
];
