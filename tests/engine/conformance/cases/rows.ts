/** Embedding, normalisation and dropout: kernels that go row by row. */

import { randomPurpose } from "../../../../lib/engine/philox.ts";
import { type Case, testCase } from "../case.ts";
import { type Dropout, dropout, keepFactor } from "../reference/dropout.ts";
import { gather, layerNorm, normalizeRows, scatterAdd } from "../reference/rows.ts";
import { add, differences, dot, filled, floats, integers, map, normals, some, type Tensor } from "../tensor.ts";

/** Ids of which some come often and some never. */
const idsOf = (count: number, rows: number) =>
  integers(Int32Array.from({ length: count }, (_, i) => (i * i * 3) % rows));

const embedding: Case[] =
  ([[9, 5, 11], [1, 1, 4], [7, 20, 1], [50, 96, 300], [3, 4, 0], [40, 1, 9], [2, 17, 200]] as const).map((
    [rows, width, count],
  ) =>
    testCase(
      `gather and scatter-add: ${count} of [${rows}, ${width}]`,
      {
        table: normals([rows, width]),
        ids: idsOf(count, rows),
        dy: normals([count, width], 1, 1),
        dTable: normals([rows, width], 1, 2),
      },
      (engine, { table, ids, dy, dTable }) => {
        engine.scatterAdd(dTable, ids, dy);
        return { y: engine.gather(table, ids), dTable };
      },
      ({ table, ids, dy, dTable }) => {
        const gradient = differences(table, (table) => dot(dy, gather(table, ids)), some(table, 60));
        const all = scatterAdd(filled(table.shape, 0), ids, dy);
        for (const i of gradient.only!) {
          if (Math.abs(gradient.data[i]! - all.data[i]!) > 1e-7) {
            throw new Error("reference");
          }
        }
        return { y: gather(table, ids), dTable: add(dTable, all) };
      },
    )
  );

/** Streams and positions of rows, as a batch of several sequences has them; two rows may be the same place. */
const placesOf = (rows: number): Tensor =>
  integers(Int32Array.from({ length: 2 * rows }, (_, i) => i % 2 === 0 ? 100 + (i >> 3) * 1_000_003 : (i >> 1) % 4), [
    rows,
    2,
  ]);
const key = { seed: 4_000_000_000, purpose: randomPurpose("hidden-dropout", 3), step: 5 };

const dropouts: Case[] = ([[1, 1], [3, 5], [11, 20], [2, 70], [130, 96], [0, 4]] as const).flatMap((shape) =>
  [0.1, 0.5, 0.97].map((rate) =>
    testCase(
      `dropout ${rate} of [${shape}] and its backward`,
      { x: normals(shape), dy: normals(shape, 1, 1), places: placesOf(shape[0]) },
      (engine, { x, dy, places }) => {
        const options = { rate, key, places };
        return { y: engine.dropout(x, options), dx: engine.dropout(dy, options) };
      },
      ({ x, dy, places }) => {
        const options = { rate, key, places };
        const factor = (i: number) => keepFactor(options, Math.floor(i / shape[1]), i % shape[1]);
        return { y: dropout(x, options), dx: map(dy, (value, i) => value * factor(i)) };
      },
      3e-7,
    )
  )
);

/** Among so many numbers each of their sixteen bits decides some. */
const everyBit = testCase(
  "dropout of [1000, 96]: every bit of every lane counts",
  { x: filled([1000, 96], 1), places: placesOf(1000) },
  (engine, { x, places }) => ({ y: engine.dropout(x, { rate: 0x4080 / 0x10000, key, places }) }),
  ({ x, places }) => ({ y: dropout(x, { rate: 0x4080 / 0x10000, key, places }) }),
  3e-7,
);

const keys: Case[] = [{ ...key, seed: 0 }, { ...key, seed: 4_294_967_295, purpose: 4_294_967_295 }, {
  ...key,
  purpose: 0,
}, { ...key, step: 2_000_000_000 }]
  .map((other) =>
    testCase(
      `dropout with seed ${other.seed}, purpose ${other.purpose}, step ${other.step}`,
      { x: filled([9, 33], 1), places: placesOf(9) },
      (engine, { x, places }) => ({ y: engine.dropout(x, { rate: 0.4, key: other, places }) }),
      ({ x, places }) => ({ y: dropout(x, { rate: 0.4, key: other, places }) }),
      3e-7,
    )
  );

interface Norm {
  readonly residual: boolean;
  readonly rate: number;
  readonly epsilon?: number;
  readonly shifted?: boolean;
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
      places: placesOf(rows),
    },
    (engine, { x, gamma, beta, dy, dGamma, dBeta, places, ...rest }) => {
      const dropout = rate === 0 ? undefined : { rate, key, places };
      const forward = engine.layerNorm(x, gamma, shifted ? beta : undefined, epsilon, {
        residual: residual ? rest.residual : undefined,
        dropout,
      });
      const ds = engine.layerNormBackward(dy, forward, gamma, dGamma, shifted ? dBeta : undefined);
      return { ...forward, ds, dGamma, dBeta };
    },
    ({ x, gamma, beta, dy, dGamma, dBeta, places, ...rest }) => {
      const options = { residual: residual ? rest.residual : undefined, dropout: dropped(places) };
      const forward = layerNorm(x, gamma, shifted ? beta : undefined, epsilon, options);
      const loss = (s: Tensor, gamma: Tensor, beta: Tensor) => dot(dy, layerNorm(s, gamma, beta, epsilon).y);
      const s = forward.sum;
      return {
        ...forward,
        ds: differences(s, (s) => loss(s, gamma, beta), some(s, 220)),
        dGamma: add(dGamma, differences(gamma, (gamma) => loss(s, gamma, beta), some(gamma, 40))),
        dBeta: shifted ? add(dBeta, differences(beta, (beta) => loss(s, gamma, beta), some(beta, 40))) : dBeta,
      };
    },
    1e-5,
  );
}

const inputsOfNorm = {
  x: normals([5, 12]),
  gamma: normals([12], 1, 1),
  beta: normals([12], 1, 2),
  dy: normals([5, 12], 1, 3),
};

const norms: Case[] = [
  ...([[1, 5], [11, 20], [3, 4], [66, 7]] as const).flatMap((shape) => [
    norm(shape, { residual: false, rate: 0 }),
    norm(shape, { residual: true, rate: 0 }),
    norm(shape, { residual: false, rate: 0.3 }),
    norm(shape, { residual: true, rate: 0.3 }),
  ]),
  norm([11, 20], { residual: false, rate: 0, shifted: false }),
  norm([3, 7], { residual: true, rate: 0.3, shifted: false }),
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
      return { y: forward.y, ds: engine.layerNormBackward(dy, forward, gamma, undefined, undefined) };
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
        return { ds, dGamma, dBeta };
      },
      ({ x, gamma, beta, dy, dGamma, dBeta }) => {
        const loss = (x: Tensor, gamma: Tensor, beta: Tensor) => dot(dy, layerNorm(x, gamma, beta, 1e-5).y);
        return {
          ds: differences(x, (x) => loss(x, gamma, beta)),
          dGamma: withGamma ? add(dGamma, differences(gamma, (gamma) => loss(x, gamma, beta))) : dGamma,
          dBeta: withBeta ? add(dBeta, differences(beta, (beta) => loss(x, gamma, beta))) : dBeta,
        };
      },
      1e-5,
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
    1e-5,
  );

/** The kernels of this file. */
export const rows: readonly Case[] = [
  ...embedding,
  ...dropouts,
  everyBit,
  ...keys,
  testCase(
    "dropout 0 leaves everything",
    { x: normals([3, 5]), places: placesOf(3) },
    (engine, { x, places }) => ({ y: engine.affine(engine.dropout(x, { rate: 0, key, places }), 1) }),
    ({ x }) => ({ y: x }),
    0,
  ),
  ...norms,
  ...([[1, 1], [3, 5], [11, 20], [300, 66], [0, 3]] as const).map((shape) => unit(shape, 1e-12)),
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
