/**
 * The kernels on all cores, over one shared WebAssembly memory: as machine code with threads of its own, or as
 * WebAssembly with one worker per further core.
 *
 * Work is handed over through a control block: `kernels/threads.h`. The main thread does its share and waits for what
 * others have taken; a thread that has nothing to do sleeps.
 *
 * @module
 */
import { EngineError, UsageError } from "../../error.ts";
import { expectWholeNumber } from "../../expect.ts";
import { KERNELS } from "./binaries/wasm.ts";
import type { Guard, KernelCaller } from "./caller.ts";
import { KERNEL_TABLE, type KernelArguments, type KernelName } from "./kernels/table.ts";
import type { NativeKernels } from "./native.ts";

/** Bytes at the bottom: the control block, and what constants the kernels have (from byte 1024). */
export const CONTROL_BYTES = 65536;
/** What each thread has to itself, in bytes: scratch, and above it the stack that C grows downwards. */
export const THREAD_BYTES = 8 << 20;
/** Below a thread's scratch: what a product remembers from one portion to the next. */
const REMEMBERED_BYTES = 64;
/** Scratch of one thread, in bytes. */
export const SCRATCH_BYTES = THREAD_BYTES - 65536;
/** Where that of the first begins. */
const SCRATCH = CONTROL_BYTES + REMEMBERED_BYTES;

/** Threads at most, as in `kernels/native.c`: they have half of the memory to themselves then. */
export const MOST_THREADS = 256;

/**
 * How many threads an engine has.
 *
 * @param asked How many are asked for. Default: one per core.
 * @returns The same.
 * @throws {UsageError} It is no whole number from 1 to 256.
 */
export function threadCount(asked: number | undefined): number {
  if (asked === undefined) return Math.min(navigator.hardwareConcurrency, MOST_THREADS);
  expectWholeNumber("threads", asked);
  if (asked <= MOST_THREADS) return asked;
  throw new UsageError("an engine has no room for so many threads", {
    expected: `at most ${MOST_THREADS}`,
    found: `${asked}`,
  });
}

/** Runs kernels. */
export interface Threads {
  /** The machine code that they run; undefined: WebAssembly. */
  readonly native: NativeKernels | undefined;
  /** The memory that all threads share. */
  readonly memory: WebAssembly.Memory;
  /** Threads, this one included. */
  readonly count: number;
  /** Rows of A that a product takes at once. */
  readonly tile: number;
  /** Columns of B likewise. */
  readonly panel: number;
  /** Rows of A that a product in bf16 takes at once. */
  readonly block: number;
  /**
   * Runs a kernel over items 0 … items − 1, in portions of at least `grain`, and returns when all are done.
   *
   * @throws EngineError after `close`: the workers are gone, and waiting for them would never end.
   */
  readonly run: <K extends KernelName>(kernel: K, items: number, grain: number, args: KernelArguments<K>) => void;
  /** Items that other threads have done, ever. */
  readonly helped: () => number;
  /** Stops the other threads. */
  readonly close: () => void;
  /** See `KernelCaller`. */
  readonly guard?: Guard | undefined;
}

/** Number of each kernel, and the names of its arguments in their order. */
const SIGNATURES = new Map(
  Object.entries(KERNEL_TABLE).map(([name, args], number) => [name, { number, names: Object.keys(args) }]),
);

/**
 * Starts `count` threads over a memory of `pages` pages of 64 KiB: as machine code where that is given, and can be started
 * once more.
 */
export function startThreads(count: number, pages: number, native?: NativeKernels): Threads {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const started = native?.start(memory, count, SCRATCH, THREAD_BYTES);
  const caller = started ?? startWorkers(memory, count);
  const { values, call } = caller;
  let closed = false;
  const run: Threads["run"] = (kernel, items, grain, args) => {
    if (closed) throw new EngineError("the engine is closed", { found: `the kernel ${kernel}` });
    const { number, names } = SIGNATURES.get(kernel)!;
    for (const [i, name] of names.entries()) values[i] = (args as Readonly<Record<string, number>>)[name]!;
    call(number, items, grain);
  };
  const close = () => {
    if (!closed) caller.close();
    closed = true;
  };
  return {
    native: started && native,
    memory,
    count,
    tile: caller.tile,
    panel: caller.panel,
    block: caller.block,
    run,
    helped: caller.helped,
    close,
    guard: caller.guard,
  };
}

/** What the module exports: see `level.c` and `threads.c`. */
interface Kernels {
  /** Items `start` … `end` − 1 of a kernel; `values` is where its arguments are. */
  readonly run: (kernel: number, values: number, start: number, end: number, scratch: number) => void;
  /** All items of a kernel, with whoever helps. */
  readonly share: (control: number, kernel: number, items: number, grain: number, scratch: number) => void;
  /** Sends the helpers away. */
  readonly dismiss: (control: number) => void;
  readonly tile: () => number;
  readonly panel: () => number;
  readonly block: () => number;
  readonly __stack_pointer: WebAssembly.Global;
}

/** Where the control block is, and in it the arguments of a kernel. */
const [CONTROL, ARGUMENTS] = [0, 64];
/** Words of the control block: items that workers have done, and workers. */
const [HELPED, RUNNING] = [7, 10];

/** What a worker runs. It is text, so that neither bundling nor permissions stand in its way. */
const WORKER = `onmessage = ({ data: { module, memory, scratch } }) => {
  const { help, __stack_pointer } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  __stack_pointer.value = scratch - ${REMEMBERED_BYTES} + ${THREAD_BYTES};
  help(${CONTROL}, scratch);
  close();
};`;

let compiled: WebAssembly.Module | undefined;

function startWorkers(memory: WebAssembly.Memory, count: number): KernelCaller {
  const module = compiled ??= new WebAssembly.Module(Uint8Array.fromBase64(KERNELS));
  const kernels = new WebAssembly.Instance(module, { env: { memory } }).exports as unknown as Kernels;
  kernels.__stack_pointer.value = CONTROL_BYTES + THREAD_BYTES;

  const url = count > 1 ? URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })) : "";
  for (let i = 1; i < count; i++) {
    new Worker(url, { type: "module" }).postMessage({ module, memory, scratch: SCRATCH + i * THREAD_BYTES });
  }
  const control = new Int32Array(memory.buffer, CONTROL, 16);
  control[RUNNING] = count - 1;
  return {
    tile: kernels.tile(),
    panel: kernels.panel(),
    block: kernels.block(),
    values: new Float64Array(memory.buffer, ARGUMENTS, 64),
    call(kernel, items, grain) {
      // Small work is done here alone.
      if (items <= grain || count === 1) kernels.run(kernel, ARGUMENTS, 0, items, SCRATCH);
      else kernels.share(CONTROL, kernel, items, grain, SCRATCH);
    },
    helped: () => Atomics.load(control, HELPED),
    // A worker leaves by itself, even one that is still starting: `terminate()` on a thread that sleeps in
    // `Atomics.wait` leaves a process that never ends.
    close() {
      kernels.dismiss(CONTROL);
      if (url !== "") URL.revokeObjectURL(url);
    },
  };
}

/**
 * Whether a b + c is rounded once here: results have the same bits on all machines where it is. WebAssembly leaves it to
 * the machine.
 */
export function fuses(native?: NativeKernels): boolean {
  const pages = (CONTROL_BYTES + THREAD_BYTES) / 65536 + 1;
  const { memory, run, close } = startThreads(1, pages, native);
  const [x, target] = [CONTROL_BYTES + THREAD_BYTES, CONTROL_BYTES + THREAD_BYTES + 64];
  const [one, sum] = [new Float32Array(memory.buffer, x, 1), new Float32Array(memory.buffer, target, 1)];
  const a = 1 + 2 ** -12;
  [one[0], sum[0]] = [a, -1 - 2 ** -11]; // a² = 1 + 2⁻¹¹ + 2⁻²⁴, of which a product alone loses the end
  run("addTo", 1, 16, { target, x, scale: a });
  close();
  return sum[0] === 2 ** -24;
}
