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
import { bindingOf, type Compiled, compileKernel, createBindGroups, type Place } from "./bindings.ts";
import { createBuffers } from "./buffers.ts";
import { outOfMemory, refused, watchFaults } from "./faults.ts";
import { type Kernel, MOST_GROUPS } from "./kernel.ts";
import { CLOCK, startProfile } from "./profile.ts";
import { countWork } from "./work.ts";

/** Lower limits than a device has, in bytes. */
export interface DeviceLimits {
  /** Of a buffer. */
  readonly bufferBytes?: number | undefined;
  /** Of what a kernel is given of one buffer. */
  readonly bindingBytes?: number | undefined;
}

/** Bytes that the numbers of a dispatch take: the distance that a dynamic offset must keep. */
const SLOT = 256;
/** Dispatches after which is submitted even in the middle of a step. */
const SLOTS = 4096;
/** Bytes of small uploads that wait for the next submission. */
const STAGED = 1 << 22;
/** Bytes of buffers that may lie unused, where less is in use. */
const SPARE = 2 ** 30;

/** The inside of an engine. */
export interface Device {
  /** What it allows. */
  readonly limits: GPUSupportedLimits;
  /** What it was asked for so far. */
  readonly work: DeviceWork;
  /** What its kernels took so far; undefined where that is not kept count of. */
  readonly times: (() => readonly KernelTime[]) | undefined;
  /** Buffers of tensors, in use and for the next one, their bytes, and bind groups that are remembered. */
  readonly held: () => { readonly buffers: number; readonly bytes: number; readonly bindGroups: number };
  /** Bytes of the largest buffer. */
  readonly bufferBytes: number;
  /** Bytes of the most that a kernel reaches of one buffer. */
  readonly bindingBytes: number;
  /** Elements that a kernel reaches of a buffer, wherever it begins; all, where it can be given the whole of it. */
  readonly reach: (buffer: GPUBuffer) => number;
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
  /** Sets all elements to 0. */
  readonly clear: (target: Place) => void;
  /** Copies all elements of a place to one of the same size. */
  readonly copy: (target: Place, source: Place) => void;
  /** Writes values of the host from the first element on. */
  readonly write: (target: Place, data: Float32Array | Int32Array) => void;
  /** Waits for all that was enqueued, then the bytes. */
  readonly read: (source: Place) => Promise<ArrayBuffer>;
  /** A step begins: what was enqueued before is submitted. */
  readonly beginStep: () => void;
  /** Frees all buffers. */
  readonly close: () => void;
}

/**
 * Opens an adapter's device with all that it allows.
 *
 * @param adapter Which.
 * @param options Limits that are to be lower than its own; `spareBytes`: of buffers that may lie unused, where less is in
 * use, before a new one is made; features that it is to have; `profile`: count is kept of its kernels.
 * @returns The device; to be closed.
 */
export async function openDevice(
  adapter: GPUAdapter,
  options: {
    readonly limits?: DeviceLimits | undefined;
    readonly spareBytes?: number | undefined;
    readonly profile?: boolean | undefined;
    readonly features?: readonly GPUFeatureName[];
  } = {},
): Promise<Device> {
  const { limits: lower = {}, spareBytes = SPARE } = options;
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
  const { COPY_SRC, COPY_DST, UNIFORM, MAP_READ } = GPUBufferUsage;
  const multipleOf4 = (bytes: number) => Math.floor(bytes / 4) * 4;
  const bufferBytes = multipleOf4(Math.min(lower.bufferBytes ?? Infinity, limits.maxBufferSize));
  const bindingBytes = multipleOf4(Math.min(lower.bindingBytes ?? Infinity, limits.maxStorageBufferBindingSize));
  const alignment = limits.minStorageBufferOffsetAlignment;

  let closed = false;
  const kernelIn = (message: string): string | undefined =>
    [...compiled.keys()].find((name) => message.includes(`'${name}'`) || message.includes(`"${name}"`));
  const faults = watchFaults(device, kernelIn, () => kernelRun);
  const check = () => {
    if (closed) throw new EngineError("the engine is closed", { hint: "wait for what it computes before closing it" });
    faults.check();
  };
  const buffers = createBuffers(device, faults, { largest: bufferBytes, spare: spareBytes }, () => {
    submit();
    bindGroups.clear();
  });
  const { take, give, idOf } = buffers;

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
  /** The last kernel that was started. */
  let kernelRun: string | undefined;
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
    const [commands, last] = [encoder, kernelRun];
    faults.watch(
      () => queue.submit([commands.finish()]),
      (found, isMemory) => {
        const kernel = kernelIn(found) ?? (last && `${last}, or one before it`);
        return isMemory ? outOfMemory(found, kernel && `kernel ${kernel}`) : refused(found, kernel);
      },
    );
    count("submits");
    count("uploaded", slot * SLOT + staged);
    [encoder, pass, slot, staged] = [undefined, undefined, 0, 0];
  };

  // --- kernels ------------------------------------------------------------------------------------------------------

  const compiled = new Map<string, Compiled>();
  const compile = (kernel: Kernel): Compiled => {
    let made = compiled.get(kernel.name);
    if (made === undefined) compiled.set(kernel.name, made = compileKernel(device, faults, kernel));
    return made;
  };
  const bindGroups = createBindGroups(device, faults, slots, idOf);
  const transfer = (target: Place, { buffer, first, size }: Place) => {
    copying().copyBufferToBuffer(buffer, 4 * first, target.buffer, 4 * target.first, 4 * size);
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
    const bind = (name: string, place: Place) =>
      bindingOf(bindingBytes, alignment, () => `kernel ${kernel.name}, ${name}`, place);
    const bound = made.tensors.map((name) => {
      const place = places[name]!;
      const isRead = !made.written.has(name);
      // A buffer cannot be read and written by one kernel: what is read is copied first.
      if (!isRead || ![...made.written].some((other) => places[other]!.buffer === place.buffer)) {
        return bind(name, place);
      }
      const copy = { buffer: take(4 * place.size), first: 0, size: place.size };
      borrowed.push(copy.buffer);
      transfer(copy, place);
      return bind(name, copy);
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
    const group = bindGroups.of(kernel.name, made, bound);
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
    kernelRun = kernel.name;
    count("dispatches");
    for (const buffer of borrowed) give(buffer);
  };

  return {
    limits,
    work,
    times: profile?.times,
    held: () => ({ ...buffers.held(), bindGroups: bindGroups.count() }),
    bufferBytes,
    bindingBytes,
    reach: ({ size }) => size <= bindingBytes ? Infinity : Math.floor((bindingBytes - alignment) / 4) + 1,
    take,
    give,
    run,
    clear({ buffer, first, size }) {
      if (size > 0) copying().clearBuffer(buffer, 4 * first, 4 * size);
    },
    copy(target, source) {
      if (source.size === 0) return;
      if (target.buffer !== source.buffer) return transfer(target, source);
      const between = { buffer: take(4 * source.size), first: 0, size: source.size };
      transfer(between, source);
      transfer(target, between);
      give(between.buffer);
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
    async read({ buffer, first, size }) {
      check();
      count("reads");
      const mapped = faults.watch(
        () => device.createBuffer({ size: Math.max(4, 4 * size), usage: MAP_READ | COPY_DST }),
        (found) => outOfMemory(found, `${4 * size} bytes that are read`),
      );
      try {
        copying().copyBufferToBuffer(buffer, 4 * first, mapped, 0, 4 * size);
        submit();
        endSteps();
        let problem: unknown;
        await mapped.mapAsync(GPUMapMode.READ).catch((error) => problem = error);
        await faults.settled();
        if (problem !== undefined) {
          await new Promise((resolve) => setTimeout(resolve, 0)); // what the device has to say comes as an event
          const found = problem instanceof Error ? problem.message : `${problem}`;
          throw faults.fail(new EngineError("the device did not give the values back", { found }));
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
      buffers.close();
      for (const buffer of [slots, staging]) buffer.destroy();
      bindGroups.clear();
      device.destroy();
    },
  };
}
