/**
 * Where the time of the webgpu engine goes: calls of each kernel, and its seconds where the device has a clock.
 *
 * A kernel that is timed has a pass to itself, at whose ends the device writes down the time. What it wrote is read behind
 * each submission, beside the work.
 *
 * @module
 */
import type { KernelTime } from "../engine.ts";

/** Kernels of a submission that can be timed: a set of queries has 4096 at most. */
const MOST = 2048;

/** Counts kernels, and times them. */
export interface Profile {
  /** Kernels that a submission may have. */
  readonly most: number;
  /** A kernel is about to start in so many layers of workgroups: how its pass is timed, if it is. */
  readonly next: (
    kernel: string,
    numbers: Readonly<Record<string, number>>,
    layers: number,
  ) => GPUComputePassTimestampWrites | undefined;
  /** The submission that this encoder is for is whole. */
  readonly end: (encoder: GPUCommandEncoder) => void;
  /** All that was submitted is done: reads what the device wrote. */
  readonly gather: () => Promise<void>;
  /** What is known so far. */
  readonly times: () => readonly KernelTime[];
  /** Frees what it holds. */
  readonly close: () => void;
}

/** The device's feature that a clock is. */
export const CLOCK = "timestamp-query";

/** The unit of the standard, of which some implementations know nothing: they give the card's own ticks. */
const NANOSECOND = 1e-9;

/** Begins to count. */
export function startProfile(device: GPUDevice): Profile {
  const kernels = new Map<string, { calls: number; ticks: number; operations: number }>();
  const clock = !device.features.has(CLOCK) ? undefined : {
    queries: device.createQuerySet({ type: "timestamp", count: 2 * MOST }),
    resolved: device.createBuffer({
      size: 16 * MOST,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    }),
  };
  /** The kernels of the submission that is being made. */
  let names: string[] = [];
  /** Times that were not read yet. */
  let copies: { readonly buffer: GPUBuffer; readonly names: readonly string[] }[] = [];
  /** What both clocks said when all was done, at first and at last. */
  const moments: { readonly seconds: number; readonly ticks: number }[] = [];

  /** Seconds of a tick. */
  const unit = (): number => {
    const [first, last] = [moments[0], moments.at(-1)];
    if (first === undefined || first === last) return NANOSECOND;
    const measured = (last!.seconds - first.seconds) / (last!.ticks - first.ticks);
    return Math.abs(measured / NANOSECOND - 1) < 0.2 ? NANOSECOND : measured;
  };
  return {
    most: MOST,
    next(name, numbers, layers) {
      const entry = kernels.get(name) ?? { calls: 0, ticks: 0, operations: 0 };
      kernels.set(name, entry);
      entry.calls++;
      const { m, n, k } = numbers;
      if (m !== undefined && n !== undefined && k !== undefined) entry.operations += 2 * m * n * k * layers;
      if (clock === undefined) return undefined;
      const at = 2 * (names.push(name) - 1);
      return { querySet: clock.queries, beginningOfPassWriteIndex: at, endOfPassWriteIndex: at + 1 };
    },
    end(encoder) {
      if (clock === undefined || names.length === 0) return;
      const size = 16 * names.length;
      const buffer = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      encoder.resolveQuerySet(clock.queries, 0, 2 * names.length, clock.resolved, 0);
      encoder.copyBufferToBuffer(clock.resolved, 0, buffer, 0, size);
      copies.push({ buffer, names });
      names = [];
    },
    async gather() {
      const seconds = performance.now() / 1000;
      const done = copies;
      copies = [];
      for (const { buffer, names } of done) {
        try {
          await buffer.mapAsync(GPUMapMode.READ);
        } catch {
          buffer.destroy();
          continue; // the device was lost, which it says itself
        }
        const times = new BigUint64Array(buffer.getMappedRange());
        names.forEach((name, i) => kernels.get(name)!.ticks += Number(times[2 * i + 1]! - times[2 * i]!));
        if (buffer === done.at(-1)!.buffer) {
          moments[Math.min(1, moments.length)] = { seconds, ticks: Number(times.at(-1)) };
        }
        buffer.destroy();
      }
    },
    times: () =>
      [...kernels]
        .map(([kernel, { ticks, ...entry }]) => ({
          kernel,
          ...entry,
          ...(clock !== undefined && { seconds: ticks * unit() }),
          bytes: 0,
        }))
        .sort((a, b) => b.seconds === undefined ? b.calls - a.calls : b.seconds - a.seconds!),
    close() {
      for (const { buffer } of copies) buffer.destroy();
      clock?.queries.destroy();
      clock?.resolved.destroy();
    },
  };
}
