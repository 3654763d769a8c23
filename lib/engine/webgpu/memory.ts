/**
 * Tensors in buffers of the device, and arenas.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { blockLayout, type DType, type Handle, sizeOf } from "../engine.ts";
import { expectRoom, expectSize, expectValues, noVariable } from "../shapes.ts";
import type { MemoryKernels } from "../subjects.ts";
import type { Place } from "./bindings.ts";
import type { Device } from "./device.ts";
import type { Kernel } from "./kernel.ts";
import { type GpuHandle, type Layout, pieceOf, pieceStarts, type Room } from "./rooms.ts";
import { ELEMENTS, elementwise, groupsOf } from "./wgsl.ts";

/** What all kernels share. */
export interface Core {
  /** The device. */
  readonly device: Device;
  /** A temporary, whatever it holds. */
  readonly temporary: (shape: readonly number[], dtype?: DType) => GpuHandle;
  /** Where a tensor lies; refuses what was freed, and what another engine made. */
  readonly at: (handle: Handle) => Place;
  /** Starts a kernel whose threads do one of `size` elements each: see `elementwise`. */
  readonly elements: (
    kernel: Kernel,
    size: number,
    tensors: Readonly<Record<string, Handle>>,
    numbers?: Readonly<Record<string, number>>,
  ) => void;
  /**
   * The same for a kernel whose thread i looks at element i alone of these tensors of one size, however large they are;
   * the `others` are small.
   */
  readonly each: (
    kernel: Kernel,
    tensors: Readonly<Record<string, Handle>>,
    numbers?: Readonly<Record<string, number>>,
    others?: Readonly<Record<string, Handle>>,
  ) => void;
  /** Part of a tensor from one of its elements on, under a shape of its own. */
  readonly part: (x: Handle, from: number, shape: readonly number[]) => GpuHandle;
  /** Runs of rows [from, to) of tensors of as many rows, each of which a kernel reaches: mostly one, of all rows. */
  readonly windows: (...tensors: readonly Handle[]) => readonly (readonly [from: number, to: number])[];
  /** Copies all elements; shapes may differ, sizes not. */
  readonly copy: (target: Handle, source: Handle) => void;
}

/** Options of {@linkcode createMemory}. */
export interface MemoryOptions {
  /**
   * Bytes that the activations of one micro-batch may take. WebGPU does not tell how much memory a card has: by default
   * 1 GiB, or three times what a kernel reaches of one tensor, for no tensor is more than a third of them.
   */
  readonly activationBudget?: number | undefined;
}

const FILL = elementwise("fill", { writes: { target: "u32" }, numbers: { value: "u32" } }, "target[i] = p.value;");

/** Arenas and variables, and what is done with them: see the Engine contract. */
export function createMemory(
  device: Device,
  { activationBudget = Math.min(2 ** 30, 3 * device.bindingBytes) }: MemoryOptions = {},
): { readonly core: Core; readonly kernels: MemoryKernels } {
  const arenas: Set<Room>[] = [new Set()];
  const variables = new Set<Room>();
  let live = 0;
  let peak = 0;
  let isClosed = false;
  const most = device.bufferBytes / 4;

  const make = (shape: readonly number[], dtype: DType, owner: Set<Room>, starts: readonly number[] = [0]) => {
    const size = sizeOf(shape);
    const pieces = starts.map((from, i) => ({ buffer: device.take(4 * ((starts[i + 1] ?? size) - from)), from }));
    const room: Room = { pieces, bytes: 4 * size };
    owner.add(room);
    live += room.bytes;
    peak = Math.max(peak, live);
    return { shape: [...shape], dtype, room, first: 0 };
  };
  /** A variable may be larger than a buffer. */
  const makeVariable = (shape: readonly number[], dtype: DType, shapes = [shape], layout?: Layout) =>
    make(shape, dtype, variables, pieceStarts(shapes, layout ?? { offsets: [0], size: sizeOf(shape) }, most));
  const drop = (room: Room): void => {
    if (room.pieces.length === 0) return;
    for (const { buffer } of room.pieces) device.give(buffer);
    room.pieces = [];
    live -= room.bytes;
  };
  const own = (handle: Handle): GpuHandle => {
    if ((handle as Partial<GpuHandle>).room === undefined) throw new EngineError("a tensor of another engine");
    return handle as GpuHandle;
  };
  const held = (handle: Handle): GpuHandle => {
    if (own(handle).room.pieces.length > 0) return handle as GpuHandle;
    throw new EngineError("a tensor that was freed", { found: `[${handle.shape}]` });
  };
  const at = (handle: Handle): Place => {
    const { room, first, shape } = held(handle);
    const { buffer, from } = pieceOf(room, first);
    return { buffer, first: first - from, size: sizeOf(shape) };
  };
  const part: Core["part"] = (x, from, shape) => ({ ...own(x), shape, first: own(x).first + from });
  /** Runs of units, so many in each tensor, that lie in one buffer, and where a kernel reaches them if it is to. */
  const runsOf = (tensors: readonly Handle[], units: number, isKernel: boolean) => {
    const runs: [from: number, to: number][] = [];
    for (let from = 0; from < units;) {
      let count = units - from;
      for (const tensor of tensors) {
        const { room, first, shape } = held(tensor);
        const width = sizeOf(shape) / units;
        const { buffer, end } = pieceOf(room, first + from * width);
        const most = Math.min(end - first - from * width, isKernel ? device.reach(buffer) : Infinity);
        if (count * width > most) count = Math.floor(most / width);
      }
      const to = from + Math.max(1, count); // what is too long for a kernel it says itself
      runs.push([from, to]);
      from = to;
    }
    return runs;
  };
  const elementRuns = (tensors: readonly Handle[], isKernel: boolean) =>
    runsOf(tensors, sizeOf(tensors[0]!.shape), isKernel);
  const elements: Core["elements"] = (kernel, size, tensors, numbers = {}) => {
    device.run(kernel, groupsOf(size, ELEMENTS), placesOf(tensors), { size, ...numbers });
  };
  const placesOf = (tensors: Readonly<Record<string, Handle>>) => mapped(tensors, at);
  const each: Core["each"] = (kernel, tensors, numbers = {}, others = {}) => {
    const small = placesOf(others);
    for (const [from, to] of elementRuns(Object.values(tensors), true)) {
      const size = to - from;
      const places = mapped(tensors, (tensor) => at(part(tensor, from, [size])));
      device.run(kernel, groupsOf(size, ELEMENTS), { ...places, ...small }, { size, ...numbers });
    }
  };
  const windows: Core["windows"] = (...tensors) => runsOf(tensors, tensors[0]!.shape[0]!, true);
  const copy: Core["copy"] = (target, source) => {
    for (const [from, to] of elementRuns([target, source], false)) {
      device.copy(at(part(target, from, [to - from])), at(part(source, from, [to - from])));
    }
  };
  const temporary = (shape: readonly number[], dtype: DType = "f32") => make(shape, dtype, arenas.at(-1)!);
  const clear = (handle: Handle) => {
    for (const [from, to] of elementRuns([handle], false)) device.clear(at(part(handle, from, [to - from])));
  };
  const cleared = (handle: GpuHandle) => {
    clear(handle);
    return handle;
  };
  const fill = (target: Handle, value: number) => {
    if (Object.is(value, 0)) return clear(target);
    const bits = target.dtype === "i32" ? value : new Uint32Array(Float32Array.of(value).buffer)[0]!;
    each(FILL, { target }, { value: bits });
  };
  const write = (target: Handle, data: Float32Array | Int32Array, offset: number) => {
    expectRoom(target, data, offset);
    const place = part(target, offset, [data.length]);
    for (const [from, to] of elementRuns([place], false)) {
      device.write(at(part(place, from, [to - from])), data.subarray(from, to));
    }
  };
  const refused = (dtype: DType) =>
    new EngineError(`the webgpu engine has no ${dtype}`, { expected: "f32 or i32", hint: "--precision fp32" });
  const known = (dtype: DType): DType => {
    if (dtype !== "f32" && dtype !== "i32") throw refused(dtype);
    return dtype;
  };

  const kernels: MemoryKernels = {
    variable: (shape, { dtype = "f32" } = {}) => cleared(makeVariable(shape, known(dtype))),
    block(shapes) {
      const layout = blockLayout(shapes);
      const all = cleared(makeVariable([layout.size], "f32", [...shapes], layout));
      return { all, parts: shapes.map((shape, i) => part(all, layout.offsets[i]!, [...shape])) };
    },
    free(variable) {
      const { room, shape } = own(variable);
      if (isClosed) return;
      const isPart = room.bytes > 4 * sizeOf(shape); // of a block
      if (isPart || !variables.delete(room)) throw noVariable(variable);
      drop(room);
    },
    zeros: (shape, dtype = "f32") => cleared(temporary(shape, known(dtype))),
    empty: (shape, dtype = "f32") => temporary(shape, known(dtype)),
    full(shape, value) {
      const made = temporary(shape);
      fill(made, value);
      return made;
    },
    upload(data, shape) {
      expectValues("upload", data, shape);
      const made = temporary(shape, data instanceof Float32Array ? "f32" : "i32");
      write(made, data, 0);
      return made;
    },
    write: (target, data, offset = 0) => write(target, data, offset),
    async read(source) {
      const Values = source.dtype === "f32" ? Float32Array : Int32Array;
      const runs = elementRuns([source], false);
      if (runs.length < 2) return new Values(await device.read(at(source)));
      const values = new Values(sizeOf(source.shape));
      // All of them are enqueued before the first is waited for.
      const parts = runs.map(([from, to]) => device.read(at(part(source, from, [to - from]))));
      for (const [i, bytes] of (await Promise.all(parts)).entries()) values.set(new Values(bytes), runs[i]![0]);
      return values;
    },
    release(temporary) {
      const { room } = own(temporary);
      if (arenas.at(-1)!.delete(room)) drop(room);
    },
    enter: () => void arenas.push(new Set()),
    exit() {
      if (arenas.length === 1) throw new EngineError("exit() without enter()");
      for (const room of arenas.pop()!) drop(room);
    },
    keep(kept) {
      const { room } = own(kept);
      if (arenas.length > 1 && arenas.at(-1)!.delete(room)) arenas.at(-2)!.add(room);
      return kept;
    },
    memory: () => ({ live, peak, activationBudget }),
    close() {
      isClosed = true;
      for (const owner of [...arenas, variables]) {
        for (const room of owner) drop(room);
        owner.clear();
      }
      arenas.length = 1;
      device.close();
    },
    fill,
    copy(target, source) {
      expectSize("copy", source, target.shape);
      copy(target, source);
    },
    reshape(x, shape) {
      expectSize("reshape", x, shape);
      return { ...own(x), shape: [...shape] } as Handle;
    },
    cast(x, dtype) {
      if (x.dtype === dtype) return x;
      throw refused(dtype);
    },
  };
  return { core: { device, temporary, at, elements, each, part, windows, copy }, kernels };
}

function mapped<A>(tensors: Readonly<Record<string, Handle>>, of: (tensor: Handle) => A): Record<string, A> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, of(tensor)]));
}
