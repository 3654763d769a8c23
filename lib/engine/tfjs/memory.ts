/**
 * Mutable handles over the immutable tensors of TensorFlow.js, and arenas.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { blockLayout, type DType, type Handle, sizeOf } from "../engine.ts";
import { noVariable } from "../shapes.ts";
import type { TensorFlow, TfTensor } from "./tensorflow.ts";

/** Holds the tensor that a handle stands for just now; writing replaces it. */
interface Box {
  tensor: TfTensor | undefined;
}

/** A handle of this engine. Reshaped handles share a box. */
export interface TfHandle extends Handle {
  /** What it stands for. */
  readonly box: Box;
  /** The tensors that a block is made of: it has none itself. */
  readonly parts?: readonly TfHandle[];
}

/** The inside of a tfjs engine. */
export interface Core {
  /** The library. */
  readonly tf: TensorFlow;
  /** A temporary that holds what `compute` returns, under its shape. Intermediate tensors are freed. */
  readonly make: (compute: () => TfTensor, dtype?: DType) => TfHandle;
  /** The same for several results. */
  readonly makeAll: (compute: () => TfTensor[]) => TfHandle[];
  /** Replaces the value of a handle. */
  readonly set: (target: Handle, compute: () => TfTensor) => void;
  /** The value, of the handle's shape. Only within `make` and `set`, which free it. */
  readonly get: (handle: Handle) => TfTensor;
  /** The value, on the host. */
  readonly host: (handle: Handle) => Float32Array | Int32Array;
  /** A tensor that lives until it is freed. */
  readonly variable: (shape: readonly number[], dtype: DType) => TfHandle;
  /** Several of them, and all as one. */
  readonly block: (shapes: readonly (readonly number[])[]) => { readonly all: TfHandle; readonly parts: TfHandle[] };
  /** Frees one. */
  readonly free: (handle: Handle) => void;
  /** Gives a temporary of the innermost arena back. */
  readonly release: (handle: Handle) => void;
  /** Opens an arena. */
  readonly enter: () => void;
  /** Closes it. */
  readonly exit: () => void;
  /** Lifts a temporary one arena up. */
  readonly keep: (handle: Handle) => void;
  /** Frees everything. */
  readonly clear: () => void;
  /** Bytes held now, and most ever. */
  readonly use: () => { live: number; peak: number };
}

/** Elements between a part of a block and the next. */
const gap = ({ shape }: Handle) => blockLayout([shape]).size - sizeOf(shape);

/** Arenas and variables over one loaded library. */
export function createCore(tf: TensorFlow, backend: string): Core {
  const arenas: Set<Box>[] = [new Set()];
  const variables = new Set<Box>();
  const ofBlocks = new WeakSet<Box>();
  let live = 0;
  let peak = 0;
  let isClosed = false;

  const boxOf = (handle: Handle): Box => {
    const { box } = handle as Partial<TfHandle>;
    if (box === undefined) throw new EngineError("a tensor of another engine");
    if (box.tensor === undefined) throw new EngineError("a tensor that was freed", { found: `[${handle.shape}]` });
    return box;
  };
  const box = (tensor: TfTensor, owner: Set<Box>): Box => {
    const made = { tensor };
    owner.add(made);
    live += 4 * tensor.size;
    peak = Math.max(peak, live);
    return made;
  };
  const drop = (old: Box) => {
    if (old.tensor === undefined) return;
    live -= 4 * old.tensor.size;
    old.tensor.dispose();
    old.tensor = undefined;
  };
  const run = <A>(compute: () => A): A => {
    // The backend is global to the library, and another engine may have chosen its own since.
    if (tf.getBackend() !== backend) void tf.setBackend(backend);
    return tf.tidy(compute);
  };
  const wrap = (made: TfTensor, dtype: DType): TfHandle => {
    // Some operations give an empty tensor without a typed array, which others cannot read.
    const tensor = made.size > 0 ? made : tf.zeros(made.shape, dtype === "f32" ? "float32" : "int32");
    if (tensor !== made) made.dispose();
    const shape = tensor.shape.length === 0 ? [1] : [...tensor.shape];
    return { shape, dtype, box: box(tensor, arenas.at(-1)!) };
  };

  const variable = (shape: readonly number[], dtype: DType): TfHandle => {
    const zeros = run(() => tf.zeros(shape, dtype === "f32" ? "float32" : "int32"));
    return { shape: [...shape], dtype, box: box(zeros, variables) };
  };
  const free = (handle: Handle) => {
    if (isClosed) return;
    const { box, parts = [handle as TfHandle] } = handle as TfHandle;
    for (const { box: own } of parts) {
      if (ofBlocks.has(box) || !variables.delete(own)) throw noVariable(handle);
      drop(own);
    }
  };
  const get = (handle: Handle): TfTensor => {
    const { parts } = handle as TfHandle;
    if (parts === undefined) return tf.reshape(boxOf(handle).tensor!, handle.shape);
    return tf.concat(parts.flatMap((part) => [tf.reshape(get(part), [sizeOf(part.shape)]), tf.zeros([gap(part)])]), 0);
  };
  const set = (target: Handle, compute: () => TfTensor): void => {
    const { parts } = target as TfHandle;
    if (parts !== undefined) {
      const all = tf.keep(run(compute));
      let at = 0;
      for (const part of parts) {
        const [start, size] = [at, sizeOf(part.shape)];
        set(part, () => tf.reshape(tf.slice(all, [start], [size]), part.shape));
        at += size + gap(part);
      }
      return all.dispose();
    }
    const held = boxOf(target);
    const value = tf.keep(run(compute)); // kept, for this may happen within another computation
    if (value.size !== sizeOf(target.shape)) {
      const found = `[${value.shape}]`;
      value.dispose();
      throw new EngineError("wrong shape", { expected: `[${target.shape}]`, found });
    }
    held.tensor!.dispose();
    held.tensor = value;
  };

  return {
    tf,
    make: (compute, dtype = "f32") => wrap(run(compute), dtype),
    makeAll: (compute) => run(compute).map((tensor) => wrap(tensor, "f32")),
    set,
    get,
    host: (handle) => boxOf(handle).tensor!.dataSync() as Float32Array | Int32Array,
    variable,
    block(shapes) {
      const parts = shapes.map((shape) => variable(shape, "f32"));
      for (const { box } of parts) ofBlocks.add(box);
      const all = { shape: [blockLayout(shapes).size], dtype: "f32", box: { tensor: undefined }, parts } as const;
      return { all, parts };
    },
    free,
    release(handle) {
      const held = boxOf(handle);
      if (arenas.at(-1)!.delete(held)) drop(held);
    },
    enter: () => void arenas.push(new Set()),
    exit() {
      if (arenas.length === 1) throw new EngineError("exit() without enter()");
      for (const held of arenas.pop()!) drop(held);
    },
    keep(handle) {
      if ((handle as TfHandle).parts !== undefined) return; // a block is no temporary
      const held = boxOf(handle);
      if (arenas.length > 1 && arenas.at(-1)!.delete(held)) arenas.at(-2)!.add(held);
    },
    clear() {
      isClosed = true;
      for (const owner of [...arenas, variables]) {
        for (const held of owner) drop(held);
        owner.clear();
      }
      arenas.length = 1;
    },
    use: () => ({ live, peak }),
  };
}
