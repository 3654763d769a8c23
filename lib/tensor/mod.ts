/**
 * Tensors with gradients: the tape, and the operations on it.
 *
 * @module
 */
export * from "./ops.ts";
export * from "./tape.ts";
export * from "./tensor.ts";
