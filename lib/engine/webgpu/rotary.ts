/**
 * Rotary positions.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import type { Core } from "./memory.ts";
import { elementwise } from "./wgsl.ts";

const ROTATE = elementwise(
  "rotate",
  {
    reads: { table: "f32", positions: "i32" },
    writes: { x: "f32" },
    numbers: { pairs: "u32", heads: "u32", headSize: "u32", stride: "u32", turn: "f32" },
  },
  `let pair = i % p.pairs;
let head = i / p.pairs % p.heads;
let row = i / p.pairs / p.heads;
let angle = u32(positions[row]) * 2u * p.pairs + pair;
let cosine = table[angle];
let sine = p.turn * table[angle + p.pairs];
let one = row * p.stride + head * p.headSize + pair;
let other = one + p.pairs;
let a = x[one];
let b = x[other];
x[one] = a * cosine - b * sine;
x[other] = b * cosine + a * sine;`,
);

/** See the Engine contract. */
export function rotaryKernels({ elements }: Core): Pick<Engine, "rotate"> {
  return {
    rotate(x, { table, positions, heads, headSize, inverse = false }) {
      const pairs = table.shape[1]! / 2;
      const size = x.shape[0]! * heads * pairs;
      const numbers = { pairs, heads, headSize, stride: x.shape[1]!, turn: inverse ? -1 : 1 };
      elements(ROTATE, size, { x, table, positions }, numbers);
    },
  };
}
