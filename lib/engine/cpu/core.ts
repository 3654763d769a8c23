/**
 * What all kernels of the cpu engine share: memory, threads, and the queue of work.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Dropout, Handle, KernelTime } from "../engine.ts";
import { dropoutScale } from "../philox.ts";
import { type CpuHandle, createHeap, type Heap } from "./heap.ts";
import type { Accelerate } from "./accelerate.ts";
import { guarded } from "./guard.ts";
import { fastForm, type Form, type NativeKernels, NO_BF16, roundedBy } from "./native.ts";
import { profiled } from "./profile.ts";
import { CONTROL_BYTES, startThreads, THREAD_BYTES, type Threads } from "./threads.ts";
import { turn } from "../../turn.ts";

/** Options of `createCpuEngine`. */
export interface CpuOptions {
  /** Threads of computation, 256 at most; default: one per core. */
  readonly threads?: number | undefined;
  /** The kernels as machine code: see `openNativeKernels`. Default: WebAssembly. */
  readonly native?: NativeKernels | undefined;
  /**
   * bf16: factors of a layer's products are rounded to 16 bits. Needs kernels that can. int8: layers of models that are
   * loaded have weights of 8 bits, and are not trained. Default fp32.
   */
  readonly precision?: "fp32" | "bf16" | "int8" | undefined;
  /** Who multiplies matrices instead of the kernels: see `openAccelerate`. */
  readonly accelerate?: Accelerate | undefined;
  /** Keeps count of what the kernels do: see `Engine.times`. */
  readonly profile?: boolean | undefined;
  /** Bytes that the activations of one micro-batch may take; default: what the memory leaves, at most 2 GiB. */
  readonly activationBudget?: number | undefined;
  /** Bytes of variables above which cold ones live outside of the kernels' memory; default: half of that. */
  readonly coldAbove?: number | undefined;
  /** Bytes of logits over a large vocabulary that are held at once; default 64 MiB. */
  readonly logitBytes?: number | undefined;
}

/** The inside of a cpu engine. */
export interface Core {
  /** What the kernels have done, where that is kept count of. */
  readonly times: (() => readonly KernelTime[]) | undefined;
  /** Runs kernels on all threads. */
  readonly threads: Threads;
  /** Addresses. */
  readonly heap: Heap;
  /** Who multiplies matrices instead of the kernels. */
  readonly accelerate: Accelerate | undefined;
  /** What factors of a layer's products are rounded to. */
  readonly precision: "fp32" | "bf16" | "int8";
  /** How products of 8 bits are added up. */
  readonly dots: NativeKernels["dots"];
  /** How products are added up in fewer bits than floats have, if that is faster. */
  readonly fastForm: Form | undefined;
  /** A number that no call of a product had before. */
  readonly nextCall: () => number;
  /** Adds work to the end of the queue; `bytes` is what it keeps in memory until then. */
  readonly enqueue: (work: () => void, bytes?: number) => void;
  /** Whether nothing waits: what is done at once is done in its turn. False once it is closed. */
  readonly isIdle: () => boolean;
  /** Does everything that is queued, with a turn of the event loop now and then. */
  readonly drain: () => Promise<void>;
  /**
   * Forgets what is queued and sends the workers away. Whoever waits for the queue, or adds to it later, gets an
   * `EngineError`: an interrupted computation ends instead of waiting for workers that have left.
   */
  readonly close: () => void;
  /** f32 elements of the memory. */
  readonly floats: (address: number, size: number) => Float32Array;
  /** i32 elements of the memory. */
  readonly ints: (address: number, size: number) => Int32Array;
  /** f64 elements of the memory. */
  readonly doubles: (address: number, size: number) => Float64Array;
  /** At least so many bytes for intermediate values of one kernel; the next kernel may overwrite them. */
  readonly workspace: (bytes: number) => number;
}

/** Queued kernels after which the queue is worked off without waiting for a read: far more than one step has. */
const QUEUE_LIMIT = 1 << 18;
/** Bytes of queued values likewise: what is waiting to be written is held twice. */
const BYTES_LIMIT = 256 << 20;
/** Milliseconds of work between turns of the event loop. */
const TURN = 50;

/** Starts threads and lays out the memory. */
export function createCore(threadCount: number, options: CpuOptions): Core {
  const { accelerate, precision = "fp32" } = options;
  const started = startWithMemory(threadCount, options.native);
  const { native } = started;
  if (precision === "bf16" && roundedBy(native) === undefined) {
    started.close();
    throw new EngineError(NO_BF16, { expected: "kernels that have it", found: native?.level ?? "WebAssembly" });
  }
  const { threads, times } = options.profile === true ? profiled(started) : { threads: started, times: undefined };
  const { memory } = threads;

  let queue: (() => void)[] = [];
  let held = 0;
  const takeQueue = () => {
    const all = queue;
    [queue, held] = [[], 0];
    return all;
  };
  let closed = false;
  const refuseClosed = () => {
    if (closed) throw new EngineError("the engine is closed", { hint: "wait for what it computes before closing it" });
  };
  const enqueue = (work: () => void, bytes = 0): void => {
    refuseClosed();
    queue.push(work);
    held += bytes;
    if ((queue.length < QUEUE_LIMIT && held < BYTES_LIMIT) || draining !== undefined) return;
    for (const task of takeQueue()) task();
  };
  /** Milliseconds of work since the event loop had its last turn, over all that was waited for. */
  let worked = 0;
  let draining: Promise<void> | undefined;
  const work = async (): Promise<void> => {
    while (queue.length > 0) {
      for (const task of takeQueue()) {
        const started = performance.now();
        task();
        worked += performance.now() - started;
        if (worked < TURN) continue;
        await turn();
        refuseClosed();
        worked = 0;
      }
    }
  };
  // One at a time: a second reader must not go by what the first has taken out of the queue and not done yet.
  const drain = async (): Promise<void> => {
    refuseClosed();
    while (draining !== undefined || queue.length > 0) {
      if (draining !== undefined) await draining;
      else {
        draining = work().finally(() => draining = undefined);
        await draining;
      }
    }
  };

  const bottom = CONTROL_BYTES + threads.count * THREAD_BYTES;
  const plain = createHeap(bottom, memory.buffer.byteLength);
  const heap = threads.guard === undefined ? plain : guarded(plain, threads.guard, enqueue);

  const close = () => {
    closed = true;
    takeQueue();
    threads.close();
  };

  let calls = 0;
  let space: CpuHandle | undefined;
  const workspace = (bytes: number): number => {
    if (space === undefined || 4 * space.block.size < bytes) {
      if (space !== undefined) heap.free(space);
      space = heap.variable([Math.ceil(bytes / 4)]);
    }
    return space.block.address;
  };
  return {
    times,
    threads,
    heap,
    accelerate,
    precision,
    dots: native?.dots ?? "widened",
    fastForm: fastForm(native),
    nextCall: () => calls = calls % 0xffffffff + 1,
    enqueue,
    isIdle: () => !closed && queue.length === 0 && draining === undefined,
    drain,
    close,
    floats: (address, size) => new Float32Array(memory.buffer, address, size),
    ints: (address, size) => new Int32Array(memory.buffer, address, size),
    doubles: (address, size) => new Float64Array(memory.buffer, address, size),
    workspace,
  };
}

/** All 4 GiB but a page, or what the platform gives. Untouched pages cost nothing; a memory of fixed size is faster. */
function startWithMemory(count: number, native: NativeKernels | undefined): Threads {
  for (const pages of [65535, 32768, 16384]) {
    try {
      return startThreads(count, pages, native);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new EngineError("there is no memory to start with", { expected: "at least 1 GiB of address space" });
}

/** The handle as this engine's own, checked. */
export function own(handle: Handle): CpuHandle {
  if ((handle as CpuHandle).block === undefined) throw new EngineError("a tensor of another engine");
  return handle as CpuHandle;
}

/** The byte address, unless the tensor was given back. */
export function addressOf(handle: Handle): number {
  const { address } = own(handle).block;
  if (address < 0) throw new EngineError("a tensor that was given back", { found: `[${handle.shape}]` });
  return address;
}

/** The handle, unless it was given back, or its values are in an order that products alone know. */
export function readable(handle: Handle): CpuHandle {
  addressOf(handle);
  if (own(handle).isPacked === true) {
    throw new EngineError("a weight that is packed is written, read, and multiplied as one of a linear layer alone", {
      found: `[${handle.shape}]`,
      hint: "load the model with trained: true",
    });
  }
  if (handle.dtype !== "i8") return own(handle);
  throw new EngineError("a weight of int8 is for products of layers alone", {
    found: `[${handle.shape}]`,
    hint: "load the model with precision fp32 to look at its weights, or to save it",
  });
}

/** Byte address, as it is now: for what is enqueued, never within what is queued. */
export function at(handle: Handle): number {
  const { block, outside } = readable(handle);
  if (outside === undefined) return block.address;
  throw new EngineError("a cold tensor is for fill, copy, write, read and adamw alone", { found: `[${handle.shape}]` });
}

/** Byte address, or 0 for nothing. */
export function atOr0(handle: Handle | undefined): number {
  return handle === undefined ? 0 : at(handle);
}

/** What a kernel that drops out wants to know. */
export function dropoutArguments(dropout: Dropout | undefined): {
  readonly threshold: number;
  readonly keepScale: number;
  readonly places: number;
  readonly seed: number;
  readonly purpose: number;
  readonly step: number;
} {
  if (dropout === undefined || dropout.rate === 0) {
    return { threshold: 0, keepScale: 1, places: 0, seed: 0, purpose: 0, step: 0 };
  }
  const { threshold, scale } = dropoutScale(dropout.rate);
  const { seed, purpose, step } = dropout.key; // and nothing else that it has
  return { threshold, keepScale: scale, places: at(dropout.places), seed, purpose, step };
}

export { expectShape } from "../shapes.ts";
