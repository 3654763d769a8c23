/**
 * Kernels as a device has compiled them, and the parts of buffers that they are given.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type Faults, refused } from "./faults.ts";
import { type Element, type Kernel, textOf } from "./kernel.ts";

/** Part of a buffer. */
export interface Place {
  /** Where it lies. */
  readonly buffer: GPUBuffer;
  /** Its first element. */
  readonly first: number;
  /** How many elements it has. */
  readonly size: number;
}

/** A kernel that can be run. */
export interface Compiled {
  /** As the device has it. */
  readonly pipeline: GPUComputePipeline;
  /** How it is given its tensors. */
  readonly layout: GPUBindGroupLayout;
  /** Their names, in order. */
  readonly tensors: readonly string[];
  /** Those of them that it writes. */
  readonly written: ReadonlySet<string>;
  /** Those of which its text has four elements at a time. */
  readonly byFour: ReadonlySet<string>;
  /** Its numbers, in order. */
  readonly numbers: readonly (readonly [string, Element])[];
  /** Bytes that the numbers take, and the places of the tensors behind them. */
  readonly bytes: number;
}

/** What a kernel is given: a whole buffer, which serves all tensors in it, or a window where that is too large. */
export interface Binding {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Where it begins there, in bytes. */
  readonly offset: number;
  /** Its bytes. */
  readonly bytes: number;
  /** The tensor's first element in it. */
  readonly first: number;
}

/** Bind groups that are remembered. */
const BIND_GROUPS = 8192;

/** Compiles a kernel; a device that refuses it is a fault that names it. */
export function compileKernel(device: GPUDevice, faults: Faults, kernel: Kernel): Compiled {
  const types = Object.entries({ ...kernel.reads, ...kernel.writes });
  const tensors = types.map(([name]) => name);
  const byFour = new Set(types.filter(([, type]) => type === "vec4f").map(([name]) => name));
  const written = new Set(Object.keys(kernel.writes));
  const numbers = Object.entries(kernel.numbers);
  const { name: label } = kernel;
  const { COMPUTE: visibility } = GPUShaderStage;
  return faults.watch(() => {
    const layout = device.createBindGroupLayout({
      label,
      entries: [
        { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...tensors.map((name, i): GPUBindGroupLayoutEntry => ({
          binding: i + 1,
          visibility,
          buffer: { type: written.has(name) ? "storage" : "read-only-storage" },
        })),
      ],
    });
    const pipeline = device.createComputePipeline({
      label,
      layout: device.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module: device.createShaderModule({ label, code: textOf(kernel) }), entryPoint: "main" },
    });
    const bytes = Math.ceil((numbers.length + tensors.length) / 4) * 16;
    return { pipeline, layout, tensors, written, byFour, numbers, bytes };
  }, (found) => refused(found, label));
}

/**
 * The part of a buffer that a kernel is given for a tensor.
 *
 * @param most Bytes of the largest one.
 * @param alignment What a window begins at a multiple of, in bytes.
 * @param where The kernel and the tensor.
 * @param place The tensor.
 * @returns It.
 * @throws {EngineError} The tensor is larger than that, or lies in several buffers.
 */
export function bindingOf(
  most: number,
  alignment: number,
  where: () => string,
  { buffer, first, size }: Place,
): Binding {
  const end = 4 * (first + size);
  if (buffer.size <= most && end <= buffer.size) return { buffer, offset: 0, bytes: buffer.size, first };
  const offset = Math.floor((4 * first) / alignment) * alignment;
  const bytes = Math.max(end - offset, 4);
  if (bytes <= most && end <= buffer.size) return { buffer, offset, bytes, first: first - offset / 4 };
  throw new EngineError("a tensor is larger than this kernel can reach on this device", {
    expected: `at most ${Math.min(most, buffer.size)} bytes`,
    found: `${4 * size}`,
    where: where(),
    hint: "--engine cpu, or a smaller --batch-size",
  });
}

/** Groups of bindings, which are made once. */
export interface BindGroups {
  /** That of a kernel. */
  readonly of: (kernel: string, compiled: Compiled, bindings: readonly Binding[]) => GPUBindGroup;
  /** How many there are. */
  readonly count: () => number;
  /** Forgets all: buffers were freed. */
  readonly clear: () => void;
}

/** Bind groups whose first member is so much of the buffer of numbers as the kernel has. */
export function createBindGroups(
  device: GPUDevice,
  faults: Faults,
  slots: GPUBuffer,
  idOf: (buffer: GPUBuffer) => number,
): BindGroups {
  const known = new Map<string, GPUBindGroup>();
  return {
    of(label, { layout, bytes }, bindings) {
      let key = label;
      for (const { buffer, offset, bytes } of bindings) {
        key += ` ${idOf(buffer)}`;
        if (bytes < buffer.size) key += `:${offset}:${bytes}`;
      }
      const made = known.get(key);
      if (made !== undefined) return made;
      if (known.size === BIND_GROUPS) known.clear();
      const entries = [
        { binding: 0, resource: { buffer: slots, size: bytes } },
        ...bindings.map(({ buffer, offset, bytes }, i) => ({
          binding: i + 1,
          resource: { buffer, offset, size: bytes },
        })),
      ];
      const group = faults.watch(
        () => device.createBindGroup({ label, layout, entries }),
        (found) => refused(found, label),
      );
      known.set(key, group);
      return group;
    },
    count: () => known.size,
    clear: () => known.clear(),
  };
}
