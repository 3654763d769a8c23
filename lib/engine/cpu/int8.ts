/**
 * Linear layers in numbers of 8 bits: weights that are quantised once, and their products; products of any rows, with bounds.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Handle, MatmulOptions } from "../engine.ts";
import { addressOf, at, atOr0, type Core, expectShape, own } from "./core.ts";
import { ACTIVATIONS } from "./dispatch.ts";
import type { CpuHandle } from "./heap.ts";
import { type Form, FORMS } from "./native.ts";
import { writeRows } from "./packed.ts";
import type { Threads } from "./threads.ts";

/** Longest sum that surely fits in 32 bits: of products of 255 and 127. */
export const MAX_DEPTH = 65536;
/** Bytes of rows that one thread has quantised at a time: they stay in a near cache, and always in its scratch. */
const ROWS_BYTES = 1 << 20;
/** Rows that a thread quantises or measures in one portion. */
const PACKED_ROWS = 16;
/** Multiplications of one call, so that none takes long: the event loop waits meanwhile. */
const CALL = 1e9;

/** Panels of a weight as it is packed, and its floats: as in `kernels/int8.c`. */
const packedSizes = ({ threads: { panel } }: Core, n: number, k: number) => {
  const panels = Math.ceil(n / panel);
  const columns = panels * panel;
  return { panels, size: 2 * columns + columns * Math.ceil(k / 64) * 64 / 4 };
};

/** Rows that a thread takes at once: some tiles, fewer where rows are long. */
export function int8Rows({ tile }: Pick<Threads, "tile">, form: Form, k: number): number {
  const [height, most] = form === "grids" ? [32, 2] : [tile, 8];
  return height * Math.max(1, Math.min(most, Math.floor(ROWS_BYTES / (2 * k * height))));
}

/** A weight [N, K]. */
export function int8Variable(core: Core, shape: readonly number[]): CpuHandle {
  const [n, k] = shape;
  if (shape.length !== 2 || k! > MAX_DEPTH) {
    throw new EngineError("a weight of int8 is a matrix", {
      expected: `[any, at most ${MAX_DEPTH}]`,
      found: `[${shape}]`,
    });
  }
  const { block } = core.heap.variable([packedSizes(core, n!, k!).size], "i8");
  return { shape, dtype: "i8", block };
}

/** Quantises rows, and puts them where the weight has them. */
export function writeInt8(core: Core, weight: CpuHandle, values: Float32Array, offset: number): void {
  writeRows(core, "packInt8", weight, values, offset, { form: FORMS.indexOf(core.dots) });
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
  const epilogue = { bias: atOr0(bias), kind: activation ? ACTIVATIONS[activation] : -1 };
  multiplyInt8(core, core.dots, { x: at(a), packed: addressOf(weight), y: at(y), m, n, k, ...epilogue });
  return y;
}

/** Enqueues one product of addresses: f(x wᵀ + bias). */
function multiplyInt8(
  core: Core,
  form: Form,
  product: { x: number; packed: number; y: number; m: number; n: number; k: number; bias: number; kind: number },
): void {
  const { x, y, m, n, k } = product;
  const { panels } = packedSizes(core, n, k);
  const rows = int8Rows(core.threads, form, k);
  const call = rows * Math.max(1, Math.floor(CALL / (n * k * rows)));
  for (let row = 0; row < m; row += call) {
    const count = Math.min(call, m - row);
    const blocks = Math.ceil(count / rows);
    const parts = Math.min(panels, Math.ceil(core.threads.count / blocks)); // few rows: threads share the columns
    const place = { x: x + 4 * row * k, y: y + 4 * row * n, m: count };
    const args = { ...product, ...place, form: FORMS.indexOf(form), rows, parts };
    core.enqueue(() => core.threads.run("int8Product", blocks * parts, 1, args));
  }
}

/**
 * Products a bᵀ of [R, K] and [C, K] as whole numbers have them, and what is needed to say how far off they may be; a pair is
 * of a and of b.
 */
export interface BoundedProducts {
  /** f32 [R, C] */
  readonly products: CpuHandle;
  /** f32 [R] and [C]: lengths of the rows, no less than they are. */
  readonly norms: readonly [CpuHandle, CpuHandle];
  /** f32 [R] and [C]: lengths of what whole numbers leave out of the rows, likewise. */
  readonly errors: readonly [CpuHandle, CpuHandle];
}

/** Multiplies in whole numbers, of which a has 7 bits where that is faster. */
export function boundedProducts(core: Core, form: Form, a: Handle, b: Handle): BoundedProducts {
  const { heap, threads, enqueue } = core;
  const [[m, k], n] = [a.shape as [number, number], b.shape[0]!];
  const pair = () => [heap.temporary([m]), heap.temporary([n])] as const;
  const [norms, errors] = [pair(), pair()];
  for (const [i, rows] of [a, b].entries()) {
    const bits = FORMS.indexOf(i === 0 ? form : "widened"); // b has 8 bits in every form
    const args = { x: at(rows), k, form: bits, norms: at(norms[i]!), errors: at(errors[i]!) };
    enqueue(() => threads.run("int8Bounds", rows.shape[0]!, PACKED_ROWS, args));
  }
  const packed = heap.temporary([packedSizes(core, n, k).size]);
  const args = { w: at(b), first: 0, n, k, form: FORMS.indexOf(form), packed: at(packed) };
  enqueue(() => threads.run("packInt8", n, PACKED_ROWS, args));
  const products = heap.temporary([m, n]);
  multiplyInt8(core, form, { x: at(a), packed: at(packed), y: at(products), m, n, k, bias: 0, kind: -1 });
  heap.release(packed);
  return { products, norms, errors };
}
