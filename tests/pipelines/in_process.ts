/**
 * Commands in this process, which is quicker than as a user runs them; `tests/pipelines/user.ts` does that.
 *
 * @module
 */
import { parseFlags } from "../../lib/pipeline/arguments.ts";
import type { Command } from "../../lib/pipeline/command.ts";
import { choicesOf } from "../../lib/pipeline/flags.ts";
import { engineChoice, withPreset } from "../../lib/pipeline/settings.ts";
import { runStages } from "../../lib/stage/run.ts";

/** Runs a command with these flags: its report, or its error as it is thrown. */
export async function runCommand(
  command: Command,
  cacheDir: string,
  ...args: string[]
  // deno-lint-ignore no-explicit-any -- reports are looked into
): Promise<any> {
  const parsed = parseFlags(args, command.flags, choicesOf(command.flags, command.choices));
  const { preset, values } = withPreset(command.presets, parsed.values, command.ownBy);
  const invocation = { name: command.name, preset, values, operands: [], args, usual: command.presets["own"] };
  const engine = { ...engineChoice(values), engine: "cpu", kernels: "wasm", threads: 1 } as const;
  return await runStages(command.run(invocation), { cacheDir, engine });
}
