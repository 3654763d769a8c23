/**
 * Whether the machine code computes here what WebAssembly computes: tried before it is used.
 *
 * @module
 */
import { int8Rows } from "./int8.ts";
import { type Form, FORMS, type NativeKernels } from "./native.ts";
import { CONTROL_BYTES, startThreads, THREAD_BYTES } from "./threads.ts";

/** Addresses of tensors of 16 KiB, and pages for nine of them. */
const address = (i: number) => CONTROL_BYTES + THREAD_BYTES + i * 16384;
const PAGES = address(9) / 65536 + 1;

/**
 * Products of odd sizes, in floats and in 8 bits, an activation, a normalisation and attention by both.
 *
 * @returns What differs, or undefined.
 */
export function faultOf(native: NativeKernels): string | undefined {
  const [found, expected] = [results(native), results(undefined)];
  for (const [kernel, values] of Object.entries(expected)) {
    const isSame = values.every((value, i) => Math.abs(found[kernel]![i]! - value) <= 1e-4); // NaN is not
    if (!isSame) return `${kernel} gives another result than as WebAssembly`;
  }
  return undefined;
}

function results(native: NativeKernels | undefined): Record<string, Float32Array> {
  const threads = startThreads(1, Math.ceil(PAGES), native);
  const { memory, run, tile, panel, close } = threads;
  const [A, B, C, D, E, F, G, OFFSETS] = [0, 1, 2, 3, 4, 5, 6, 7].map(address) as [
    ...[number, number, number, number, number, number, number, number],
  ];
  const values = (at: number, size: number) => new Float32Array(memory.buffer, at, size);
  for (const at of [A, B, C]) values(at, 4096).forEach((_, i, x) => x[i] = (i * 7919 + at) % 1009 / 500 - 1);
  const [m, n, k] = [33, 37, 65];
  const factors = { a: A, lda: k, transposed: 0, packed: 0, b: B, ldb: k, transposedB: 1, call: 1, byPanels: 0 };
  const args = { ...factors, ldc: n, m, n, k, alpha: 0.5, accumulate: 0, bias: C, kind: 0 };
  run("product", Math.ceil(m / tile), 1, { ...args, c: F, pre: G });
  const tiles = values(F, m * n).slice();
  run("product", Math.ceil(n / panel), 1, { ...args, call: 2, byPanels: 1, c: E, pre: D });
  const dropout = { threshold: 0, keepScale: 1, places: 0, seed: 0, purpose: 0, step: 0 };
  const norm = { x: D, residual: 0, sum: F, y: G, statistics: C + 8192, gamma: B, beta: C, epsilon: 1e-5, width: n };
  run("layerNorm", m, m, { ...norm, ...dropout });
  const product = {
    tiles,
    product: values(D, m * n).slice(),
    gelu: values(E, m * n).slice(),
    norm: values(G, m * n).slice(),
  };
  run("packWeight", n, n, { w: B, first: 0, n, k, packed: F });
  for (const byPanels of [0, 1]) { // the one is added to the other
    const packed = { packed: F, call: 3 * byPanels, byPanels, accumulate: byPanels };
    run("product", Math.ceil(byPanels ? n / panel : m / tile), 1, { ...args, ...packed, c: E, pre: 0 });
  }
  const packed = values(E, m * n).slice();
  const productOf = (form: Form) => {
    const packed = { packed: F, n, k, form: FORMS.indexOf(form) };
    run("packInt8", n, n, { ...packed, w: B, first: 0 });
    const block = { rows: int8Rows(threads, form, k), parts: 1 };
    run("int8Product", Math.ceil(m / block.rows), 1, { ...packed, ...block, x: A, bias: 0, kind: -1, y: G, m });
    return values(G, m * n).slice();
  };
  const dots = threads.native?.dots ?? "widened";
  const int8 = productOf(dots);
  const int7 = productOf(Deno.build.arch === "aarch64" ? dots : "sevens");
  new Int32Array(memory.buffer, OFFSETS, 3).set([0, 20, 33]);
  const [heads, headSize] = [2, 20];
  const stride = heads * headSize;
  const parts = { q: A, qStride: stride, k: B, kStride: stride, v: C, vStride: stride, offsets: OFFSETS };
  const shape = { heads, kvHeads: heads, headSize, scale: 0.25, causal: 0, window: 9, bias: 0, span: 0 };
  run("attention", 2 * heads, 1, { ...parts, ...shape, out: D, logSumExp: E, ...dropout });
  const attention = values(D, m * stride).slice();
  close();
  return { ...product, packed, int8, int7, attention };
}
