/**
 * The 4 GiB that WebAssembly can address: temporaries grow from below in nested arenas, variables from above.
 *
 * Addresses are handed out when a kernel is enqueued and every use of memory happens in the order of the queue, so that
 * an address may be given out again while kernels that use its former tenant are still waiting. What waits must have
 * taken its addresses when it was enqueued: a tensor that is lifted out of its arena has another one at once.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type DType, type Handle, sizeOf } from "../engine.ts";

/** A piece of memory. Views of a tensor share it. */
export interface Block {
  /**
   * Byte address; changes when the block is lifted into an outer arena. NaN: the values are elsewhere. Below 0: it was given
   * back.
   */
  address: number;
  /** Number of elements. */
  readonly size: number;
  /** Nobody had this memory before: it is 0, and no page of it was touched yet. */
  readonly isFresh?: boolean;
}

/** Which rows of a table have anything, a byte each. */
export interface Touched {
  /** Ever. */
  readonly ever: CpuHandle;
  /** Since they were last cleared. */
  readonly dirty: CpuHandle;
  /** Rows of the table, whatever the shape of a view. */
  readonly rows: number;
  /** Their width. */
  readonly width: number;
}

/** A tensor of this engine. */
export interface CpuHandle extends Handle {
  /** Where its values are, together with those of its views. */
  readonly block: Block;
  /** The values are in the order of products, see `packed.ts`. */
  readonly isPacked?: boolean;
  /** The values of a cold tensor, which has no address. */
  readonly outside?: Float32Array;
  /** For gradients of tables: which of its rows were written to. Views share it. */
  readonly touched?: Touched;
}

interface Arena {
  readonly start: number;
  readonly kept: Set<Block>;
  /** Addresses of temporaries that were given back, by their bytes. */
  readonly released: Map<number, number[]>;
}

/** The address of what was given back. */
export const NOWHERE = -1;

/** The heap. */
export interface Heap {
  /** A temporary of the innermost arena. */
  readonly temporary: (shape: readonly number[], dtype?: DType) => CpuHandle;
  /** A tensor that lives until it is freed. */
  readonly variable: (shape: readonly number[], dtype?: DType, touched?: Touched) => CpuHandle;
  /** Gives a variable back. */
  readonly free: (variable: CpuHandle) => void;
  /** Gives a temporary of the innermost arena back; what belongs further out, or is kept, stays. */
  readonly release: (temporary: CpuHandle) => void;
  /** Opens an arena. */
  readonly enter: () => void;
  /** Closes the innermost one; `move` copies what was kept. */
  readonly exit: (move: (to: number, from: number, bytes: number) => void) => void;
  /** Marks a temporary, with all its views, to outlive its arena. */
  readonly keep: (temporary: CpuHandle) => void;
  /** Bytes in use and most ever. */
  readonly use: () => { live: number; peak: number; variables: number };
  /** Forgets everything. */
  readonly clear: () => void;
}

const align = (bytes: number) => Math.max(64, Math.ceil(bytes / 64) * 64);
const GIB = 2 ** 30;

/** A heap between two byte addresses. */
export function createHeap(bottom: number, top: number): Heap {
  let next = bottom;
  let lowest = top; // variables begin here
  let [highestEver, lowestEver] = [bottom, top]; // between them nothing was ever given out
  let variables = 0;
  let peak = 0;
  const arenaAt = (start: number): Arena => ({ start, kept: new Set(), released: new Map() });
  const arenas: Arena[] = [arenaAt(bottom)];
  const holes = new Map<number, number>(); // freed variables: bytes by address

  const note = () => {
    peak = Math.max(peak, next - bottom + variables);
    [highestEver, lowestEver] = [Math.max(highestEver, next), Math.min(lowestEver, lowest)];
  };
  const full = (bytes: number): never => {
    throw new EngineError("out of memory", {
      expected: `${(bytes / GIB).toFixed(3)} GiB more`,
      found: `${((next - bottom) / GIB).toFixed(3)} GiB of activations and ${
        (variables / GIB).toFixed(3)
      } GiB of weights in ${((top - bottom) / GIB).toFixed(2)} GiB`,
      hint: "use a smaller --batch-size or --max-seq-length",
    });
  };
  /** The smallest hole that is large enough; what is left of it stays one. */
  const takeHole = (bytes: number): number | undefined => {
    let [found, size] = [-1, Infinity];
    for (const [address, hole] of holes) if (hole >= bytes && hole < size) [found, size] = [address, hole];
    if (found < 0) return undefined;
    holes.delete(found);
    if (size > bytes) holes.set(found + bytes, size - bytes);
    return found;
  };
  return {
    temporary(shape, dtype = "f32") {
      const size = sizeOf(shape);
      const bytes = align(4 * size);
      const again = arenas.at(-1)!.released.get(bytes)?.pop();
      if (again !== undefined) return { shape, dtype, block: { address: again, size } };
      if (next + bytes > lowest) full(bytes);
      const handle = { shape, dtype, block: { address: next, size } };
      next += bytes;
      note();
      return handle;
    },
    variable(shape, dtype = "f32", touched) {
      const size = sizeOf(shape);
      const bytes = align(4 * size);
      let address = takeHole(bytes);
      if (address === undefined) {
        if (lowest - bytes < next) full(bytes);
        address = lowest -= bytes;
      }
      const isFresh = address >= highestEver && address + bytes <= lowestEver;
      variables += bytes;
      note();
      return { shape, dtype, block: { address, size, isFresh }, ...(touched !== undefined && { touched }) };
    },
    free({ block }) {
      const { address, size } = block;
      block.address = NOWHERE;
      const bytes = align(4 * size);
      variables -= bytes;
      holes.set(address, bytes);
      for (let hole = holes.get(lowest); hole !== undefined; hole = holes.get(lowest)) {
        holes.delete(lowest);
        lowest += hole;
      }
    },
    release({ block }) {
      const { start, kept, released } = arenas.at(-1)!;
      if (!(block.address >= start && block.address < next) || kept.has(block)) return;
      const bytes = align(4 * block.size);
      released.set(bytes, [...released.get(bytes) ?? [], block.address]);
      block.address = NOWHERE;
    },
    enter: () => void arenas.push(arenaAt(next)),
    exit(move) {
      if (arenas.length === 1) throw new EngineError("an arena is closed that was never opened");
      const { start, kept } = arenas.pop()!;
      next = start;
      // Lowest first: a tensor only ever moves down, never over one that is still to be moved.
      for (const block of [...kept].sort((a, b) => a.address - b.address)) {
        // What belongs further out already, and variables, stay where they are.
        if (!(block.address >= start && block.address < lowest)) continue;
        const bytes = align(4 * block.size);
        if (block.address !== next) move(next, block.address, 4 * block.size);
        block.address = next;
        next += bytes;
      }
    },
    keep: ({ block }) => void arenas.at(-1)!.kept.add(block),
    use: () => ({ live: next - bottom + variables, peak, variables }),
    clear() {
      next = bottom;
      lowest = top;
      variables = 0;
      holes.clear();
      arenas.length = 1;
      arenas[0]!.released.clear();
    },
  };
}
