/**
 * A tensor that can have a gradient, and the record of parameters that a model is.
 *
 * @module
 */
import { type Dropout, type DType, type Engine, type Handle, sizeOf } from "../engine/engine.ts";

/** A parameter's place in a block of those that are treated alike: weights, and in the same places their gradients. */
export interface ParameterBlock {
  /** All weights. */
  readonly weights: Handle;
  /** All gradients. */
  readonly gradients: Handle;
  /** Whether they are decayed. */
  readonly decays: boolean;
  /** The parameter's first element in both. */
  readonly offset: number;
}

/** What is trained beside a weight [N, K] that is frozen: s · B A for some of its rows. */
export interface LowRank {
  /** [R, K] the matrices A of all blocks, one below the other. */
  readonly a: Tensor;
  /** [ΣNᵢ, r] their matrices B, likewise. */
  readonly b: Tensor;
  /** s */
  readonly scale: number;
  /** Which rows of the weight each block is for, in their order. */
  readonly blocks: readonly { readonly row: number; readonly rows: number }[];
  /** Of the input, in training. */
  readonly dropout?: Dropout | undefined;
}

/** A value on the device and, once something was differentiated, its gradient. */
export interface Tensor {
  /** The value. */
  readonly value: Handle;
  /** Whether a gradient is wanted. */
  readonly needsGradient: boolean;
  /** Whether `gradient` is a variable that outlives the step, which kernels may add to in place. */
  readonly isParameter: boolean;
  /** The checkpoint's tensors that a parameter is made of, one below the other; default: one of its own name. */
  readonly parts?: readonly { readonly name: string; readonly rows: number }[];
  /** Where a trained parameter lies in a block. */
  readonly block?: ParameterBlock;
  /** What is added to the products with a frozen weight. */
  readonly adapter?: LowRank;
  /** d loss / d value. A parameter has it from the start and adds to it; an activation gets it in the backward pass. */
  gradient: Handle | undefined;
}

/** The named tensors of a model, under the names of its Hugging Face checkpoint. */
export type Parameters = { readonly [name: string]: Tensor };

/**
 * A tensor without a gradient: inputs and targets.
 *
 * @param value What it holds.
 * @returns The value as a tensor that ops take.
 */
export function constant(value: Handle): Tensor {
  return { value, needsGradient: false, isParameter: false, gradient: undefined };
}

/**
 * A trained tensor: value and gradient live outside all arenas. `table` marks embedding tables.
 *
 * @param engine Holds value and gradient until it is closed.
 * @param shape Its shape.
 * @param data Its first values, row by row; none: 0.
 * @param options Whether it is trained (default yes), whether it is an embedding table, of which a step touches few rows,
 *   which tensors of the checkpoint it is made of, the type of its elements (default f32), and whether it is a linear layer's
 *   weight that the engine may keep in the order of products.
 * @returns The tensor; not trained, it has no gradient.
 */
export function parameter(
  engine: Engine,
  shape: readonly number[],
  data: Float32Array | undefined,
  options: {
    readonly trained?: boolean;
    readonly table?: boolean;
    readonly parts?: Tensor["parts"] | undefined;
    readonly dtype?: DType | undefined;
    readonly storage?: "packed";
  } = {},
): Tensor {
  const { trained = true, table = false, parts, dtype = "f32", storage } = options;
  const value = engine.variable(shape, { dtype, ...(storage && { storage }) });
  if (data !== undefined) engine.write(value, data);
  return {
    value,
    needsGradient: trained,
    isParameter: true,
    ...(parts !== undefined && { parts }),
    gradient: trained ? engine.variable(shape, table ? { touched: "rows" } : {}) : undefined,
  };
}

/**
 * How many numbers of a model are trained.
 *
 * @param parameters Those of a model.
 * @returns `trained` of `all`; a tensor that stands under two names counts once.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { countTrained, parameter } from "@kindred/kindred/tensor";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const weight = parameter(engine, [2, 3], new Float32Array(6), { trained: false });
 * const bias = parameter(engine, [2], new Float32Array(2));
 * assert.deepEqual(countTrained({ weight, bias }), { trained: 2, all: 8 });
 * engine.close();
 * ```
 */
export function countTrained(parameters: Parameters): { readonly trained: number; readonly all: number } {
  let [trained, all] = [0, 0];
  for (const { value, needsGradient } of new Set(Object.values(parameters))) {
    const size = sizeOf(value.shape);
    all += size;
    if (needsGradient) trained += size;
  }
  return { trained, all };
}
