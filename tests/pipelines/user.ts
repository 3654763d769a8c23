/**
 * Pipelines as a user runs them.
 *
 * @module
 */
import { join } from "node:path";
export { withFolder } from "../folder.ts";

/** What a command printed, and its exit code. */
export interface Printed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a pipeline as a user would. */
export async function run(pipeline: string, ...args: string[]): Promise<Printed> {
  return await runWith({}, pipeline, ...args);
}

/** The same with these variables of the environment. */
export async function runWith(
  env: Readonly<Record<string, string>>,
  pipeline: string,
  ...args: string[]
): Promise<Printed> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `pipelines/${pipeline}.ts`, ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1", DENO_WEBGPU_BACKEND: "none", ...env }, // on the processor, whatever the machine has
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

/** Cache and output in that folder. */
export const places = (folder: string) => ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];
