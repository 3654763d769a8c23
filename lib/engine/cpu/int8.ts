/**
 * Linear layers in numbers of 8 bits: weights that are quantised once, and their products.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Handle, MatmulOptions } from "../engine.ts";
import { at, atOr0, type Core, expectShape, own } from "./core.ts";
import { ACTIVATIONS } from "./dispatch.ts";
import type { CpuHandle } from "./heap.ts";
import { DOTS } from "./native.ts";
import type { Threads } from "./threads.ts";

/** Longest sum that surely fits in 32 bits: of products of 255 and 127. */
const MAX_DEPTH = 65536;
/** Bytes of rows that one thread has quantised at a time: they stay in a near cache, and always in its scratch. */
const ROWS_BYTES = 1 << 20;
/** Numbers that are quantised in one call. */
const WRITTEN = 1 << 20;
/** Multiplications of one call, so that none takes long: the event loop waits meanwhile. */
const CALL = 1e9;

/** Depth and columns of a weight as they are packed: as in `kernels/int8.c`. */
const packedSizes = ({ threads: { panel } }: Core, n: number, k: number) => ({
  depth: Math.ceil(k / 64) * 64,
  panels: Math.ceil(n / panel),
  columns: Math.ceil(n / panel) * panel,
});

/** Rows that a thread takes at once: some tiles, fewer where rows are long. */
export function int8Rows({ tile }: Pick<Threads, "tile">, dots: Core["dots"], k: number): number {
  const [height, most] = dots === "grids" ? [32, 2] : [tile, 8];
  return height * Math.max(1, Math.min(most, Math.floor(ROWS_BYTES / (2 * k * height))));
}

/** A weight [N, K] of zeros. */
export function int8Variable(core: Core, shape: readonly number[]): CpuHandle {
  const [n, k] = shape;
  if (shape.length !== 2 || k! > MAX_DEPTH) {
    throw new EngineError("a weight of int8 is a matrix", {
      expected: `[any, at most ${MAX_DEPTH}]`,
      found: `[${shape}]`,
    });
  }
  const { depth, columns } = packedSizes(core, n!, k!);
  const { block } = core.heap.variable([2 * columns + columns * depth / 4], "i8");
  const { address, size } = block;
  core.enqueue(() => core.ints(address, size).fill(0));
  return { shape, dtype: "i8", block };
}

/** Quantises rows, and puts them where the weight has them. */
export function writeInt8(core: Core, { shape, block }: CpuHandle, values: Float32Array, offset: number): void {
  const [n, k] = shape as [number, number];
  if (values.length === 0) return;
  if (offset % k !== 0 || values.length % k !== 0) {
    throw new EngineError("whole rows are written to a weight of int8", {
      expected: `multiples of ${k}`,
      found: `${values.length} values from element ${offset} on`,
    });
  }
  const copy = values.slice();
  const portion = k * Math.max(1, Math.floor(WRITTEN / k));
  const room = core.workspace(4 * Math.min(portion, copy.length));
  const args = { w: room, n, k, form: DOTS.indexOf(core.dots), packed: block.address };
  for (let start = 0; start < copy.length; start += portion) {
    const part = copy.subarray(start, start + portion);
    core.enqueue(() => {
      core.floats(room, part.length).set(part);
      core.threads.run("packInt8", part.length / k, 1, { ...args, first: (offset + start) / k });
    }, part.byteLength);
  }
}

/** f(a weightᵀ + bias); a [M, K], weight [N, K] → [M, N]. */
export function matmulInt8(core: Core, a: Handle, weight: CpuHandle, options: MatmulOptions): CpuHandle {
  const { transposeA, transposeB, scale, accumulate, preactivation, bias, activation, out } = options;
  if (
    transposeA === true || transposeB !== true || (scale ?? 1) !== 1 || accumulate === true ||
    preactivation !== undefined
  ) {
    throw new EngineError("matmul: a weight of int8 is multiplied as one of a linear layer, and not trained", {
      expected: "transposeB, bias, activation and out alone",
      found: Object.keys(options).join(", ") || "no options",
    });
  }
  const [n, k] = weight.shape as [number, number];
  expectShape("matmul", a, [undefined, k]);
  const m = a.shape[0]!;
  if (bias !== undefined) expectShape("matmul", bias, [n]);
  if (out !== undefined) expectShape("matmul", out, [m, n]);
  const y = out === undefined ? core.heap.temporary([m, n]) : own(out);
  const { threads } = core;
  const { panels } = packedSizes(core, n, k);
  const form = DOTS.indexOf(core.dots);
  const rows = int8Rows(threads, core.dots, k);
  const call = rows * Math.max(1, Math.floor(CALL / (n * k * rows)));
  const shared = { packed: weight.block.address, bias: atOr0(bias), kind: activation ? ACTIVATIONS[activation] : -1 };
  const [x, to] = [at(a), at(y)];
  for (let row = 0; row < m; row += call) {
    const count = Math.min(call, m - row);
    const blocks = Math.ceil(count / rows);
    const parts = Math.min(panels, Math.ceil(threads.count / blocks)); // few rows: threads share the columns
    const args = { ...shared, x: x + 4 * row * k, y: to + 4 * row * n, m: count, n, k, form, rows, parts };
    core.enqueue(() => threads.run("int8Product", blocks * parts, 1, args));
  }
  return y;
}
