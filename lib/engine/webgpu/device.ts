/**
 * A device of WebGPU: buffers that are used again, one encoder for all that is enqueued, kernels as text.
 *
 * Everything that a step does goes into one command encoder and is submitted at once. What the host writes lies in two
 * buffers that are filled just before: the numbers of each dispatch, and the values that are uploaded.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { DeviceWork, KernelTime } from "../engine.ts";
import { type Element, type Kernel, MOST_GROUPS, textOf } from "./kernel.ts";
import { CLOCK, startProfile } from "./profile.ts";
import { countWork } from "./work.ts";

/** Part of a buffer. */
export interface Place {
  /** Where it lies. */
  readonly buffer: GPUBuffer;
  /** Its first element. */
  readonly first: number;
}

/** Bytes that the numbers of a dispatch take: the distance that a dynamic offset must keep. */
const SLOT = 256;
/** Dispatches after which is submitted even in the middle of a step. */
const SLOTS = 4096;
/** Bytes of small uploads that wait for the next submission. */
const STAGED = 1 << 22;
/** Bind groups that are remembered. */
const BIND_GROUPS = 8192;

/** The inside of an engine. */
export interface Device {
  /** The adapter's own words. */
  readonly info: GPUAdapterInfo;
  /** What it allows. */
  readonly limits: GPUSupportedLimits;
  /** What it was asked for so far. */
  readonly work: DeviceWork;
  /** What its kernels took so far; undefined where that is not kept count of. */
  readonly times: (() => readonly KernelTime[]) | undefined;
  /** Buffers of tensors, in use and for the next one, their bytes, and bind groups that are remembered. */
  readonly held: () => { readonly buffers: number; readonly bytes: number; readonly bindGroups: number };
  /** A buffer of at least so many bytes, whatever it holds. */
  readonly take: (bytes: number) => GPUBuffer;
  /** Gives it back; it may be taken again at once, for what is enqueued is done in order. */
  readonly give: (buffer: GPUBuffer) => void;
  /** Starts a kernel in so many workgroups. */
  readonly run: (
    kernel: Kernel,
    groups: number | readonly [number, number, number],
    places: Readonly<Record<string, Place>>,
    numbers?: Readonly<Record<string, number>>,
  ) => void;
  /** Sets so many elements to 0. */
  readonly clear: (target: Place, size: number) => void;
  /** Copies so many elements. */
  readonly copy: (target: Place, source: Place, size: number) => void;
  /** Writes values of the host. */
  readonly write: (target: Place, data: Float32Array | Int32Array) => void;
  /** Waits for all that was enqueued, then the bytes. */
  readonly read: (source: Place, size: number) => Promise<ArrayBuffer>;
  /** A step begins: what was enqueued before is submitted. */
  readonly beginStep: () => void;
  /** Frees all buffers. */
  readonly close: () => void;
}

/** A size that few others are mapped to, and many are: eight steps to the double. */
function roomFor(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.max(8, Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/** Opens an adapter's device with all that it allows; `profile`: and keeps count of its kernels. */
export async function openDevice(
  adapter: GPUAdapter,
  options: { readonly profile?: boolean | undefined; readonly features?: readonly GPUFeatureName[] } = {},
): Promise<Device> {
  const { limits: most } = adapter;
  const device = await adapter.requestDevice({
    requiredFeatures: [
      ...options.features ?? [],
      ...(options.profile === true && adapter.features.has(CLOCK) ? [CLOCK] as const : []),
    ],
    requiredLimits: {
      maxStorageBufferBindingSize: most.maxStorageBufferBindingSize,
      maxBufferSize: most.maxBufferSize,
      maxComputeWorkgroupStorageSize: most.maxComputeWorkgroupStorageSize,
      maxStorageBuffersPerShaderStage: most.maxStorageBuffersPerShaderStage,
    },
  });
  const { queue, limits } = device;
  const { STORAGE, COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;

  let fault: EngineError | undefined;
  const fail = (summary: string, found: string) => fault ??= new EngineError(summary, { found: found.trim() });
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    fail("the device refused what the webgpu engine asked for", (event as GPUUncapturedErrorEvent).error.message);
  });
  let closed = false;
  void device.lost.then(({ message, reason }) => {
    if (!closed) fail("the device was lost", message || reason || "no reason given");
  });
  const check = () => {
    if (closed) throw new EngineError("the engine is closed", { hint: "wait for what it computes before closing it" });
    if (fault !== undefined) throw fault;
  };

  // --- buffers ------------------------------------------------------------------------------------------------------

  const all = new Set<GPUBuffer>();
  const free = new Map<number, GPUBuffer[]>();
  const ids = new WeakMap<GPUBuffer, number>();
  let made = 0;
  const take = (bytes: number): GPUBuffer => {
    const size = roomFor(bytes);
    const known = free.get(size)?.pop();
    if (known !== undefined) return known;
    if (size > Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize)) {
      throw new EngineError("a tensor is larger than this device takes", {
        expected: `at most ${Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize)} bytes`,
        found: `${bytes}`,
        hint: "--engine cpu",
      });
    }
    const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    all.add(buffer);
    ids.set(buffer, ++made);
    return buffer;
  };
  // The oldest is taken first: steps of equal shapes then take the same buffers, and find their bind groups made.
  const give = (buffer: GPUBuffer): void => {
    const list = free.get(buffer.size) ?? [];
    free.set(buffer.size, list);
    let at = list.length;
    while (at > 0 && ids.get(list[at - 1]!)! < ids.get(buffer)!) at--;
    list.splice(at, 0, buffer);
  };

  // --- what is enqueued ---------------------------------------------------------------------------------------------

  const { work, count, beginStep, endSteps } = countWork();
  const profile = options.profile === true ? startProfile(device) : undefined;
  const mostSlots = Math.min(SLOTS, profile?.most ?? SLOTS);
  const slots = device.createBuffer({ size: SLOT * SLOTS, usage: UNIFORM | COPY_DST });
  const staging = device.createBuffer({ size: STAGED, usage: COPY_SRC | COPY_DST });
  const numbersOnHost = new DataView(new ArrayBuffer(SLOT * SLOTS));
  const stagedOnHost = new Uint8Array(STAGED);
  let slot = 0;
  let staged = 0;
  let encoder: GPUCommandEncoder | undefined;
  let pass: GPUComputePassEncoder | undefined;
  const copying = (): GPUCommandEncoder => {
    check();
    pass?.end();
    pass = undefined;
    return encoder ??= device.createCommandEncoder();
  };
  const submit = (): void => {
    if (encoder === undefined) return;
    pass?.end();
    profile?.end(encoder);
    if (slot > 0) queue.writeBuffer(slots, 0, numbersOnHost.buffer, 0, slot * SLOT);
    if (staged > 0) queue.writeBuffer(staging, 0, stagedOnHost, 0, staged);
    queue.submit([encoder.finish()]);
    count("submits");
    count("uploaded", slot * SLOT + staged);
    [encoder, pass, slot, staged] = [undefined, undefined, 0, 0];
  };

  // --- kernels ------------------------------------------------------------------------------------------------------

  interface Compiled {
    readonly pipeline: GPUComputePipeline;
    readonly layout: GPUBindGroupLayout;
    readonly tensors: readonly string[];
    readonly written: ReadonlySet<string>;
    readonly byFour: ReadonlySet<string>;
    readonly numbers: readonly (readonly [string, Element])[];
    readonly bytes: number;
  }
  const compiled = new Map<string, Compiled>();
  const compile = (kernel: Kernel): Compiled => {
    const known = compiled.get(kernel.name);
    if (known !== undefined) return known;
    const types = Object.entries({ ...kernel.reads, ...kernel.writes });
    const tensors = types.map(([name]) => name);
    const written = new Set(Object.keys(kernel.writes));
    const byFour = new Set(types.filter(([, type]) => type === "vec4f").map(([name]) => name));
    const layout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
        ...tensors.map((name, i): GPUBindGroupLayoutEntry => ({
          binding: i + 1,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: written.has(name) ? "storage" : "read-only-storage" },
        })),
      ],
    });
    const module = device.createShaderModule({ label: kernel.name, code: textOf(kernel) });
    const pipeline = device.createComputePipeline({
      label: kernel.name,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: "main" },
    });
    const numbers = Object.entries(kernel.numbers);
    const bytes = Math.ceil((numbers.length + tensors.length) / 4) * 16;
    const made = { pipeline, layout, tensors, written, byFour, numbers, bytes };
    compiled.set(kernel.name, made);
    return made;
  };

  const bindGroups = new Map<string, GPUBindGroup>();
  const bindGroupOf = (kernel: Kernel, made: Compiled, places: readonly Place[]): GPUBindGroup => {
    let key = kernel.name;
    for (const { buffer } of places) key += ` ${ids.get(buffer)}`;
    const known = bindGroups.get(key);
    if (known !== undefined) return known;
    if (bindGroups.size === BIND_GROUPS) bindGroups.clear();
    const group = device.createBindGroup({
      label: kernel.name,
      layout: made.layout,
      entries: [
        { binding: 0, resource: { buffer: slots, size: made.bytes } },
        ...places.map(({ buffer }, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    });
    bindGroups.set(key, group);
    return group;
  };

  const run: Device["run"] = (kernel, groups, places, numbers = {}) => {
    const [x, y, z] = typeof groups !== "number"
      ? groups
      : groups <= MOST_GROUPS
      ? [groups, 1, 1] as const
      : [MOST_GROUPS, Math.ceil(groups / MOST_GROUPS), 1] as const;
    if (x * y * z === 0) return;
    check();
    if (slot === mostSlots) submit();
    const made = compile(kernel);
    const borrowed: GPUBuffer[] = [];
    const bound = made.tensors.map((name) => {
      const place = places[name]!;
      if (made.written.has(name)) return place;
      // A buffer cannot be read and written by one kernel: what is read is copied first.
      if (![...made.written].some((other) => places[other]!.buffer === place.buffer)) return place;
      const copy = take(place.buffer.size);
      borrowed.push(copy);
      copying().copyBufferToBuffer(place.buffer, 0, copy, 0, place.buffer.size);
      return { buffer: copy, first: place.first };
    });
    let at = slot * SLOT;
    for (const [name, type] of made.numbers) {
      const value = numbers[name]!;
      if (type === "f32") numbersOnHost.setFloat32(at, value, true);
      else numbersOnHost.setUint32(at, value, true); // modulo 2³², also of what is below 0
      at += 4;
    }
    for (const [i, { first }] of bound.entries()) {
      numbersOnHost.setUint32(at, made.byFour.has(made.tensors[i]!) ? first / 4 : first, true);
      at += 4;
    }
    const group = bindGroupOf(kernel, made, bound);
    const timestampWrites = profile?.next(kernel.name, numbers, z);
    if (timestampWrites !== undefined) {
      pass?.end();
      pass = undefined;
    }
    pass ??= (encoder ??= device.createCommandEncoder()).beginComputePass({
      ...(timestampWrites && { timestampWrites }),
    });
    pass.setPipeline(made.pipeline);
    pass.setBindGroup(0, group, [slot * SLOT]);
    pass.dispatchWorkgroups(x, y, z);
    slot++;
    count("dispatches");
    for (const buffer of borrowed) give(buffer);
  };

  return {
    info: adapter.info,
    limits,
    work,
    times: profile?.times,
    held: () => ({
      buffers: all.size,
      bytes: [...all].reduce((sum, { size }) => sum + size, 0),
      bindGroups: bindGroups.size,
    }),
    take,
    give,
    run,
    clear(target, size) {
      if (size > 0) copying().clearBuffer(target.buffer, 4 * target.first, 4 * size);
    },
    copy(target, source, size) {
      if (size === 0) return;
      if (target.buffer !== source.buffer) {
        copying().copyBufferToBuffer(source.buffer, 4 * source.first, target.buffer, 4 * target.first, 4 * size);
        return;
      }
      const between = take(4 * size);
      copying().copyBufferToBuffer(source.buffer, 4 * source.first, between, 0, 4 * size);
      copying().copyBufferToBuffer(between, 0, target.buffer, 4 * target.first, 4 * size);
      give(between);
    },
    write(target, data) {
      const { byteLength } = data;
      if (byteLength === 0) return;
      check();
      if (byteLength > STAGED / 2) {
        submit(); // the queue writes behind what was submitted
        queue.writeBuffer(target.buffer, 4 * target.first, data as BufferSource);
        count("uploaded", byteLength);
        return;
      }
      if (staged + byteLength > STAGED) submit();
      stagedOnHost.set(new Uint8Array(data.buffer, data.byteOffset, byteLength), staged);
      copying().copyBufferToBuffer(staging, staged, target.buffer, 4 * target.first, byteLength);
      staged += byteLength;
    },
    async read(source, size) {
      check();
      count("reads");
      const bytes = Math.max(4, 4 * size);
      const mapped = device.createBuffer({ size: bytes, usage: MAP_READ | COPY_DST });
      try {
        copying().copyBufferToBuffer(source.buffer, 4 * source.first, mapped, 0, 4 * size);
        submit();
        endSteps();
        try {
          await mapped.mapAsync(GPUMapMode.READ);
        } catch (error) {
          await new Promise((resolve) => setTimeout(resolve, 0)); // what the device has to say comes as an event
          throw fail("the device did not give the values back", error instanceof Error ? error.message : `${error}`);
        }
        check();
        await profile?.gather();
        return mapped.getMappedRange().slice(0, 4 * size);
      } finally {
        mapped.destroy();
      }
    },
    beginStep() {
      submit();
      beginStep();
    },
    close() {
      if (closed) return;
      pass?.end();
      closed = true;
      profile?.close();
      for (const buffer of [...all, slots, staging]) buffer.destroy();
      all.clear();
      free.clear();
      bindGroups.clear();
      device.destroy();
    },
  };
}
