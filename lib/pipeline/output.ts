/**
 * The folder of results: `model/ report.json report.html metrics.jsonl`, each whole or not at all.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { markAsOurs, ownFiles, removeMark, replaceFolder } from "../checkpoint/folder.ts";
import { isGranted } from "../environment.ts";
import { UsageError } from "../error.ts";

/**
 * Refuses a folder with files in it that is not ours, unless `force` is set, and one that could not be written: to be asked
 * before anything is computed.
 */
export async function checkOutput(output: string, force: boolean): Promise<void> {
  // A script without types may leave the name out, and an empty one would be the working folder, unasked.
  if (typeof output !== "string" || output.trim() === "") {
    throw new UsageError("the output folder has no name", {
      expected: "a folder's name; . for the working folder",
      found: JSON.stringify(output) ?? "nothing",
    });
  }
  const names: string[] = await Array.fromAsync(Deno.readDir(output), ({ name }) => name).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    if (error instanceof Deno.errors.NotADirectory) {
      throw new UsageError("the output is a file, not a folder", { found: output });
    }
    throw error;
  });
  if (names.length === 0 || force || await ownFiles(output) !== undefined || await isReport(output)) {
    return await checkWritable(output);
  }
  throw new UsageError("the output folder is not empty, and not ours", {
    found: output,
    hint: "name another one with --output (output), or write beside what is in it with --force (force: true)",
  });
}

/** Tries it with a file in the folder, or in the nearest one above that is there, as far as that is permitted. */
async function checkWritable(output: string): Promise<void> {
  let folder = resolve(output);
  const isMissing = async () => {
    return isGranted("read", folder) &&
      await Deno.stat(folder).then(() => false, (error) => error instanceof Deno.errors.NotFound);
  };
  while (folder !== dirname(folder) && await isMissing()) folder = dirname(folder);
  if (!isGranted("write", folder)) return; // who may write the output alone: then it shows at the end
  const file = join(folder, `.${crypto.randomUUID()}.tmp`);
  try {
    await Deno.writeTextFile(file, "");
    await Deno.remove(file);
  } catch (error) {
    throw new UsageError("the output folder cannot be written", {
      where: output,
      found: (error as Error).message,
      hint: "name another one with --output (output)",
      cause: error,
    });
  }
}

/** Whether a folder holds a report of ours. */
async function isReport(folder: string): Promise<boolean> {
  try {
    const { schema } = JSON.parse(await Deno.readTextFile(join(folder, "report.json")));
    return typeof schema === "string" && schema.startsWith("kindred-");
  } catch {
    return false; // none, or another program's
  }
}

/**
 * Writes texts by file name, and copies of folders by name. The report, by which the folder is known as ours, is last; until
 * then a list of our files says so, and a run that was cut off can go on.
 */
export async function writeOutput(
  output: string,
  texts: Readonly<Record<string, string>>,
  folders: Readonly<Record<string, string>> = {},
): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const isMarked = await isReport(output) || await ownFiles(output) !== undefined;
  if (!isMarked) await markAsOurs(output);
  await removeLeftovers(output);
  for (const [name, from] of Object.entries(folders)) await copyFolder(from, join(output, name));
  for (const [name, contents] of Object.entries(texts)) {
    const temporary = join(output, `.${crypto.randomUUID()}.tmp`);
    await Deno.writeTextFile(temporary, contents);
    await Deno.rename(temporary, join(output, name));
  }
  if (!isMarked && await isReport(output)) await removeMark(output);
}

/** Milliseconds after which what is half done is nobody's any more. */
const LEFT = 600_000;

/** Removes what a run that was cut off left half done; what is younger may be another process's. */
async function removeLeftovers(output: string): Promise<void> {
  for await (const { name } of Deno.readDir(output)) {
    if (!/\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/.test(name)) continue;
    const path = join(output, name);
    const { mtime } = await Deno.stat(path).catch(() => ({ mtime: null }));
    if (mtime !== null && Date.now() - mtime.getTime() > LEFT) {
      await Deno.remove(path, { recursive: true }).catch(() => {});
    }
  }
}

/** Replaces what is ours in a folder by a copy of another, see {@linkcode replaceFolder}. */
export async function copyFolder(from: string, to: string): Promise<void> {
  const copy = async (source: string, target: string) => {
    await Deno.mkdir(target, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(source)) {
      if (isDirectory) await copy(join(source, name), join(target, name));
      else await Deno.copyFile(join(source, name), join(target, name));
    }
  };
  await replaceFolder(to, (temporary) => copy(from, temporary));
}
