/**
 * The kernels on all cores: one shared WebAssembly memory, one worker per further core.
 *
 * Work is handed over through a control block at the bottom of the memory. The main thread does its share and waits; a
 * worker that has nothing to do sleeps.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { KERNELS } from "./kernels_wasm.ts";

/** Bytes at the bottom: control block, and the tables of the kernels' logarithms and powers (from byte 1024). */
export const CONTROL_BYTES = 65536;
/** Scratch of one thread, in bytes. */
export const SCRATCH_BYTES = 4 << 20;

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
  readonly run: (kernel: string, items: number, grain: number, ...args: number[]) => void;
  /** Stops the workers. */
  readonly close: () => void;
}

type Kernel = (...args: number[]) => void;

// Words of the control block.
const GENERATION = 0;
const FINISHED = 1;
const KERNEL = 2;
const NEXT = 3;
const ITEMS = 4;
const GRAIN = 5;
const ARGUMENTS = 6;
const STOP = 7;
const READY = 8;
/** Byte where the arguments begin. */
const ARGUMENT_BYTES = 64;

/** What a worker runs. It is text, so that neither bundling nor permissions stand in its way. */
const WORKER = `onmessage = ({ data: { module, memory, names, scratch } }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const kernels = names.map((name) => exports[name]);
  const control = new Int32Array(memory.buffer, 0, 16);
  const values = new Float64Array(memory.buffer, ${ARGUMENT_BYTES}, 64);
  let generation = Atomics.load(control, ${GENERATION});
  Atomics.add(control, ${READY}, 1);
  // The generation was read before STOP: either STOP is seen here, or the closing generation wakes the wait.
  while (Atomics.load(control, ${STOP}) === 0) {
    Atomics.wait(control, ${GENERATION}, generation);
    const now = Atomics.load(control, ${GENERATION});
    if (now === generation) continue;
    generation = now;
    if (Atomics.load(control, ${STOP}) === 1) break;
    const kernel = kernels[control[${KERNEL}]];
    const items = control[${ITEMS}], grain = control[${GRAIN}];
    const args = Array.from(values.subarray(0, control[${ARGUMENTS}]));
    for (let from; (from = Atomics.add(control, ${NEXT}, grain)) < items;) {
      kernel(...args, scratch, from, Math.min(items, from + grain));
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
  const exports = new WebAssembly.Instance(module, { env: { memory } }).exports as Record<string, Kernel>;
  const names = Object.keys(exports).filter((name) => typeof exports[name] === "function");
  const indices = new Map(names.map((name, index) => [name, index]));
  const control = new Int32Array(memory.buffer, 0, 16);
  const values = new Float64Array(memory.buffer, ARGUMENT_BYTES, 64);

  const url = count > 1 ? URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })) : "";
  const workers = Array.from({ length: count - 1 }, (_, i) => {
    const worker = new Worker(url, { type: "module" });
    const scratch = CONTROL_BYTES + (i + 1) * SCRATCH_BYTES;
    worker.postMessage({ module, memory, names, scratch });
    return worker;
  });

  let closed = false;
  const run = (kernel: string, items: number, grain: number, ...args: number[]): void => {
    if (closed) throw new EngineError("the engine is closed", { found: `the kernel ${kernel}` });
    const call = exports[kernel]!;
    // Small work, or workers that are still starting: do it here.
    if (items <= grain || workers.length === 0 || Atomics.load(control, READY) < workers.length) {
      return call(...args, CONTROL_BYTES, 0, items);
    }
    control[KERNEL] = indices.get(kernel)!;
    control[ITEMS] = items;
    control[GRAIN] = grain;
    control[ARGUMENTS] = args.length;
    values.set(args);
    Atomics.store(control, NEXT, 0);
    Atomics.store(control, FINISHED, 0);
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    for (let from; (from = Atomics.add(control, NEXT, grain)) < items;) {
      call(...args, CONTROL_BYTES, from, Math.min(items, from + grain));
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
