/**
 * The kernels of the contract by subject: what a file of an engine gives.
 *
 * @module
 */
import type { Engine } from "./engine.ts";

/** Tensors come into being, are written, read and given back. */
export type MemoryKernels = Pick<
  Engine,
  | "variable"
  | "block"
  | "free"
  | "zeros"
  | "empty"
  | "full"
  | "upload"
  | "write"
  | "read"
  | "release"
  | "enter"
  | "exit"
  | "keep"
  | "memory"
  | "close"
  | "fill"
  | "copy"
  | "reshape"
  | "cast"
>;

/** Parts of tensors, put elsewhere. */
export type MovingKernels = Pick<
  Engine,
  "transpose" | "sliceRows" | "sliceColumns" | "concatRows" | "concatColumns"
>;

/** Activations, and products that are gated by them. */
export type ActivationKernels = Pick<Engine, "activate" | "activationBackward" | "gated" | "gatedBackward">;

/** Element-wise arithmetic, and sums. */
export type ElementwiseKernels = Pick<
  Engine,
  "unary" | "binary" | "affine" | "addTo" | "scaleRows" | "rowReduce" | "columnSum" | "sum"
>;

/** Normalisation of rows, and dropout. */
export type NormKernels = Pick<
  Engine,
  | "layerNorm"
  | "layerNormBackward"
  | "dropout"
  | "normalizeRows"
  | "normalizeRowsBackward"
  | "rmsNorm"
  | "rmsNormBackward"
  | "headNorm"
  | "headNormBackward"
>;

/** Cross-entropy. */
export type LossKernels = Pick<
  Engine,
  "crossEntropy" | "crossEntropyBackward" | "linearCrossEntropy" | "linearCrossEntropyBackward"
>;

/** Clipping and AdamW. */
export type OptimizerKernels = Pick<Engine, "clip" | "adamw">;
