/**
 * The cpu engine: kernels of its own on all cores, as machine code or as WebAssembly.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import type { Engine, EngineInfo } from "../engine.ts";
import { activationKernels } from "./activations.ts";
import { attentionKernels } from "./attention.ts";
import { type CpuOptions, createCore } from "./core.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { embeddingKernels } from "./embedding.ts";
import { dispatchOf } from "./dispatch.ts";
import { KERNELS_REVISION } from "./kernels/table.ts";
import { lossKernels } from "./losses.ts";
import { memoryKernels } from "./memory.ts";
import { movingKernels } from "./moving.ts";
import { normKernels } from "./norms.ts";
import { optimizerKernels } from "./optimizer.ts";
import { poolingKernels } from "./pooling.ts";
import { roundedBy } from "./native.ts";
import { matmul } from "./products.ts";
import { rotaryKernels } from "./rotary.ts";
import { fuses, threadCount } from "./threads.ts";
import { topKernels } from "./top.ts";

/**
 * Starts a cpu engine. Needs no permission and nothing installed.
 *
 * @param options Threads, and which form of the kernels.
 * @returns The engine; to be closed.
 * @throws {EngineError} The kernels cannot be started, or are not for the precision that is wanted.
 * @throws {UsageError} The number of threads is none from 1 to 256.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * assert.deepEqual([...await engine.read(engine.matmul(x, x))], [7, 10, 15, 22]);
 * engine.close();
 * ```
 */
export function createCpuEngine(options: CpuOptions = {}): Engine {
  const threads = threadCount(options.threads);
  const core = createCore(threads, options);
  const kernels = dispatchOf(core);
  return {
    info: cpuInfo(threads, { ...options, native: core.threads.native }),
    ...(core.times !== undefined && { times: core.times }),
    rank: 0,
    worldSize: 1,

    ...memoryKernels(core, kernels, options),
    ...movingKernels(core, kernels),
    matmul: (a, b, matmulOptions) => matmul(core, a, b, matmulOptions),
    ...embeddingKernels(core, kernels),
    ...activationKernels(core, kernels),
    ...normKernels(core, kernels),
    ...rotaryKernels(core, kernels),
    ...attentionKernels(core, kernels),
    ...poolingKernels(core, kernels),
    ...elementwiseKernels(core, kernels),
    ...lossKernels(core, kernels, options),
    ...topKernels(core, kernels),
    ...optimizerKernels(core, kernels),

    allReduce() {},
    allGather: (x) => x,
  };
}

/** What a cpu engine with so many threads and these kernels says of itself. */
export function cpuInfo(threads: number, { native, accelerate, precision = "fp32" }: CpuOptions): EngineInfo {
  const isFused = fuses(native);
  const rounding = { fp32: "", bf16: `, bf16 by ${roundedBy(native)}`, int8: ", int8" }[precision];
  const own = `kindred ${KERNELS_REVISION}${isFused ? "" : ", without fused products"}${rounding}`;
  return {
    name: "cpu",
    backend: native === undefined ? "wasm" : "native",
    device: `${Deno.build.arch}, ${counted(threads, "thread")}`,
    kernels: accelerate !== undefined ? "accelerate" : native?.level ?? "wasm",
    bits: accelerate === undefined ? own : `accelerate on ${Deno.osRelease()}, ${counted(threads, "thread")}, ${own}`,
    threads,
    precision,
    tokenStep: 1,
  };
}
