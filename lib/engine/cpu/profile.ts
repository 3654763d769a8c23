/**
 * Where the time of a cpu engine goes: calls, seconds and work of each kernel.
 *
 * @module
 */
import type { KernelTime } from "../engine.ts";
import { KERNEL_TABLE, type KernelName } from "./kernels/table.ts";
import type { Threads } from "./threads.ts";

/** Arguments that are small beside the matrices of a kernel: a row's worth, or a number of each row. */
const SMALL = new Set([
  ...["gamma", "beta", "weight", "bias", "statistics", "partial", "norms", "logSumExp", "r", "dLoss", "table", "state"],
  ...["values", "out", "best", "aNorms", "aErrors", "bNorms", "bErrors", "errors"],
]);
/** Passes over memory beyond one for each matrix: what is changed in place is read and written. */
const AGAIN: Readonly<Partial<Record<KernelName, number>>> = {
  adamw: 3,
  adamwRows: 3,
  addTo: 1,
  biasActivation: 1,
  rotate: 1,
};

/** Kernels that look at the rows that were touched alone, which nobody counts. */
const SOME_ROWS: ReadonlySet<KernelName> = new Set(["adamwRows", "squaresOfRows"]);

type Arguments = Readonly<Record<string, number>>;

/**
 * Threads that keep count of what they run. Seconds are those of the caller, who waits for all threads.
 *
 * @param threads Run the kernels.
 * @returns The same, and what they have run so far, the longest first.
 */
export function profiled(threads: Threads): { readonly threads: Threads; readonly times: () => readonly KernelTime[] } {
  const kernels = new Map<KernelName, { calls: number; seconds: number; operations: number; bytes: number }>();
  const run: Threads["run"] = (kernel, items, grain, args) => {
    const start = performance.now();
    threads.run(kernel, items, grain, args);
    const seconds = (performance.now() - start) / 1000;
    const entry = kernels.get(kernel) ?? { calls: 0, seconds: 0, operations: 0, bytes: 0 };
    kernels.set(kernel, entry);
    entry.calls++;
    entry.seconds += seconds;
    const operations = operationsOf(kernel, items, args as Arguments, threads.memory);
    entry.operations += operations;
    if (operations === 0) entry.bytes += bytesOf(kernel, items, args as Arguments);
  };
  const times = () =>
    [...kernels].map(([kernel, entry]) => ({ kernel, ...entry })).sort((a, b) => b.seconds - a.seconds);
  return { threads: { ...threads, run }, times };
}

/** Multiplications and additions of a kernel whose time goes into them; 0 for those that move memory. */
function operationsOf(kernel: KernelName, items: number, args: Arguments, memory: WebAssembly.Memory): number {
  if (["product", "productHalf", "int8Product"].includes(kernel)) return 2 * args["m"]! * args["n"]! * args["k"]!;
  if (kernel !== "attention" && kernel !== "attentionBackward") return 0;
  // QKᵀ and PV: 4 · L² · size of each head; backward five products instead of two.
  const { heads, headSize, window, causal } = args as {
    heads: number;
    headSize: number;
    window: number;
    causal: number;
  };
  const sequences = kernel === "attention" ? Math.round(items / heads) : args["sequences"]!;
  const offsets = new Int32Array(memory.buffer, args["offsets"]!, sequences + 1);
  let pairs = 0;
  for (let i = 1; i <= sequences; i++) {
    const length = offsets[i]! - offsets[i - 1]!;
    pairs += length * (window > 0 ? Math.min(length, 2 * window + 1) : length);
  }
  return (kernel === "attention" ? 4 : 10) * heads * headSize * pairs / (causal === 0 ? 1 : 2);
}

/** Bytes that go through memory, about: each matrix once, and again what is changed in place; 0 where that is not known. */
function bytesOf(kernel: KernelName, items: number, args: Arguments): number {
  if (SOME_ROWS.has(kernel)) return 0;
  const matrices = Object.entries(KERNEL_TABLE[kernel])
    .filter(([name, type]) => type.endsWith("float *") && !SMALL.has(name) && args[name] !== 0).length;
  const rows = args["rows"] ?? items;
  const elements = args["size"] ?? rows * (args["width"] ?? args["columns"] ?? 1);
  return 4 * elements * (matrices + (AGAIN[kernel] ?? 0));
}
