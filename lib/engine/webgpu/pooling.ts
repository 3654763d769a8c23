/**
 * From the tokens of a sequence to its embedding.
 *
 * @module
 */
import { type Engine, type PoolingMode, sizeOf } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { elementwise } from "./wgsl.ts";

/** The weight of token i of a sequence of `count` tokens behind `p.skip` others. */
const WEIGHTS: Readonly<Record<Exclude<PoolingMode, "max">, string>> = {
  mean: "1.0 / f32(count)",
  mean_sqrt_len: "1.0 / sqrt(f32(count))",
  weightedmean: "f32(p.skip + i + 1u) / f32(p.skip * count + count * (count + 1u) / 2u)",
  cls: "select(0.0, 1.0, i == 0u)",
  lasttoken: "select(0.0, 1.0, i + 1u == count)",
};

const NUMBERS = { width: "u32", skip: "u32" } as const;
/** A thread for each feature of each sequence. */
const SEQUENCE = `let s = i / p.width;
let c = i % p.width;
let first = u32(offsets[s]) + p.skip;
let end = u32(offsets[s + 1u]);
let count = select(0u, end - first, end > first);`;

const pool = (mode: PoolingMode): Kernel =>
  elementwise(
    `pool ${mode}`,
    {
      reads: { x: "f32", offsets: "i32" },
      writes: { y: "f32" },
      numbers: NUMBERS,
      head: mode === "max" ? "" : `fn weight(i: u32, count: u32) -> f32 { return ${WEIGHTS[mode]}; }`,
    },
    mode === "max"
      ? `${SEQUENCE}
var largest = 0.0;
for (var k = 0u; k < count; k++) {
  let value = x[(first + k) * p.width + c];
  largest = select(max(largest, value), value, k == 0u);
}
y[i] = largest;`
      : `${SEQUENCE}
var sum = 0.0;
for (var k = 0u; k < count; k++) { sum = fma(weight(k, count), x[(first + k) * p.width + c], sum); }
y[i] = sum;`,
  );

const poolBackward = (mode: PoolingMode): Kernel =>
  elementwise(
    `poolBackward ${mode}`,
    {
      reads: { dy: "f32", offsets: "i32", ...(mode === "max" && { x: "f32", pooled: "f32" }) },
      writes: { dx: "f32" },
      numbers: NUMBERS,
      head: mode === "max" ? "" : `fn weight(i: u32, count: u32) -> f32 { return ${WEIGHTS[mode]}; }`,
    },
    mode === "max"
      ? `${SEQUENCE}
for (var k = 0u; k < count; k++) {
  let at = (first + k) * p.width + c;
  if (x[at] == pooled[i]) { dx[at] = dy[i]; return; }
}`
      : `${SEQUENCE}
for (var k = 0u; k < count; k++) { dx[(first + k) * p.width + c] = weight(k, count) * dy[i]; }`,
  );

/** See the Engine contract. */
export function poolingKernels({ device, temporary, at, elements }: Core): Pick<Engine, "pool" | "poolBackward"> {
  return {
    pool(x, offsets, mode, skip = 0) {
      const width = x.shape[1]!;
      const y = temporary([offsets.shape[0]! - 1, width]);
      elements(pool(mode), sizeOf(y.shape), { x, offsets, y }, { width, skip });
      return y;
    },
    poolBackward(dy, x, pooled, offsets, mode, skip = 0) {
      const width = x.shape[1]!;
      expectShape("poolBackward", dy, [offsets.shape[0]! - 1, width]);
      const dx = temporary(x.shape);
      device.clear(at(dx)); // tokens that do not count
      const size = (offsets.shape[0]! - 1) * width;
      elements(poolBackward(mode), size, { dy, offsets, x, pooled, dx }, { width, skip });
      return dx;
    },
  };
}
