/**
 * Command lines that can be pasted into a shell.
 *
 * @module
 */
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

/** A word as a POSIX shell reads it back. */
export function shellQuote(word: string): string {
  return /^[\w/:=.,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command line that runs this command once more, as it was started: from a clone, from JSR, or from any address. */
export function commandLine(name: string, args: readonly string[]): string {
  return ["deno", "run", "-A", startedFrom(name), ...args].map(shellQuote).join(" ");
}

function startedFrom(name: string): string {
  let module: string;
  try {
    module = Deno.mainModule;
  } catch {
    return `pipelines/${name}.ts`; // it may not be known without the permission to read
  }
  const published = /jsr\.io\/(@[\w-]+\/[\w-]+)\/([^/]+)\/pipelines\/(\w+)\.ts$/.exec(module);
  if (published !== null) {
    const [, scope, version, file] = published;
    return `jsr:${scope}@${version}/${file === "evaluate" ? "evaluate-model" : file!.replaceAll("_", "-")}`;
  }
  if (!module.startsWith("file:")) return module;
  const path = fileURLToPath(module);
  const near = relative(Deno.cwd(), path);
  return near.startsWith("..") ? path : near;
}
