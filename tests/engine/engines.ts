/**
 * The engines that tests run on. TensorFlow's own library is one where `KINDRED_TFJS_NODE` names the folder that
 * `tools/build_tfjs.ts` made.
 */
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { openNativeGemm } from "../../lib/engine/cpu/native_gemm.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { createTfjsEngine, type TfjsBackend } from "../../lib/engine/tfjs/mod.ts";

/** An engine under test. */
export interface EngineUnderTest {
  readonly name: string;
  readonly create: () => Engine | Promise<Engine>;
  /** Engines of one name here give the same bits. */
  readonly bits?: string;
}

export const tfjsBackends: readonly TfjsBackend[] = Deno.env.get("KINDRED_TFJS_NODE") ? ["js", "node"] : ["js"];

/** Where golden tests run. */
export const engines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }) },
  ...tfjsBackends.map((backend) => ({ name: `tfjs:${backend}`, create: () => createTfjsEngine(backend) })),
];

/** Whose worker has started: until then one thread does everything. */
async function twoThreads(native: boolean): Promise<Engine> {
  const engine = createCpuEngine({ threads: 2, ...(native && openNativeGemm({ gemm: "auto", threads: 2 })) });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return engine;
}

function nativeGemm(): boolean {
  const { gemm } = openNativeGemm({ gemm: "auto", threads: 1 });
  gemm?.close();
  return gemm !== undefined;
}

/** Two rows of some tests' logits, less than one of others'. */
const logitBytes = 4 * 70;

/** Where every kernel is compared with its definition. */
export const allEngines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }), bits: "cpu" },
  { name: "cpu, 2 threads", create: () => twoThreads(false), bits: "cpu" },
  {
    name: "cpu, cold tensors outside, logits in small chunks",
    create: () => createCpuEngine({ threads: 1, coldAbove: 0, logitBytes }),
  },
  ...tfjsBackends.map((backend) => ({
    name: `tfjs:${backend}, logits in small chunks`,
    create: () => createTfjsEngine(backend, { logitBytes }),
  })),
  ...(nativeGemm()
    ? [
      {
        name: "cpu, native product",
        create: () => createCpuEngine({ threads: 1, gemm: openNativeGemm({ gemm: "auto", threads: 1 }).gemm }),
      },
      { name: "cpu, native product, 2 threads", create: () => twoThreads(true) },
    ]
    : []),
];
