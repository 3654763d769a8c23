/**
 * The engines that tests run on. TensorFlow's own library is one where `KINDRED_TFJS_NODE` names the folder that
 * `tools/build_tfjs.ts` made, and WebGPU where `KINDRED_WEBGPU` is 1: a processor that acts as a card will do.
 */
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { LEVELS, type NativeKernels, openNativeKernels } from "../../lib/engine/cpu/native.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { createTfjsEngine, type TfjsBackend } from "../../lib/engine/tfjs/mod.ts";
import { createWebgpuEngine } from "../../lib/engine/webgpu/mod.ts";

/** An engine under test. */
export interface EngineUnderTest {
  readonly name: string;
  readonly create: () => Engine | Promise<Engine>;
  /** Engines of one name here give the same bits. */
  readonly bits?: string;
}

export const tfjsBackends: readonly TfjsBackend[] = Deno.env.get("KINDRED_TFJS_NODE") ? ["js", "node"] : ["js"];

/** Whether tests run on WebGPU. */
export const hasWebgpu = Deno.env.get("KINDRED_WEBGPU") === "1";

/** Where golden tests run. */
export const engines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }) },
  ...tfjsBackends.map((backend) => ({ name: `tfjs:${backend}`, create: () => createTfjsEngine(backend) })),
  ...(hasWebgpu ? [{ name: "webgpu", create: () => createWebgpuEngine() }] : []),
];

/** Whose worker has started: until then one thread does everything. */
async function twoThreads(native?: NativeKernels): Promise<Engine> {
  const engine = createCpuEngine({ threads: 2, native });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return engine;
}

/** Every set of instructions that the processor has, as machine code. */
const levels: NativeKernels[] = [];
for (const level of LEVELS) {
  const { native } = await openNativeKernels(level);
  if (native !== undefined) levels.push(native);
}

/** Two rows of some tests' logits, less than one of others'. */
const logitBytes = 4 * 70;

/** Where every kernel is compared with its definition. */
export const allEngines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }), bits: "cpu" },
  { name: "cpu, 2 threads", create: () => twoThreads(), bits: "cpu" },
  ...levels.map((native) => ({
    name: `cpu, ${native.level}`,
    create: () => createCpuEngine({ threads: 1, native }),
    ...(native.level !== "sse42" && { bits: "cpu" }), // which does not fuse products
  })),
  ...levels.slice(-1).map((native) => ({
    name: `cpu, ${native.level}, 2 threads`,
    create: () => twoThreads(native),
    bits: "cpu",
  })),
  {
    name: "cpu, cold tensors outside, logits in small chunks",
    create: () => createCpuEngine({ threads: 1, coldAbove: 0, logitBytes }),
  },
  ...tfjsBackends.map((backend) => ({
    name: `tfjs:${backend}, logits in small chunks`,
    create: () => createTfjsEngine(backend, { logitBytes }),
  })),
  ...(hasWebgpu ? [{ name: "webgpu, logits in small chunks", create: () => createWebgpuEngine({ logitBytes }) }] : []),
];
