/**
 * The kernels on all cores: one shared WebAssembly memory, one worker per further core.
 *
 * Work is handed over through a control block at the bottom of the memory. The main thread does its share and waits; a
 * worker that has nothing to do sleeps.
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

/** What the module exports. */
interface Kernels {
  /** Items `start` … `end` − 1 of a kernel; `values` is where its arguments are. */
  readonly run: (kernel: number, base: number, values: number, start: number, end: number, scratch: number) => void;
  readonly __stack_pointer: WebAssembly.Global;
}

/** Number of each kernel, and the names of its arguments in their order. */
const SIGNATURES = new Map(
  Object.entries(KERNEL_TABLE).map(([name, args], number) => [name, { number, names: Object.keys(args) }]),
);

// Words of the control block.
const GENERATION = 0;
const FINISHED = 1;
const KERNEL = 2;
const NEXT = 3;
const ITEMS = 4;
const GRAIN = 5;
const STOP = 6;
const READY = 7;
/** Byte where the arguments begin. */
const ARGUMENT_BYTES = 64;

/** What a worker runs. It is text, so that neither bundling nor permissions stand in its way. */
const WORKER = `onmessage = ({ data: { module, memory, scratch } }) => {
  const { run, __stack_pointer } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  __stack_pointer.value = scratch + ${THREAD_BYTES};
  const control = new Int32Array(memory.buffer, 0, 16);
  let generation = Atomics.load(control, ${GENERATION});
  Atomics.add(control, ${READY}, 1);
  // The generation was read before STOP: either STOP is seen here, or the closing generation wakes the wait.
  while (Atomics.load(control, ${STOP}) === 0) {
    Atomics.wait(control, ${GENERATION}, generation);
    const now = Atomics.load(control, ${GENERATION});
    if (now === generation) continue;
    generation = now;
    if (Atomics.load(control, ${STOP}) === 1) break;
    const kernel = control[${KERNEL}], items = control[${ITEMS}], grain = control[${GRAIN}];
    for (let from; (from = Atomics.add(control, ${NEXT}, grain)) < items;) {
      run(kernel, 0, ${ARGUMENT_BYTES}, from, Math.min(items, from + grain), scratch);
    }
    Atomics.add(control, ${FINISHED}, 1);
    Atomics.notify(control, ${FINISHED});
  }
  close();
};`;

/** Starts `count` threads over a memory of `pages` pages of 64 KiB. */
export function startThreads(count: number, pages: number): Threads {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const module = new WebAssembly.Module(Uint8Array.fromBase64(KERNELS));
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  kernels.__stack_pointer.value = CONTROL_BYTES + THREAD_BYTES;
  const control = new Int32Array(memory.buffer, 0, 16);
  const values = new Float64Array(memory.buffer, ARGUMENT_BYTES, 64);

  const url = count > 1 ? URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })) : "";
  const workers = Array.from({ length: count - 1 }, (_, i) => {
    const worker = new Worker(url, { type: "module" });
    worker.postMessage({ module, memory, scratch: CONTROL_BYTES + (i + 1) * THREAD_BYTES });
    return worker;
  });

  let closed = false;
  const run: Threads["run"] = (kernel, items, grain, args) => {
    if (closed) throw new EngineError("the engine is closed", { found: `the kernel ${kernel}` });
    const { number, names } = SIGNATURES.get(kernel)!;
    for (const [i, name] of names.entries()) values[i] = (args as Readonly<Record<string, number>>)[name]!;
    const does = (from: number, to: number) => kernels.run(number, 0, ARGUMENT_BYTES, from, to, CONTROL_BYTES);
    // Small work, or workers that are still starting: do it here.
    if (items <= grain || workers.length === 0 || Atomics.load(control, READY) < workers.length) {
      return does(0, items);
    }
    control[KERNEL] = number;
    control[ITEMS] = items;
    control[GRAIN] = grain;
    Atomics.store(control, NEXT, 0);
    Atomics.store(control, FINISHED, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    for (let from; (from = Atomics.add(control, NEXT, grain)) < items;) {
      does(from, Math.min(items, from + grain));
    }
    for (let spins = 0; spins < 2000; spins++) if (Atomics.load(control, FINISHED) === workers.length) return;
    for (let done; (done = Atomics.load(control, FINISHED)) < workers.length;) Atomics.wait(control, FINISHED, done);
  };

  // A worker leaves by itself, even one that is still starting: `terminate()` on a thread that sleeps in `Atomics.wait`
  // leaves a process that never ends.
  const close = () => {
    closed = true;
    Atomics.store(control, STOP, 1);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    if (url !== "") URL.revokeObjectURL(url);
  };
  return { memory, count, run, close };
}
