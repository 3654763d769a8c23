/**
 * Tensor engines: the contract, the cpu engine, random numbers.
 *
 * @module
 */
export * from "./cpu/engine.ts";
export * from "./cpu/native_gemm.ts";
export * from "./engine.ts";
export * from "./philox.ts";
export * from "./select.ts";
