/**
 * Weights of linear layers that are not trained, kept as products take them: a product of few rows then has nothing to do but
 * to multiply, and what it gives has the same bits.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { addressOf, type Core } from "./core.ts";
import type { CpuHandle } from "./heap.ts";
import { DEPTH } from "./product.ts";

/** Rows that a thread puts where they belong in one portion. */
const ROWS = 16;
/** Numbers that are put there in one call. */
const WRITTEN = 1 << 20;

/** Columns of a product with n of them, those included that fill the last panel. */
const columnsOf = ({ threads: { panel } }: Core, n: number) => Math.ceil(n / panel) * panel;

/** The byte address of the slice of a packed weight that begins at `k0`. */
export const sliceOf = (core: Core, packed: number, n: number, k0: number): number =>
  packed + 4 * k0 * columnsOf(core, n);

/** A weight [N, K], packed: [slice][panel][k][columns of a panel], as in `kernels/product.c`. */
export function packedVariable(core: Core, shape: readonly number[]): CpuHandle {
  if (shape.length !== 2) throw new EngineError("a weight that is packed is a matrix", { found: `[${shape}]` });
  const [n, k] = shape as [number, number];
  const { block } = core.heap.variable([columnsOf(core, n) * k]);
  return { shape, dtype: "f32", block, isPacked: true };
}

/** Puts rows where products take them. */
export function writePacked(core: Core, weight: CpuHandle, values: Float32Array, offset: number): void {
  writeRows(core, "packWeight", weight, values, offset, {});
}

/** Brings whole rows of a weight [N, K] to the kernel that puts them where its products take them, a portion at a time. */
export function writeRows(
  core: Core,
  kernel: "packWeight" | "packInt8",
  weight: CpuHandle,
  values: Float32Array,
  offset: number,
  more: Readonly<Record<string, number>>,
): void {
  const [n, k] = weight.shape as [number, number];
  const packed = addressOf(weight);
  if (values.length === 0) return;
  if (offset % k !== 0 || values.length % k !== 0) {
    const what = kernel === "packInt8" ? "of int8" : "that is packed";
    throw new EngineError(`whole rows are written to a weight ${what}`, {
      expected: `multiples of ${k}`,
      found: `${values.length} values from element ${offset} on`,
    });
  }
  const portion = k * Math.max(1, Math.floor(WRITTEN / k));
  const room = core.workspace(4 * Math.min(portion, values.length));
  const put = (part: Float32Array, from: number) => {
    core.floats(room, part.length).set(part);
    const args = { w: room, first: from / k, n, k, packed, ...more };
    core.threads.run(kernel, part.length / k, ROWS, args);
  };
  for (let start = 0; start < values.length; start += portion) {
    const part = values.subarray(start, start + portion);
    if (core.isIdle()) put(part, offset + start); // a model that is loaded is not held twice
    else {
      const copy = part.slice();
      core.enqueue(() => put(copy, offset + start), copy.byteLength);
    }
  }
}

/** The values of a packed weight in the order of its rows: to be asked for when work is enqueued, and called by the work. */
export function unpacked(core: Core, weight: CpuHandle): () => Float32Array {
  const address = addressOf(weight);
  return () => rowsOf(core, weight, address);
}

function rowsOf(core: Core, { shape }: CpuHandle, address: number): Float32Array {
  const [n, k] = shape as [number, number];
  const { panel } = core.threads;
  const values = new Float32Array(n * k);
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = Math.min(DEPTH, k - k0);
    const slice = core.floats(sliceOf(core, address, n, k0), columnsOf(core, n) * depth);
    for (let row = 0; row < n; row++) {
      const from = Math.floor(row / panel) * depth * panel + row % panel;
      for (let p = 0; p < depth; p++) values[row * k + k0 + p] = slice[from + p * panel]!;
    }
  }
  return values;
}
