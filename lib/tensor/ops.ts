/**
 * The differentiable operations: each file holds forward and backward together, the formula above.
 *
 * @module
 */
export * from "./ops/attention.ts";
export * from "./ops/binary_cross_entropy.ts";
export * from "./ops/cross_entropy.ts";
export * from "./ops/elementwise.ts";
export * from "./ops/embedding.ts";
export * from "./ops/gated.ts";
export * from "./ops/layer_norm.ts";
export * from "./ops/linear.ts";
export * from "./ops/low_rank.ts";
export * from "./ops/pool.ts";
export * from "./ops/residual_norm.ts";
export * from "./ops/rms_norm.ts";
export * from "./ops/rotary.ts";
export * from "./ops/rows.ts";
export * from "./ops/segments.ts";
export * from "./ops/shape.ts";
export * from "./ops/softplus.ts";
