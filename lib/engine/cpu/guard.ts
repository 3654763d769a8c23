/**
 * A heap that tells a guard what kernels may touch: the bytes of tensors, and none between or behind them.
 *
 * @module
 */
import type { Guard } from "./caller.ts";
import type { Block, CpuHandle, Heap } from "./heap.ts";

/** The temporaries of an arena, and which of them outlive it. */
interface Arena {
  readonly blocks: Block[];
  readonly kept: Set<Block>;
}

/**
 * The same heap. What is told is told in the queue: an address may be given out again while kernels that use its former
 * tenant are still waiting.
 */
export function guarded(heap: Heap, { open, close }: Guard, enqueue: (work: () => void) => void): Heap {
  const arenas: Arena[] = [{ blocks: [], kept: new Set() }];
  const tell = (what: Guard["open"], { address, size }: Block) => enqueue(() => what(address, 4 * size));
  return {
    ...heap,
    temporary(shape, dtype) {
      const handle = heap.temporary(shape, dtype);
      arenas.at(-1)!.blocks.push(handle.block);
      tell(open, handle.block);
      return handle;
    },
    variable(shape, dtype, touched) {
      const handle: CpuHandle = heap.variable(shape, dtype, touched);
      tell(open, handle.block);
      return handle;
    },
    free(variable) {
      const block = { ...variable.block };
      heap.free(variable);
      tell(close, block);
    },
    release(temporary) {
      const block = { ...temporary.block };
      heap.release(temporary);
      const { blocks } = arenas.at(-1)!;
      const place = blocks.indexOf(temporary.block);
      if (place < 0 || temporary.block.address === block.address) return;
      blocks.splice(place, 1);
      tell(close, block);
    },
    enter() {
      heap.enter();
      arenas.push({ blocks: [], kept: new Set() });
    },
    keep(temporary) {
      heap.keep(temporary);
      arenas.at(-1)!.kept.add(temporary.block);
    },
    exit(move) {
      const before = arenas.at(-1)!.blocks.map((block) => ({ ...block }));
      heap.exit((to, from, bytes) => {
        enqueue(() => open(to, bytes));
        move(to, from, bytes);
      });
      const { blocks, kept } = arenas.pop()!;
      for (const block of before) tell(close, block);
      const left = blocks.filter((block) => kept.has(block));
      for (const block of left) tell(open, block);
      arenas.at(-1)!.blocks.push(...left);
    },
  };
}
