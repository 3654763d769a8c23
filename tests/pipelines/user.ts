/**
 * Pipelines as a user runs them.
 *
 * @module
 */
import { join } from "node:path";

/** Runs a pipeline as a user would. */
export async function run(pipeline: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `pipelines/${pipeline}.ts`, ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

/** A folder for one test. */
export async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Cache and output in that folder. */
export const places = (folder: string) => ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];
