/** Attention and pooling over packed sequences. */
import type { PoolingMode } from "../../../../lib/engine/engine.ts";
import { randomPurpose } from "../../../../lib/engine/philox.ts";
import { type Case, testCase } from "../case.ts";
import { attention, pool } from "../reference/sequences.ts";
import {
  add,
  differences,
  dot,
  filled,
  floats,
  integers,
  map,
  normals,
  onlyRows,
  some,
  type Tensor,
} from "../tensor.ts";

/** Where sequences of these lengths begin and end. */
function offsetsOf(lengths: readonly number[]): Tensor {
  return integers([0, ...lengths].map((_, i) => lengths.slice(0, i).reduce((sum, length) => sum + length, 0)));
}

/** Stream and position of every token. */
function placesOf(lengths: readonly number[], rows: number): Tensor {
  const places = lengths.flatMap((length, s) => Array.from({ length }, (_, position) => [50_000 * s + 3, position]));
  while (places.length < rows) places.push([0, 0]);
  return integers(places.flat(), [rows, 2]);
}

const key = { seed: 123_456_789, purpose: randomPurpose("attention-dropout", 2), step: 17 };

interface AttentionCase {
  readonly what: string;
  /** Of the sequences. */
  readonly lengths: readonly number[];
  readonly heads: number;
  readonly size: number;
  readonly kvHeads?: number;
  readonly causal?: boolean;
  readonly window?: number;
  readonly scale?: number;
  /** Positions that the bias covers; 0 or nothing: no bias. */
  readonly span?: number;
  readonly rate?: number;
  /** What queries are multiplied with: large ones make one score win. */
  readonly sharp?: number;
  /** Rows behind the last sequence. */
  readonly behind?: number;
  /** Elements whose gradient is compared. Default 240. */
  readonly elements?: number;
}

function attentionCase(asked: AttentionCase): Case {
  const { what, lengths, heads, size, kvHeads = heads, causal = false, span = 0, rate = 0, sharp = 1, behind = 0 } =
    asked;
  const { window, scale, elements = 240 } = asked;
  const tokens = lengths.reduce((sum, length) => sum + length, 0);
  const rows = tokens + behind;
  const columns = (heads + 2 * kvHeads) * size;
  const options = {
    heads,
    causal,
    ...(kvHeads !== heads && { kvHeads }),
    ...(window !== undefined && { window }),
    ...(scale !== undefined && { scale }),
  };
  const positions = 2 * Math.max(1, span) - 1;
  return testCase(
    `attention: ${what}${causal ? ", causal" : ""}`,
    {
      qkv: map(normals([rows, columns]), (value, i) => Math.fround(i % columns < heads * size ? sharp * value : value)),
      dOut: normals([rows, heads * size], 1, 3),
      offsets: offsetsOf(lengths),
      places: placesOf(lengths, rows),
      bias: normals([positions, heads], 1, 4),
      dBias: normals([positions, heads], 1, 5),
    },
    (engine, { qkv, dOut, offsets, places, bias, dBias }) => {
      const input = {
        ...options,
        qkv,
        offsets,
        maxLength: Math.max(1, ...lengths),
        bias: span > 0 ? bias : undefined,
        dropout: rate > 0 ? { rate, key, places } : undefined,
      };
      const forward = engine.attention(input);
      const dQkv = engine.attentionBackward(input, forward, dOut, span > 0 ? dBias : undefined);
      // A model that is not to learn its bias asks for no gradient of it.
      return { ...forward, dQkv, dBias, again: engine.attentionBackward(input, forward, dOut) };
    },
    ({ qkv, dOut, offsets, places, bias, dBias }) => {
      const dropout = rate > 0 ? { rate, key, places } : undefined;
      const forward = (qkv: Tensor, bias: Tensor) =>
        attention({ ...options, qkv, offsets, bias: span > 0 ? bias : undefined, dropout });
      const { out, logSumExp } = forward(qkv, bias);
      const dQkv = differences(qkv, (qkv) => dot(dOut, forward(qkv, bias).out), some(qkv, elements));
      const slope = differences(bias, (bias) => dot(dOut, forward(qkv, bias).out), some(bias, elements));
      return {
        out,
        logSumExp: onlyRows(logSumExp, tokens),
        dQkv,
        dBias: span > 0 ? add(dBias, slope) : dBias,
        again: dQkv,
      };
    },
  );
}

/** An empty sequence at the beginning, in the middle and at the end, sequences of one token, and odd ones. */
const ODD = [0, 4, 0, 1, 7, 9, 1, 0];
const EACH = [1, 2, 3, 4, 5, 6, 8];

const attentions: Case[] = [
  ...[false, true].flatMap((causal) => [
    ...[[4, 5], [1, 3], [3, 8], [2, 16]].map(([heads, size]) =>
      attentionCase({ what: `${heads} heads of ${size}`, lengths: ODD, heads: heads!, size: size!, causal })
    ),
    attentionCase({ what: "a bias of just enough positions", lengths: ODD, heads: 4, size: 5, causal, span: 9 }),
    attentionCase({ what: "dropout", lengths: ODD, heads: 4, size: 5, causal, rate: 0.3 }),
    attentionCase({
      what: "dropout, a bias of more positions than needed and rows behind the last sequence",
      lengths: EACH,
      heads: 2,
      size: 6,
      causal,
      rate: 0.5,
      span: 20,
      behind: 2,
    }),
    attentionCase({ what: "one sequence of 512 tokens", lengths: [512], heads: 1, size: 4, causal, elements: 6 }),
    attentionCase({
      what: "many sequences, with bias and dropout",
      lengths: [17, 1, 33, 0, 60, 5, 24],
      heads: 2,
      size: 12,
      causal,
      span: 60,
      rate: 0.1,
      elements: 12,
    }),
    ...[0, 1, 3, 8, 9].map((window) =>
      attentionCase({ what: `${window} tokens to either side`, lengths: ODD, heads: 2, size: 5, causal, window })
    ),
    ...[[4, 2], [4, 1], [6, 3]].map(([heads, kvHeads]) =>
      attentionCase({
        what: `${heads} heads, ${kvHeads} of keys`,
        lengths: ODD,
        heads: heads!,
        kvHeads: kvHeads!,
        size: 5,
        causal,
      })
    ),
    attentionCase({ what: "a scale of its own", lengths: ODD, heads: 2, size: 5, causal, scale: 0.9 }),
    attentionCase({
      what: "everything at once",
      lengths: [9, 0, 1, 12, 3],
      heads: 6,
      kvHeads: 2,
      size: 7,
      causal,
      window: 4,
      scale: 0.25,
      span: 13,
      rate: 0.2,
      behind: 3,
      elements: 90,
    }),
    attentionCase({
      what: "a window and dropout, where the first keys are out of sight",
      lengths: [70, 2],
      heads: 2,
      kvHeads: 1,
      size: 3,
      causal,
      window: 6,
      rate: 0.3,
      span: 70,
      elements: 40,
    }),
    attentionCase({
      what: "a window in a long sequence",
      lengths: [3, 300],
      heads: 2,
      kvHeads: 1,
      size: 8,
      causal,
      window: 64,
      elements: 8,
    }),
  ]),
  attentionCase({ what: "sixteen tokens", lengths: [9, 7], heads: 2, size: 16, elements: 60 }),
  attentionCase({ what: "one token", lengths: [1], heads: 1, size: 1 }),
  attentionCase({ what: "no token at all", lengths: [0, 0], heads: 2, size: 4 }),
  attentionCase({ what: "no sequence at all", lengths: [], heads: 2, size: 4 }),
  attentionCase({ what: "rows of no sequence alone", lengths: [0], heads: 2, size: 4, behind: 3 }),
  attentionCase({ what: "scores of some hundreds", lengths: [3, 8], heads: 2, size: 5, sharp: 200, elements: 0 }),
  attentionCase({ what: "sharp scores", lengths: [3, 8], heads: 2, size: 5, sharp: 6 }),
];

/** Where all scores are 0, log Σ exp is the logarithm of the number of keys. */
const logarithms: readonly Case[] = [1, 2, 3, 5, 6, 7, 11, 45, 181, 359].map((length) =>
  testCase(
    `attention: the logarithm of ${length} equal keys`,
    { qkv: filled([length, 12], 0), offsets: offsetsOf([length]) },
    (engine, { qkv, offsets }) => ({
      logSumExp: engine.attention({ qkv, offsets, heads: 1, maxLength: length }).logSumExp,
    }),
    () => ({ logSumExp: filled([length, 1], Math.log(length)) }),
    2e-7,
  )
);

const MODES: readonly PoolingMode[] = ["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"];

function poolCase(
  mode: PoolingMode,
  lengths: readonly number[],
  width: number,
  skip: number,
  below = false,
  behind = 0,
): Case {
  const tokens = lengths.reduce((sum, length) => sum + length, behind);
  const n = lengths.length;
  return testCase(
    `pooling by ${mode}: ${n} sequences, width ${width}, ${skip} left out${below ? ", all negative" : ""}${
      behind > 0 ? ", rows behind" : ""
    }`,
    {
      x: map(normals([tokens, width]), (value) => below ? -0.5 - Math.abs(value) : value),
      dy: normals([n, width], 1, 1),
      offsets: offsetsOf(lengths),
    },
    (engine, { x, dy, offsets }) => {
      const y = engine.pool(x, offsets, mode, skip);
      return { y, dx: engine.poolBackward(dy, x, y, offsets, mode, skip) };
    },
    ({ x, dy, offsets }) => ({
      y: pool(x, offsets, mode, skip),
      dx: differences(x, (x) => dot(dy, pool(x, offsets, mode, skip)), some(x, 250)),
    }),
  );
}

const poolings: Case[] = MODES.flatMap((mode) => [
  poolCase(mode, ODD, 5, 0),
  poolCase(mode, ODD, 20, 2),
  poolCase(mode, [3, 4, 2], 7, 1, true),
  poolCase(mode, [1], 1, 0),
  poolCase(mode, [5, 11], 16, 1),
  poolCase(mode, [2, 1], 3, 9),
  poolCase(mode, [], 4, 0),
  poolCase(mode, [2, 3], 5, 0, false, 4),
  poolCase(mode, [30, 1, 0, 12, 50, 7, 9, 3, 3, 20], 33, 0),
]);

/** By the contract the first of several equal tokens gets it, and what is left out never does. */
const ties = testCase(
  "pooling by max: the gradient goes to the first token of several, never to one that is left out",
  {
    x: floats([9, 1, 5, 2, 5, 2, 5, 0, /* second */ 3, 3, 3, 3], [6, 2]),
    dy: floats([10, 20, 30, 40], [2, 2]),
    offsets: integers([0, 4, 6]),
  },
  (engine, { x, dy, offsets }) => {
    const y = engine.pool(x, offsets, "max", 1);
    const all = engine.pool(x, offsets, "max");
    return {
      y,
      dx: engine.poolBackward(dy, x, y, offsets, "max", 1),
      all: engine.poolBackward(dy, x, all, offsets, "max"),
    };
  },
  () => ({
    y: floats([5, 2, 3, 3], [2, 2]),
    dx: floats([0, 0, 10, 20, 0, 0, 0, 0, 0, 0, 30, 40], [6, 2]),
    all: floats([10, 0, 0, 20, 0, 0, 0, 0, 30, 40, 0, 0], [6, 2]),
  }),
  0,
);

const equalToSkipped = testCase(
  "pooling by max: a token that is left out and has the same value gets nothing",
  { x: floats([5, 1, 5, 7, 4, 7], [3, 2]), dy: floats([10, 20], [1, 2]), offsets: integers([0, 3]) },
  (engine, { x, dy, offsets }) => ({
    dx: engine.poolBackward(dy, x, engine.pool(x, offsets, "max", 1), offsets, "max", 1),
  }),
  () => ({ dx: floats([0, 0, 10, 20, 0, 0], [3, 2]) }),
  0,
);

export const sequences: readonly Case[] = [...attentions, ...logarithms];
export const poolingCases: readonly Case[] = [...poolings, ties, equalToSkipped];
