/**
 * The kernels on all cores: one shared WebAssembly memory, one worker per further core.
 *
 * Work is handed over through a control block at the bottom of the memory: `kernels/threads.c`. The main thread does its
 * share and waits for what others have taken; a worker that has nothing to do sleeps.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { KERNEL_TABLE, type KernelArguments, type KernelName } from "./kernels/table.ts";
import { KERNELS } from "./kernels_wasm.ts";

/** Bytes at the bottom: the control block, and what constants the kernels have (from byte 1024). */
export const CONTROL_BYTES = 65536;
/** What each thread has to itself, in bytes: scratch, and above it the stack that C grows downwards. */
export const THREAD_BYTES = 8 << 20;
/** Scratch of one thread, in bytes. */
export const SCRATCH_BYTES = THREAD_BYTES - 65536;

/** Runs kernels. */
export interface Threads {
  /** The memory that all threads share. */
  readonly memory: WebAssembly.Memory;
  /** Threads, this one included. */
  readonly count: number;
  /**
   * Runs a kernel over items 0 … items − 1, in portions of `grain`, and returns when all are done.
   *
   * @throws EngineError after `close`: the workers are gone, and waiting for them would never end.
   */
  readonly run: <K extends KernelName>(kernel: K, items: number, grain: number, args: KernelArguments<K>) => void;
  /** Stops the workers. */
  readonly close: () => void;
}

/** What the module exports: see `dispatch.c` and `threads.c`. */
interface Kernels {
  /** Items `start` … `end` − 1 of a kernel; `values` is where its arguments are. */
  readonly run: (kernel: number, base: number, values: number, start: number, end: number, scratch: number) => void;
  /** All items of a kernel, with whoever helps. */
  readonly share: (control: number, kernel: number, items: number, grain: number, scratch: number) => void;
  /** Sends the helpers away. */
  readonly dismiss: (control: number) => void;
  readonly __stack_pointer: WebAssembly.Global;
}

/** Number of each kernel, and the names of its arguments in their order. */
const SIGNATURES = new Map(
  Object.entries(KERNEL_TABLE).map(([name, args], number) => [name, { number, names: Object.keys(args) }]),
);

/** Where the control block is, and in it the arguments of a kernel. */
const [CONTROL, ARGUMENTS] = [0, 64];
/** The word of the control block that counts the items that workers have done. */
export const HELPED = 7;

/** What a worker runs. It is text, so that neither bundling nor permissions stand in its way. */
const WORKER = `onmessage = ({ data: { module, memory, scratch } }) => {
  const { help, __stack_pointer } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  __stack_pointer.value = scratch + ${THREAD_BYTES};
  help(${CONTROL}, scratch);
  close();
};`;

/** Starts `count` threads over a memory of `pages` pages of 64 KiB. */
export function startThreads(count: number, pages: number): Threads {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const module = new WebAssembly.Module(Uint8Array.fromBase64(KERNELS));
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  kernels.__stack_pointer.value = CONTROL_BYTES + THREAD_BYTES;
  const values = new Float64Array(memory.buffer, ARGUMENTS, 64);

  const url = count > 1 ? URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })) : "";
  for (let i = 1; i < count; i++) {
    new Worker(url, { type: "module" }).postMessage({ module, memory, scratch: CONTROL_BYTES + i * THREAD_BYTES });
  }

  let closed = false;
  const run: Threads["run"] = (kernel, items, grain, args) => {
    if (closed) throw new EngineError("the engine is closed", { found: `the kernel ${kernel}` });
    const { number, names } = SIGNATURES.get(kernel)!;
    for (const [i, name] of names.entries()) values[i] = (args as Readonly<Record<string, number>>)[name]!;
    // Small work is done here alone.
    if (items <= grain || count === 1) kernels.run(number, 0, ARGUMENTS, 0, items, CONTROL_BYTES);
    else kernels.share(CONTROL, number, items, grain, CONTROL_BYTES);
  };

  // A worker leaves by itself, even one that is still starting: `terminate()` on a thread that sleeps in `Atomics.wait`
  // leaves a process that never ends.
  const close = () => {
    closed = true;
    kernels.dismiss(CONTROL);
    if (url !== "") URL.revokeObjectURL(url);
  };
  return { memory, count, run, close };
}
