/**
 * Tensors come into being, are written, read and given back.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { blockLayout, type DType, type Handle, sizeOf } from "../engine.ts";
import { createColdStore, valuesOf } from "./cold.ts";
import { expectRoom, expectSize, expectValues, noVariable } from "../shapes.ts";
import type { MemoryKernels } from "../subjects.ts";
import { at, type Core, type CpuOptions, own, readable } from "./core.ts";
import { int8Variable, writeInt8 } from "./int8.ts";
import type { Block, CpuHandle } from "./heap.ts";
import { packedVariable, unpacked, writePacked } from "./packed.ts";
import { type Dispatch, markAll } from "./dispatch.ts";

const flagsOf = ({ touched }: CpuHandle) => touched === undefined ? [] : [touched.ever, touched.dirty];

/** See the Engine contract. */
export function memoryKernels(core: Core, { run, elements }: Dispatch, options: CpuOptions): MemoryKernels {
  const { heap, threads, enqueue } = core;
  const { temporary } = heap;
  const cold = createColdStore();
  /** Whether products take their factors in fp32, by kernels of ours. */
  const packs = core.precision !== "bf16" && core.accelerate === undefined;
  /** The variables that were given out and not given back; undefined once all were. */
  let given: Set<Block> | undefined = new Set();
  const held = (variable: CpuHandle): CpuHandle => {
    given?.add(variable.block);
    return variable;
  };

  const fill = (target: CpuHandle, value: number) => {
    if (target.touched !== undefined && value === 0) {
      const { dirty, rows, width } = target.touched;
      run("clearRows", rows, 1024, { g: at(target), dirty: at(dirty), width });
    } else if (target.dtype === "i32" || target.outside !== undefined) {
      const values = valuesOf(core, target);
      enqueue(() => values().fill(value));
    } else {
      markAll(core, target);
      elements("fill", target.block.size, { target: at(target), value });
    }
  };
  /** Fresh memory is 0, and costs nothing as long as nobody writes to it. */
  const cleared = (handle: CpuHandle): CpuHandle => {
    const { address, size, isFresh } = handle.block;
    if (isFresh !== true) enqueue(() => core.ints(address, size).fill(0));
    return handle;
  };
  const write = (target: CpuHandle, data: Float32Array | Int32Array, offset: number) => {
    expectRoom(target, data, offset);
    if (target.dtype === "i8") return writeInt8(core, target, data as Float32Array, offset);
    if (target.isPacked === true) return writePacked(core, target, data as Float32Array, offset);
    markAll(core, target);
    const values = valuesOf(core, target);
    if (core.isIdle()) return void values().set(data, offset); // a model that is loaded is not held twice
    const copy = data.slice();
    enqueue(() => values().set(copy, offset), copy.byteLength);
  };

  return {
    variable(shape, { dtype = "f32", touched, storage } = {}) {
      if (dtype === "i8") return held(cleared(int8Variable(core, shape)));
      if (storage === "packed" && packs) return held(cleared(packedVariable(core, shape)));
      const limit = options.coldAbove ?? threads.memory.buffer.byteLength / 2;
      if (storage === "cold" && dtype === "f32" && heap.use().variables + 4 * sizeOf(shape) > limit) {
        return held(cold.variable(shape));
      }
      // Rows must be whole vectors for the kernels that go by touched rows.
      const byRows = touched === "rows" && shape.length === 2 && shape[1]! % 4 === 0;
      const flags = () => heap.variable([Math.ceil(shape[0]! / 4)], "i32");
      const marks = byRows ? { ever: flags(), dirty: flags(), rows: shape[0]!, width: shape[1]! } : undefined;
      const handle = heap.variable(shape, dtype, marks);
      [handle, ...flagsOf(handle)].forEach(cleared);
      return held(handle);
    },
    block(shapes) {
      const { offsets, size } = blockLayout(shapes);
      const all = held(cleared(heap.variable([size])));
      const { address } = all.block;
      const parts = shapes.map((shape, i): CpuHandle => ({
        shape,
        dtype: "f32",
        block: { address: address + 4 * offsets[i]!, size: sizeOf(shape) },
      }));
      return { all, parts };
    },
    free(variable) {
      const handle = own(variable);
      if (given === undefined) return;
      if (!given.delete(handle.block)) throw noVariable(handle);
      if (handle.outside !== undefined) return cold.free(handle);
      for (const each of [handle, ...flagsOf(handle)]) heap.free(each);
    },
    zeros(shape, dtype = "f32" as DType) {
      const handle = temporary(shape, dtype);
      const { address, size } = handle.block;
      enqueue(() => core.ints(address, size).fill(0));
      return handle;
    },
    empty: (shape, dtype = "f32" as DType) => temporary(shape, dtype),
    full(shape, value) {
      const handle = temporary(shape);
      fill(handle, value);
      return handle;
    },
    upload(data, shape) {
      expectValues("upload", data, shape);
      const handle = temporary(shape, data instanceof Float32Array ? "f32" : "i32");
      write(handle, data, 0);
      return handle;
    },
    write: (target, data, offset = 0) => write(own(target), data, offset),
    async read(source) {
      const handle = own(source);
      const values = handle.isPacked === true ? unpacked(core, handle) : valuesOf(core, handle);
      // In its turn: what is enqueued while this waits may write over it, once the arena is closed.
      let read: Float32Array | Int32Array | undefined;
      enqueue(() => read = values().slice());
      await core.drain();
      return read!;
    },
    release: (temporary) => heap.release(own(temporary)),
    enter: heap.enter,
    exit: () =>
      heap.exit((to, from, bytes) =>
        enqueue(() => new Uint8Array(threads.memory.buffer).copyWithin(to, from, from + bytes))
      ),
    keep(kept) {
      heap.keep(own(kept));
      return kept;
    },
    memory() {
      const { live, peak, variables } = heap.use();
      const [outside, room] = [cold.use(), threads.memory.buffer.byteLength - variables];
      const budget = options.activationBudget ?? Math.min(2 ** 31, Math.floor(room * 0.7));
      return { live: live + outside.live, peak: peak + outside.peak, activationBudget: budget };
    },
    close() {
      core.close();
      core.accelerate?.close();
      given = undefined;
      heap.clear();
      cold.clear();
    },

    fill: (target, value) => fill(own(target), value),
    copy(target, source) {
      expectSize("copy", source, target.shape);
      markAll(core, own(target));
      const [to, from] = [valuesOf(core, own(target)), valuesOf(core, own(source))];
      enqueue(() => to().set(from()));
    },
    cast(x, dtype) {
      if (x.dtype === dtype) return x;
      throw new EngineError(`the cpu engine has no ${dtype}`, { expected: x.dtype, hint: "--precision fp32" });
    },
    reshape(x, shape) {
      expectSize("reshape", x, shape);
      return { ...readable(x), shape } as Handle;
    },
  };
}
