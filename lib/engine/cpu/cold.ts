/**
 * Tensors that are needed once a step live outside of the 4 GiB that WebAssembly can address, where those are scarce:
 * AdamW brings its moments in by blocks, or by the rows of a table that have any.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type AdamWOptions, type Handle, type OptimizerSlot, sizeOf, STEP } from "../engine.ts";
import { at, atOr0, type Core, own, readable } from "./core.ts";
import { GRAIN } from "./dispatch.ts";
import { type CpuHandle, NOWHERE } from "./heap.ts";

/** Elements of a block; its two moments take eight bytes each. */
const BLOCK = 1 << 20;

/** Makes cold tensors and counts them. */
export interface ColdStore {
  /** A tensor of zeros. */
  readonly variable: (shape: readonly number[]) => CpuHandle;
  /** Gives it back. */
  readonly free: (variable: CpuHandle) => void;
  /** Forgets everything. */
  readonly clear: () => void;
  /** Bytes in use and most ever. */
  readonly use: () => { live: number; peak: number };
}

/** An empty store. */
export function createColdStore(): ColdStore {
  let [live, peak] = [0, 0];
  return {
    variable(shape) {
      const size = sizeOf(shape);
      let outside: Float32Array;
      try {
        outside = new Float32Array(size);
      } catch (cause) {
        throw new EngineError("out of memory", { expected: `${4 * size} bytes more`, cause });
      }
      live += 4 * size;
      peak = Math.max(peak, live);
      return { shape, dtype: "f32", block: { address: NaN, size }, outside };
    },
    free({ block }) {
      block.address = NOWHERE;
      live -= 4 * block.size;
    },
    clear: () => void (live = 0),
    use: () => ({ live, peak }),
  };
}

/**
 * The values of a tensor, wherever they are: to be asked for when work is enqueued, and called by the work, whose result
 * is valid until the queue goes on.
 */
export function valuesOf(core: Core, handle: CpuHandle): () => Float32Array | Int32Array {
  const { outside, block: { address, size }, dtype } = readable(handle);
  return () => outside ?? (dtype === "f32" ? core.floats(address, size) : core.ints(address, size));
}

/** AdamW with one or both moments outside: the same bits as with others. */
export function adamwFromOutside(core: Core, slot: OptimizerSlot, options: AdamWOptions, state: Handle): void {
  const { weight, gradient, m, v, weightDecay } = slot;
  const { beta1, beta2, epsilon } = options;
  const { touched, block: { size } } = own(gradient);
  const flagsAt = [atOr0(touched?.ever), atOr0(touched?.dirty)] as const;
  const [w, g, stateAt] = [at(weight), at(gradient), at(state)];
  const moments = [readable(m), readable(v)] as const;
  const width = touched?.width ?? 1;
  const portion = Math.max(1, Math.floor(BLOCK / width)) * width;
  const room = core.workspace(8 * portion);
  const rooms = [room, room + 4 * portion] as const;
  const skipped = () => core.floats(stateAt, STEP.length)[STEP.skipped] !== 0;

  /** Copies elements `from` … `to` of the portion at `start` in or out. */
  const move = (start: number, from: number, to: number, direction: "in" | "out") =>
    moments.forEach(({ outside }, i) => {
      if (outside === undefined) return;
      const inside = core.floats(rooms[i]! + 4 * from, to - from);
      if (direction === "in") inside.set(outside.subarray(start + from, start + to));
      else outside.set(inside, start + from);
    });

  for (let start = 0; start < size; start += portion) {
    const count = Math.min(portion, size - start);
    const [mAt, vAt] = moments.map(({ outside, block }, i) =>
      outside === undefined ? block.address + 4 * start : rooms[i]!
    ) as [number, number];
    const args = {
      w: w + 4 * start,
      g: g + 4 * start,
      m: mAt,
      v: vAt,
      weightDecay,
      state: stateAt,
      beta1,
      beta2,
      epsilon,
    };
    if (touched === undefined) {
      core.enqueue(() => {
        const moves = !skipped();
        if (moves) move(start, 0, count, "in");
        core.threads.run("adamw", count, GRAIN, args);
        if (moves) move(start, 0, count, "out");
      });
      continue;
    }
    const rows = count / width;
    const [ever, dirty] = flagsAt.map((address) => address + start / width) as [number, number];
    core.enqueue(() => {
      const flags = new Uint8Array(core.threads.memory.buffer, ever, rows);
      if (weightDecay === 0 && !flags.includes(1)) return;
      const moveRows = (direction: "in" | "out") => {
        for (let row = 0; row < rows; row++) {
          if (flags[row] !== 0) move(start, row * width, (row + 1) * width, direction);
        }
      };
      const moves = !skipped();
      if (moves) moveRows("in");
      core.threads.run("adamwRows", rows, Math.ceil(GRAIN / width), { ...args, ever, dirty, width });
      if (moves) moveRows("out");
    });
  }
}
