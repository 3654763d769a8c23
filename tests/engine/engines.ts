/** The engines that golden tests run on. */
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { createTfjsEngine } from "../../lib/engine/tfjs/mod.ts";

/** An engine under test. */
export interface EngineUnderTest {
  readonly name: string;
  readonly create: () => Engine | Promise<Engine>;
}

export const engines: readonly EngineUnderTest[] = [
  { name: "cpu", create: () => createCpuEngine({ threads: 1 }) },
  { name: "tfjs:js", create: () => createTfjsEngine("js") },
];
