/**
 * The kernels of the cpu engine one by one, in one thread: the shortest of fifteen calls, and what that is in operations
 * or bytes per second. `deno run [--allow-ffi] bench/kernels.ts [wasm|sse42|avx2|avx512|neon]`
 *
 * A product that does half of what it did has lost its registers: see `APART` in the kernels' `vector.h`.
 *
 * @module
 */
import type { KernelArguments, KernelName } from "../lib/engine/cpu/kernels/table.ts";
import { openNativeKernels } from "../lib/engine/cpu/native.ts";
import { startThreads } from "../lib/engine/cpu/threads.ts";
import { say } from "./measure.ts";

const wanted = Deno.args[0];
const { native, reason } = await openNativeKernels(wanted === "wasm" ? undefined : wanted);
const { memory, run, tile, panel, close } = startThreads(1, 16384, wanted === "wasm" ? undefined : native);
say(wanted === "wasm" ? wanted : reason);
/** Addresses of twelve tensors of 48 MiB. */
const [A, B, C, D, E, F, G, H, I, PLACES, OFFSETS, STATE] = Array.from(
  { length: 12 },
  (_, i) => (128 + 48 * i) * 2 ** 20,
) as [number, number, number, number, number, number, number, number, number, number, number, number];
const fill = () => {
  for (const address of [A, B, C, D, E, F, G, H, I]) {
    new Float32Array(memory.buffer, address, 4e6).forEach((_, i, x) => x[i] = (i * 7919 + address) % 1009 / 500 - 1);
  }
};

type Call = () => void;
let calls = 0;
const call = <K extends KernelName>(kernel: K, items: number, args: KernelArguments<K>): Call => () =>
  run(kernel, items, items, args);

function time(what: string, work: number, unit: "GF/s" | "GB/s", ...calls: Call[]): void {
  let best = Infinity;
  for (let i = 0; i < 15; i++) {
    const started = performance.now();
    for (const each of calls) each();
    best = Math.min(best, performance.now() - started);
  }
  say(`${what.padEnd(48)} ${best.toFixed(3).padStart(8)} ms ${(work / best / 1e6).toFixed(1).padStart(7)} ${unit}`);
}

fill();
for (const [rows, from, to] of [[830, 384, 384], [830, 384, 1536], [830, 1536, 384]] as const) {
  const products = [["x Wᵀ", 0, 1, rows, from, to], ["dy W", 0, 0, rows, to, from], ["dyᵀ x", 1, 0, to, rows, from]];
  for (const [what, tA, tB, m, k, n] of products as [string, number, number, number, number, number][]) {
    const slices = Array.from({ length: Math.ceil(k / 384) }, (_, i): Call => {
      const [k0, depth] = [384 * i, Math.min(384, k - 384 * i)];
      const items = n > m ? Math.ceil(n / panel) : Math.ceil(m / tile);
      return () =>
        run("product", items, items, {
          a: A + 4 * k0 * (tA ? m : 1),
          lda: tA ? m : k,
          transposed: tA,
          packed: 0,
          b: B + 4 * k0 * (tB ? 1 : n),
          ldb: tB ? k : n,
          transposedB: tB,
          call: ++calls,
          byPanels: +(n > m),
          c: C,
          ldc: n,
          m,
          n,
          k: depth,
          alpha: 1,
          accumulate: +(i > 0),
          ...{ bias: 0, pre: 0, kind: -1 },
        });
    });
    time(
      `${what}, ${from} → ${to}, ${rows} rows`,
      2 * m * n * k,
      "GF/s",
      ...slices,
    );
  }
}

fill();
const wide = 830 * 1536;
for (const [kind, name] of ["gelu", "geluTanh", "tanh", "relu", "silu"].entries()) {
  time(`${name}, 830 × 1536`, 8 * wide, "GB/s", call("activate", wide, { kind, x: A, y: B }));
  const slope = { kind, z: A, dy: B, dz: C, partial: D, rows: 830, columns: 1536, parts: 2 };
  time("its backward, with the bias's", 12 * wide, "GB/s", call("activateBackward", 2 * Math.ceil(830 / 64), slope));
}
const [rows, width] = [1650, 384];
const key = { threshold: 6554, keepScale: 1.1, places: PLACES, seed: 1, purpose: 2, step: 3 };
const norm = { x: A, residual: B, sum: C, y: D, statistics: E, gamma: F, beta: G, epsilon: 1e-12, width };
new Int32Array(memory.buffer, PLACES, 2 * rows).forEach((_, i, places) => places[i] = i >> 1);
time(
  "layer norm and residual, 1650 × 384",
  16 * rows * width,
  "GB/s",
  call("layerNorm", rows, { ...norm, ...key, threshold: 0 }),
);
time("the same with dropout", 16 * rows * width, "GB/s", call("layerNorm", rows, { ...norm, ...key }));
const slopes = { dy: A, sum: C, statistics: E, gamma: F, added: 0, ds: H, dx: 0, partial: I, rows, width, ...key };
const blocks = Math.ceil(rows / 64);
time("its backward", 12 * rows * width, "GB/s", call("layerNormBackward", blocks, slopes));
time("the same with dropout", 16 * rows * width, "GB/s", call("layerNormBackward", blocks, { ...slopes, dx: D }));
new Float32Array(memory.buffer, STATE, 8).set([1e-4, 10, 1, 1, 1, 0]);
const constants = { weightDecay: 0.01, state: STATE, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
new Float32Array(memory.buffer, D, 3e6).fill(0.1);
time("AdamW, 3 million weights", 28 * 3e6, "GB/s", call("adamw", 3e6, { w: A, g: B, m: C, v: D, ...constants }));

fill();
for (const [length, heads, headSize] of [[26, 12, 32], [64, 12, 64], [300, 12, 64]] as const) {
  const [count, columns] = [Math.floor(rows / length), heads * headSize];
  new Int32Array(memory.buffer, OFFSETS, count + 1).forEach((_, i, offsets) => offsets[i] = i * length);
  const parts = { q: A, qStride: columns, k: B, kStride: columns, v: C, vStride: columns, offsets: OFFSETS };
  const shape = {
    heads,
    kvHeads: heads,
    headSize,
    scale: headSize ** -0.5,
    causal: 0,
    window: length,
    bias: 0,
    span: 0,
  };
  const input = { ...parts, ...shape, ...key, logSumExp: E };
  const work = 4 * count * length ** 2 * columns;
  time(
    `attention, ${count} × ${length} tokens, ${heads} × ${headSize}, dropout`,
    work,
    "GF/s",
    call("attention", count * heads, { ...input, out: D }),
  );
  const gradients = { dOut: F, dq: G, dqStride: columns, dk: H, dkStride: columns, dv: I, dvStride: columns, dBias: 0 };
  time(
    "its backward",
    2.5 * work,
    "GF/s",
    call("attentionBackward", count * heads, { ...input, sequences: count, ...gradients }),
  );
}
close();
