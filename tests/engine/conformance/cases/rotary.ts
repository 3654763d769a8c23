/** Rotary positions. */
import { type Case, testCase } from "../case.ts";
import { rotate } from "../reference/rotary.ts";
import { differences, dot, integers, normals, some, type Tensor, tensor } from "../tensor.ts";

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

export const rotary: readonly Case[] = [
  rotaryCase({ tokens: 7, heads: 3, headSize: 8, pairs: 4, rest: 0 }),
  rotaryCase({ tokens: 7, heads: 2, headSize: 8, pairs: 4, rest: 13 }),
  rotaryCase({ tokens: 5, heads: 4, headSize: 5, pairs: 2, rest: 20 }),
  rotaryCase({ tokens: 9, heads: 2, headSize: 16, pairs: 3, rest: 16 }),
  rotaryCase({ tokens: 6, heads: 2, headSize: 70, pairs: 33, rest: 5 }),
  rotaryCase({ tokens: 6, heads: 1, headSize: 40, pairs: 20, rest: 0 }),
  rotaryCase({ tokens: 1, heads: 1, headSize: 2, pairs: 1, rest: 0 }),
  rotaryCase({ tokens: 300, heads: 4, headSize: 32, pairs: 16, rest: 64 }),
  rotaryCase({ tokens: 0, heads: 1, headSize: 4, pairs: 2, rest: 2 }),
];
