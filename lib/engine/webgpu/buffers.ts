/**
 * Buffers that are used again, by classes of size.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { EngineError } from "../../error.ts";
import { type Faults, outOfMemory } from "./faults.ts";

/** The buffers of a device. */
export interface Buffers {
  /** One of at least so many bytes, whatever it holds. */
  readonly take: (bytes: number) => GPUBuffer;
  /** Gives it back; it may be taken again at once, for what is enqueued is done in order. */
  readonly give: (buffer: GPUBuffer) => void;
  /** Tells buffers apart. */
  readonly idOf: (buffer: GPUBuffer) => number;
  /** How many there are, in use or not, and their bytes. */
  readonly held: () => { readonly buffers: number; readonly bytes: number };
  /** Frees all of them. */
  readonly close: () => void;
}

/** What {@linkcode createBuffers} keeps to. */
export interface BufferLimits {
  /** Bytes of the largest one. */
  readonly largest: number;
  /** Bytes that may lie unused, where less is in use, before a new one is made. */
  readonly spare: number;
}

/** A size that few others are mapped to, and many are: eight steps to the double. */
function roomFor(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** Math.max(8, Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/**
 * No buffers yet.
 *
 * @param device Where they will lie.
 * @param faults Hears of those that the device has no memory for.
 * @param limits How large one may be, and how many may lie unused.
 * @param beforeFreeing Is called before buffers are freed that lie unused: what was enqueued may still need them.
 * @returns Them.
 */
export function createBuffers(
  device: GPUDevice,
  faults: Faults,
  { largest, spare }: BufferLimits,
  beforeFreeing: () => void,
): Buffers {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const all = new Set<GPUBuffer>();
  const free = new Map<number, GPUBuffer[]>();
  const ids = new WeakMap<GPUBuffer, number>();
  let count = 0;
  let held = 0;
  let unused = 0;
  /** Sizes change from batch to batch: what fits none of them any more would lie there for good. */
  const freeUnused = () => {
    beforeFreeing();
    for (const list of free.values()) {
      for (const buffer of list) {
        all.delete(buffer);
        buffer.destroy();
      }
    }
    free.clear();
    held -= unused;
    unused = 0;
  };
  return {
    take(bytes) {
      if (bytes > largest) {
        throw new EngineError("a tensor is larger than a buffer of this device", {
          expected: `at most ${largest} bytes`,
          found: `${bytes}`,
          hint: "--engine cpu, or a smaller --batch-size",
        });
      }
      const size = Math.min(roomFor(bytes), largest);
      const known = free.get(size)?.pop();
      if (known !== undefined) {
        unused -= size;
        return known;
      }
      if (unused > Math.max(spare, held - unused)) freeUnused();
      const where = `a tensor of ${bytes} bytes, beside ${held} bytes in ${counted(all.size, "buffer")}`;
      const buffer = faults.watch(() => device.createBuffer({ size, usage }), (found) => outOfMemory(found, where));
      all.add(buffer);
      ids.set(buffer, ++count);
      held += size;
      return buffer;
    },
    give(buffer) {
      unused += buffer.size;
      // The oldest is taken first: steps of equal shapes then take the same buffers, and find their bind groups made.
      const list = free.get(buffer.size) ?? [];
      free.set(buffer.size, list);
      let at = list.length;
      while (at > 0 && ids.get(list[at - 1]!)! < ids.get(buffer)!) at--;
      list.splice(at, 0, buffer);
    },
    idOf: (buffer) => ids.get(buffer)!,
    held: () => ({ buffers: all.size, bytes: held }),
    close() {
      for (const buffer of all) buffer.destroy();
      all.clear();
      free.clear();
      [held, unused] = [0, 0];
    },
  };
}
