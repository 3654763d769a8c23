/**
 * How kernels are enqueued: over elements, over rows.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Activation, Handle } from "../engine.ts";
import { at, type Core, own } from "./core.ts";
import type { CpuHandle } from "./heap.ts";
import type { KernelArguments, KernelName } from "./kernels/table.ts";

/** Elements of one portion of element-wise work; a multiple of 16. */
export const GRAIN = 16384;

/** Rows whose part of a sum over all rows is summed by one thread, in single precision. */
export const BLOCK = 64;

/** Sums of blocks of rows: where they are, how many, and floats from one to the next. */
export interface BlockSums {
  /** Address of the first. */
  readonly partial: number;
  /** How many. */
  readonly blocks: number;
  /** Floats from one to the next. */
  readonly stride: number;
}

/** Numbers of the activations in the kernels. */
export const ACTIVATIONS: Readonly<Record<Activation, number>> = {
  gelu: 0,
  geluTanh: 1,
  tanh: 2,
  relu: 3,
  silu: 4,
  quickGelu: 5,
  sigmoid: 6,
  leakyRelu: 7,
  squaredRelu: 8,
};

/** Enqueues kernels. */
export interface Dispatch {
  /** Any kernel over items, in portions of `grain`. */
  readonly run: <K extends KernelName>(kernel: K, items: number, grain: number, args: KernelArguments<K>) => void;
  /** Over elements. */
  readonly elements: <K extends KernelName>(kernel: K, size: number, args: KernelArguments<K>) => void;
  /** Over rows of so many columns. */
  readonly rows: <K extends KernelName>(kernel: K, count: number, columns: number, args: KernelArguments<K>) => void;
  /** The sums of all blocks → [C] at the address `out`. */
  readonly addBlocks: (sums: BlockSums, columns: number, out: number, accumulate: boolean) => void;
  /** [R, C] → [C] at the address `out`. */
  readonly columnSum: (x: Handle, out: number, accumulate: boolean) => void;
}

/** First dimension. */
export const rowsOf = (handle: Handle): number => handle.shape[0]!;
/** Second dimension. */
export const columnsOf = (handle: Handle): number => handle.shape[1]!;
/** Rows of one portion. */
export const grainOf = (columns: number): number => Math.max(1, Math.ceil(8192 / Math.max(1, columns)));

/** The ways to enqueue on a core. */
export function dispatchOf(core: Core): Dispatch {
  const { enqueue, threads } = core;
  const run: Dispatch["run"] = (kernel, items, grain, args) => {
    if (items > 0) enqueue(() => threads.run(kernel, items, grain, args));
  };
  const addBlocks: Dispatch["addBlocks"] = (sums, columns, out, accumulate) =>
    run("columnSumFinish", columns, 512, { ...sums, y: out, accumulate: +accumulate });
  const columnSum = (x: Handle, out: number, accumulate: boolean) => {
    const blocks = Math.ceil(rowsOf(x) / BLOCK);
    const columns = columnsOf(x);
    const partial = core.workspace(4 * Math.max(1, blocks) * columns);
    run("columnSumBlocks", blocks, 1, { x: at(x), rows: rowsOf(x), columns, partial });
    addBlocks({ partial, blocks, stride: columns }, columns, out, accumulate);
  };

  return {
    run,
    elements: (kernel, size, args) => run(kernel, size, GRAIN, args),
    rows: (kernel, count, columns, args) => run(kernel, count, grainOf(columns), args),
    addBlocks,
    columnSum,
  };
}

/** Elements that are summed as one, as in `kernels/reductions.c`; and such blocks of a portion. */
const [SUMMED, PORTION] = [16384, 4];

/** Σ of all elements, or of their squares: to be asked for when work is enqueued, and called by the work. */
export function sumOf(core: Core, x: Handle, squared: boolean): () => number {
  const [address, { size }] = [at(x), own(x).block];
  const blocks = Math.ceil(size / SUMMED);
  const partial = core.workspace(8 * Math.max(1, blocks));
  return () => {
    core.threads.run("sumBlocks", blocks, PORTION, { x: address, size, squared: +squared, partial });
    return core.doubles(partial, blocks).reduce((sum, value) => sum + value, 0);
  };
}

/** Every row gets something, where that is kept count of. */
export function markAll(core: Core, gradient: CpuHandle): void {
  if (gradient.touched === undefined) return;
  const { ever, dirty, rows } = gradient.touched;
  const flags = [at(ever), at(dirty)];
  core.enqueue(() => {
    for (const address of flags) new Uint8Array(core.threads.memory.buffer, address, rows).fill(1);
  });
}

/** Numbers of rows, or of columns, which kernels go by: one that is none stops what follows, and whoever reads is told. */
export function expectNumbers(core: Core, kernel: string, numbers: Handle, least: number, count: number): void {
  const [address, size] = [at(numbers), rowsOf(numbers)];
  core.enqueue(() => {
    const values = core.ints(address, size);
    for (let i = 0; i < size; i++) {
      if (values[i]! >= least && values[i]! < count) continue;
      throw new EngineError(`${kernel}: a number beyond what there is`, {
        expected: `${least} to ${count - 1}`,
        found: `${values[i]} in place ${i}`,
      });
    }
  });
}

/** Rows of no sequence, which stand behind the last one, become 0: kernels of sequences do not come to them. */
export function clearBehind(core: Core, x: Handle, offsets: Handle): void {
  const [rows, width] = x.shape as [number, number];
  const [address, last] = [at(x), at(offsets) + 4 * (rowsOf(offsets) - 1)];
  core.enqueue(() => {
    const end = core.ints(last, 1)[0]!;
    if (end < rows) core.floats(address + 4 * end * width, (rows - end) * width).fill(0);
  });
}
