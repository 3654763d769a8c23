/** Dropout: which elements, and by what the others grow. */
import { type Case, testCase } from "../case.ts";
import { dropout, keepFactor } from "../reference/dropout.ts";
import { filled, map, normals } from "../tensor.ts";
import { key, placesOf } from "./places.ts";

const shapes: Case[] = ([[1, 1], [3, 5], [11, 20], [2, 70], [130, 96], [0, 4]] as const).flatMap((shape) =>
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

export const dropouts: readonly Case[] = [
  ...shapes,
  everyBit,
  ...keys,
  testCase(
    "dropout 0 leaves everything",
    { x: normals([3, 5]), places: placesOf(3) },
    (engine, { x, places }) => ({ y: engine.affine(engine.dropout(x, { rate: 0, key, places }), 1) }),
    ({ x }) => ({ y: x }),
    0,
  ),
];
