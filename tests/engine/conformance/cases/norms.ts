/** Normalisation of rows: layer norm, RMS norm, also of single heads, and length 1. */
import assert from "node:assert/strict";
import type { Dropout as EngineDropout, Engine, Handle } from "../../../../lib/engine/engine.ts";
import type { SumGradientOptions, SumGradients } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { type Dropout, dropout } from "../reference/dropout.ts";
import { headNorm, layerNorm, normalizeRows, rmsNorm } from "../reference/norms.ts";
import { add, differences, dot, filled, floats, map, normals, some, type Tensor } from "../tensor.ts";
import { key, placesOf } from "./places.ts";

interface Norm {
  readonly residual: boolean;
  readonly rate: number;
  readonly epsilon?: number;
  readonly shifted?: boolean;
}

/** The gradients of a sum and of what went into it through dropout, beside what came to it from elsewhere. */
function passedOn(
  engine: Engine,
  added: Handle,
  dropout: EngineDropout | undefined,
  backward: (options: SumGradientOptions) => SumGradients,
) {
  const alone = backward({ dropout });
  const beside = backward({ added, dropout });
  const before = engine.affine(added, 1);
  const over = engine.affine(added, 1);
  const inPlace = backward({ added: over, inPlace: true, dropout });
  assert.equal(inPlace.sum, over);
  return { x: alone.x, sum2: beside.sum, x2: beside.x, before, over, x3: inPlace.x };
}

/** What these should be. */
function passedOnOf(ds: Tensor, added: Tensor, rate: Dropout | undefined) {
  const dropped = (x: Tensor): Tensor => ({ ...dropout(x, rate), ...(x.only !== undefined && { only: x.only }) });
  const whole = add(added, ds);
  const dx = dropped(whole);
  return { x: dropped(ds), sum2: whole, x2: dx, before: added, over: whole, x3: dx };
}

/** Rows normalised, with everything that may come before it, and every gradient. */
function norm(shape: readonly [number, number], { residual, rate, epsilon = 1e-5, shifted = true }: Norm): Case {
  const [rows, width] = shape;
  const dropped = (places: Tensor): Dropout | undefined => rate === 0 ? undefined : { rate, key, places };
  return testCase(
    `layer norm of [${shape}]${residual ? " with a residual" : ""}${rate > 0 ? ` and dropout ${rate}` : ""}${
      shifted ? "" : ", without β"
    }`,
    {
      x: map(normals(shape), (value, i) => Math.fround(value + Math.floor(i / width) % 3)),
      residual: normals(shape, 1, 1),
      gamma: normals([width], 1, 2),
      beta: normals([width], 1, 3),
      dy: normals(shape, 1, 4),
      dGamma: normals([width], 1, 5),
      dBeta: normals([width], 1, 6),
      added: normals(shape, 1, 7),
      places: placesOf(rows),
    },
    (engine, { x, gamma, beta, dy, dGamma, dBeta, added, places, ...rest }) => {
      const dropout = rate === 0 ? undefined : { rate, key, places };
      const forward = engine.layerNorm(x, gamma, shifted ? beta : undefined, epsilon, {
        residual: residual ? rest.residual : undefined,
        dropout,
      });
      const ds = engine.layerNormBackward(dy, forward, gamma, dGamma, shifted ? dBeta : undefined);
      const passed = passedOn(
        engine,
        added,
        dropout,
        (options) => engine.layerNormBackward(dy, forward, gamma, undefined, undefined, options),
      );
      return { ...forward, ds: ds.sum, dGamma, dBeta, ...passed };
    },
    ({ x, gamma, beta, dy, dGamma, dBeta, added, places, ...rest }) => {
      const options = { residual: residual ? rest.residual : undefined, dropout: dropped(places) };
      const forward = layerNorm(x, gamma, shifted ? beta : undefined, epsilon, options);
      const loss = (s: Tensor, gamma: Tensor, beta: Tensor) => dot(dy, layerNorm(s, gamma, beta, epsilon).y);
      const s = forward.sum;
      const ds = differences(s, (s) => loss(s, gamma, beta), some(s, 220));
      return {
        ...forward,
        ds,
        ...passedOnOf(ds, added, options.dropout),
        dGamma: add(dGamma, differences(gamma, (gamma) => loss(s, gamma, beta), some(gamma, 40))),
        dBeta: shifted ? add(dBeta, differences(beta, (beta) => loss(s, gamma, beta), some(beta, 40))) : dBeta,
      };
    },
  );
}

const inputsOfNorm = {
  x: normals([5, 12]),
  gamma: normals([12], 1, 1),
  beta: normals([12], 1, 2),
  dy: normals([5, 12], 1, 3),
};

const layerNorms: Case[] = [
  ...([[1, 5], [11, 20], [3, 4], [66, 7]] as const).flatMap((shape) => [
    norm(shape, { residual: false, rate: 0 }),
    norm(shape, { residual: true, rate: 0 }),
    norm(shape, { residual: false, rate: 0.3 }),
    norm(shape, { residual: true, rate: 0.3 }),
  ]),
  norm([11, 20], { residual: false, rate: 0, shifted: false }),
  norm([3, 7], { residual: true, rate: 0.3, shifted: false }),
  norm([16, 16], { residual: true, rate: 0 }),
  norm([130, 96], { residual: true, rate: 0.1 }),
  norm([2, 700], { residual: false, rate: 0, epsilon: 1e-12 }),
  norm([0, 6], { residual: true, rate: 0 }),
  testCase(
    "layer norm far from 0: the variance does not vanish beside the mean",
    { x: map(normals([6, 33]), (value) => Math.fround(1000 + value)), gamma: filled([33], 1), beta: filled([33], 0) },
    (engine, { x, gamma, beta }) => ({ y: engine.layerNorm(x, gamma, beta, 1e-12).y }),
    ({ x, gamma, beta }) => ({ y: layerNorm(x, gamma, beta, 1e-12).y }),
    2e-4, // the input is known to some 6e-5 of its spread
  ),
  testCase(
    "layer norm of equal elements is β, and ε holds its slope",
    { x: filled([3, 8], 2), gamma: normals([8]), beta: normals([8], 1, 1), dy: normals([3, 8], 1, 2) },
    (engine, { x, gamma, beta, dy }) => {
      const forward = engine.layerNorm(x, gamma, beta, 0.25);
      return { y: forward.y, ds: engine.layerNormBackward(dy, forward, gamma, undefined, undefined).sum };
    },
    ({ x, gamma, beta, dy }) => ({
      y: layerNorm(x, gamma, beta, 0.25).y,
      ds: differences(x, (x) => dot(dy, layerNorm(x, gamma, beta, 0.25).y)),
    }),
  ),
  ...([[true, false], [false, true], [false, false]] as const).map(([withGamma, withBeta]) =>
    testCase(
      `layer norm's gradient ${withGamma ? "with that of γ" : withBeta ? "with that of β" : "of its input alone"}`,
      { ...inputsOfNorm, dGamma: normals([12], 1, 4), dBeta: normals([12], 1, 5) },
      (engine, { x, gamma, beta, dy, dGamma, dBeta }) => {
        const forward = engine.layerNorm(x, gamma, beta, 1e-5);
        const ds = engine.layerNormBackward(
          dy,
          forward,
          gamma,
          withGamma ? dGamma : undefined,
          withBeta ? dBeta : undefined,
        );
        return { ds: ds.sum, dGamma, dBeta };
      },
      ({ x, gamma, beta, dy, dGamma, dBeta }) => {
        const loss = (x: Tensor, gamma: Tensor, beta: Tensor) => dot(dy, layerNorm(x, gamma, beta, 1e-5).y);
        return {
          ds: differences(x, (x) => loss(x, gamma, beta)),
          dGamma: withGamma ? add(dGamma, differences(gamma, (gamma) => loss(x, gamma, beta))) : dGamma,
          dBeta: withBeta ? add(dBeta, differences(beta, (beta) => loss(x, gamma, beta))) : dBeta,
        };
      },
    )
  ),
];

const unit = (shape: readonly [number, number], epsilon: number) =>
  testCase(
    `rows of [${shape}] to length 1, ε = ${epsilon}`,
    { x: normals(shape), dy: normals(shape, 1, 1) },
    (engine, { x, dy }) => {
      const { y, norms } = engine.normalizeRows(x, epsilon);
      return { y, norms, dx: engine.normalizeRowsBackward(dy, y, norms, epsilon) };
    },
    ({ x, dy }) => ({
      ...normalizeRows(x, epsilon),
      dx: differences(x, (x) => dot(dy, normalizeRows(x, epsilon).y), some(x, 200)),
    }),
  );

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
      added: normals(shape, 1, 5),
      places: placesOf(rows),
    },
    (engine, { x, weight, dy, dWeight, added, places, ...rest }) => {
      const dropout = rate > 0 ? { rate, key, places } : undefined;
      const options = { residual: residual ? rest.residual : undefined, dropout, onePlus };
      const forward = engine.rmsNorm(x, weight, epsilon, options);
      const ds = engine.rmsNormBackward(dy, forward, weight, dWeight, { onePlus });
      const passed = passedOn(
        engine,
        added,
        dropout,
        (options) => engine.rmsNormBackward(dy, forward, weight, undefined, { onePlus, ...options }),
      );
      return { ...forward, ds: ds.sum, dWeight, ...passed };
    },
    ({ x, weight, dy, dWeight, added, places, ...rest }) => {
      const dropout = rate > 0 ? { rate, key, places } : undefined;
      const options = { residual: residual ? rest.residual : undefined, dropout, onePlus };
      const forward = rmsNorm(x, weight, epsilon, options);
      const s = forward.sum;
      const loss = (s: Tensor, weight: Tensor) => dot(dy, rmsNorm(s, weight, epsilon, { onePlus }).y);
      const ds = differences(s, (s) => loss(s, weight), some(s, 150));
      return {
        ...forward,
        ds,
        dWeight: add(dWeight, differences(weight, (weight) => loss(s, weight), some(weight, 40))),
        ...passedOnOf(ds, added, dropout),
      };
    },
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
  );
}

export const norms: readonly Case[] = [
  ...layerNorms,
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
  rmsCase({ shape: [16, 16] }),
  headCase({ tokens: 16, columns: 32, size: 16, first: 1, count: 1 }),
  rmsCase({ shape: [130, 96], residual: true, rate: 0.1 }),
  rmsCase({ shape: [2, 700] }),
  headCase({ tokens: 1, columns: 8, size: 8, first: 0, count: 1 }),
  headCase({ tokens: 0, columns: 8, size: 4, first: 1, count: 1 }),
  ...([[1, 1], [3, 5], [11, 20], [16, 16], [300, 66], [0, 3]] as const).map((shape) => unit(shape, 1e-12)),
  unit([11, 9], 3), // some rows are longer than that, some are not
  testCase(
    "a row of zeros stays one",
    { x: floats([0, 0, 0, 3, 0, 4], [2, 3]), dy: floats([1, 2, 3, 4, 5, 6], [2, 3]) },
    (engine, { x, dy }) => {
      const { y, norms } = engine.normalizeRows(x, 0.5);
      return { y, norms, dx: engine.normalizeRowsBackward(dy, y, norms, 0.5) };
    },
    ({ x, dy }) => ({
      ...normalizeRows(x, 0.5),
      dx: differences(x, (x) => dot(dy, normalizeRows(x, 0.5).y)),
    }),
  ),
];
