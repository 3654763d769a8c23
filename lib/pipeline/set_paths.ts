/**
 * Where the files are that a file of data sets names: beside it, wherever the command runs.
 *
 * @module
 */
import { isAbsolute, join, relative, resolve } from "node:path";
import { parseSource } from "../data/source.ts";
import { UsageError } from "../error.ts";
import { exists } from "../exists.ts";

/** Names that are no paths, whatever lies in a folder. */
const NAMED = /^(sample|hub|beir):|^nanobeir(#|$)/i;

/** Whether a source is there; behind a `#` may stand which part of it. */
const isThere = async (source: string) => await exists(source) || await exists(source.replace(/#[^#]*$/, ""));

/**
 * A source as it is from where the command runs, of one that is written in a file.
 *
 * @param source A path relative to the file's folder, an absolute one, a name of the hub, or a part of the sample.
 * @param folder The file's folder.
 * @returns The path, or the name as it is.
 * @throws {UsageError} Nothing is there, but something is where the command runs: which of the two is meant, nobody knows.
 */
export async function besideFile(source: string, folder: string): Promise<string> {
  if (NAMED.test(source) || isAbsolute(source)) return source;
  const beside = join(folder, source);
  if (await isThere(beside)) return beside;
  if (await isThere(source)) {
    throw new UsageError("paths are relative to the folder of the file of data sets, and there is no such file", {
      expected: beside,
      found: `${source}, where the command runs`,
      hint: `write ${JSON.stringify(relative(folder, source))}`,
    });
  }
  const { kind } = await parseSource(source);
  return kind === "hub" ? source : resolve(beside); // who misses it names the whole path
}
