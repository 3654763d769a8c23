/**
 * The engines that golden tests run on. TensorFlow's own library is one where `KINDRED_TFJS_NODE` names the folder that
 * `tools/build_tfjs.ts` made.
 */
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { createTfjsEngine, type TfjsBackend } from "../../lib/engine/tfjs/mod.ts";

/** An engine under test. */
export interface EngineUnderTest {
  readonly name: string;
  readonly create: () => Engine | Promise<Engine>;
}

export const tfjsBackends: readonly TfjsBackend[] = Deno.env.get("KINDRED_TFJS_NODE") ? ["js", "node"] : ["js"];

export const engines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }) },
  ...tfjsBackends.map((backend) => ({ name: `tfjs:${backend}`, create: () => createTfjsEngine(backend) })),
];
