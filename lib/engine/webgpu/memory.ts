/**
 * Tensors in buffers of the device, and arenas.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { blockLayout, type DType, type Handle, sizeOf } from "../engine.ts";
import { expectSize } from "../shapes.ts";
import type { MemoryKernels } from "../subjects.ts";
import type { Device, Place } from "./device.ts";
import type { Kernel } from "./kernel.ts";
import { ELEMENTS, elementwise, groupsOf } from "./wgsl.ts";

/** What a tensor and its views share: a buffer that is given back once. */
interface Room {
  buffer: GPUBuffer | undefined;
  readonly bytes: number;
}

/** A tensor of this engine. */
export interface GpuHandle extends Handle {
  /** Where it lies. */
  readonly room: Room;
  /** Its first element there. */
  readonly first: number;
}

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
}

/** Bytes that the activations of a micro-batch may take, where the device allows as much. */
const ACTIVATIONS = 2 ** 30;

const FILL = elementwise("fill", { writes: { target: "u32" }, numbers: { value: "u32" } }, "target[i] = p.value;");

/** Arenas and variables, and what is done with them: see the Engine contract. */
export function createMemory(device: Device): { readonly core: Core; readonly kernels: MemoryKernels } {
  const arenas: Set<Room>[] = [new Set()];
  const variables = new Set<Room>();
  let live = 0;
  let peak = 0;

  const make = (shape: readonly number[], dtype: DType, owner: Set<Room>): GpuHandle => {
    const bytes = 4 * sizeOf(shape);
    const room = { buffer: device.take(bytes), bytes };
    owner.add(room);
    live += bytes;
    peak = Math.max(peak, live);
    return { shape: [...shape], dtype, room, first: 0 };
  };
  const drop = (room: Room): void => {
    if (room.buffer === undefined) return;
    device.give(room.buffer);
    room.buffer = undefined;
    live -= room.bytes;
  };
  const own = (handle: Handle): GpuHandle => {
    if ((handle as Partial<GpuHandle>).room === undefined) throw new EngineError("a tensor of another engine");
    return handle as GpuHandle;
  };
  const at = (handle: Handle): Place => {
    const { room: { buffer }, first } = own(handle);
    if (buffer === undefined) throw new EngineError("a tensor that was freed", { found: `[${handle.shape}]` });
    return { buffer, first };
  };
  const elements: Core["elements"] = (kernel, size, tensors, numbers = {}) => {
    const places = Object.fromEntries(Object.entries(tensors).map(([name, handle]) => [name, at(handle)]));
    device.run(kernel, groupsOf(size, ELEMENTS), places, { size, ...numbers });
  };
  const temporary = (shape: readonly number[], dtype: DType = "f32") => make(shape, dtype, arenas.at(-1)!);
  const clear = (handle: GpuHandle) => device.clear(at(handle), sizeOf(handle.shape));
  const cleared = (handle: GpuHandle) => {
    clear(handle);
    return handle;
  };
  const fill = (target: Handle, value: number) => {
    if (Object.is(value, 0)) return clear(own(target));
    const size = sizeOf(target.shape);
    const bits = target.dtype === "i32" ? value : new Uint32Array(Float32Array.of(value).buffer)[0]!;
    elements(FILL, size, { target }, { value: bits });
  };
  const write = (target: Handle, data: Float32Array | Int32Array, offset: number) => {
    const size = sizeOf(target.shape);
    if (offset + data.length > size) {
      throw new EngineError("more values than the tensor has room for", {
        expected: `at most ${size - offset} from element ${offset} of [${target.shape}]`,
        found: `${data.length}`,
      });
    }
    const { buffer, first } = at(target);
    device.write({ buffer, first: first + offset }, data);
  };
  const refused = (dtype: DType) =>
    new EngineError(`the webgpu engine has no ${dtype}`, { expected: "f32 or i32", hint: "--precision fp32" });
  const known = (dtype: DType): DType => {
    if (dtype !== "f32" && dtype !== "i32") throw refused(dtype);
    return dtype;
  };

  const kernels: MemoryKernels = {
    variable: (shape, { dtype = "f32" } = {}) => cleared(make(shape, known(dtype), variables)),
    block(shapes) {
      const { offsets, size } = blockLayout(shapes);
      const all = cleared(make([size], "f32", variables));
      return { all, parts: shapes.map((shape, i) => ({ ...all, shape: [...shape], first: offsets[i]! })) };
    },
    free(variable) {
      const { room } = own(variable);
      variables.delete(room);
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
      if (sizeOf(shape) !== data.length) {
        throw new EngineError("upload: wrong number of values", { expected: `[${shape}]`, found: `${data.length}` });
      }
      const made = temporary(shape, data instanceof Float32Array ? "f32" : "i32");
      write(made, data, 0);
      return made;
    },
    write: (target, data, offset = 0) => write(target, data, offset),
    async read(source) {
      const bytes = await device.read(at(source), sizeOf(source.shape));
      return source.dtype === "f32" ? new Float32Array(bytes) : new Int32Array(bytes);
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
    memory: () => ({ live, peak, activationBudget: Math.min(ACTIVATIONS, device.limits.maxBufferSize) }),
    close() {
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
      device.copy(at(target), at(source), sizeOf(source.shape));
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
  return { core: { device, temporary, at, elements }, kernels };
}
