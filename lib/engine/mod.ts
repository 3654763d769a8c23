/**
 * Tensor engines: the contract, the cpu engine, random numbers.
 *
 * @module
 */
export type { Guard, KernelCaller } from "./cpu/caller.ts";
export type { CpuOptions } from "./cpu/core.ts";
export { createCpuEngine } from "./cpu/engine.ts";
export type { Accelerate } from "./cpu/accelerate.ts";
export { type NativeKernels, type OpenedNative, openNativeKernels } from "./cpu/native.ts";
export {
  type Activation,
  type AdamWOptions,
  type Attention,
  type AttentionResult,
  type Binary,
  type Block,
  blockLayout,
  type DeviceWork,
  type Dropout,
  type DType,
  type Engine,
  type EngineInfo,
  type Handle,
  type HeadRange,
  type KernelTime,
  type LayerNormResult,
  type LinearCrossEntropy,
  type MatmulOptions,
  type MemoryUse,
  type OptimizerSlot,
  type OutOptions,
  type PoolingMode,
  type RandomKey,
  type RmsNormResult,
  type Rotation,
  scope,
  scopeAsync,
  type SumGradientOptions,
  type SumGradients,
  type TopK,
  type TopKBest,
  type Unary,
  type VariableOptions,
  type WeighingMode,
  type Work,
} from "./engine.ts";
export type { MeasurementStore } from "./measurements.ts";
export { type Purpose, randomPurpose, type RandomStream, randomStream } from "./philox.ts";
export { type EngineChoice, type EngineName, type KernelChoice, type SelectedEngine, selectEngine } from "./select.ts";
export type { DeviceLimits } from "./webgpu/device.ts";
export { createWebgpuEngine, type WebgpuEngine, type WebgpuOptions } from "./webgpu/mod.ts";
