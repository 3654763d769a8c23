/**
 * What all model folders have in common: JSON files, a tokenizer, and that they appear whole or not at all.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError } from "../error.ts";
import { jsonText, parseJson } from "./json.ts";

/**
 * Reads a JSON file of a model: an object or a list.
 *
 * @param path The file.
 * @returns What it holds.
 * @throws {CheckpointError} There is no such file, or it is no JSON of an object or a list.
 */
export async function readJson<A>(path: string): Promise<A>;
/** The same for one that may be missing. */
export async function readJson<A>(path: string, optional: true): Promise<A | undefined>;
export async function readJson<A>(path: string, optional = false): Promise<A | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    if (optional) return undefined;
    throw new CheckpointError("a file of the model is missing", {
      where: dirname(path),
      expected: basename(path),
      hint: "name a folder with a sentence-transformers model or a Hugging Face checkpoint",
    });
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new CheckpointError("not JSON", {
      where: path,
      found: (error as Error).message,
      hint: "the file is damaged or cut",
    });
  }
  if (value !== null && typeof value === "object") return value as A;
  throw new CheckpointError("neither an object nor a list", { where: path, found: text.slice(0, 80) });
}

/**
 * Writes a JSON file, and the folders it is in.
 *
 * @param path The file.
 * @param value Anything that JSON can hold.
 * @returns When it is written.
 */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, jsonText(value));
}

/**
 * A `config.json` without the type of its weights, which are written as float32: transformers 5 would round them to a
 * smaller type that a checkpoint once had.
 */
export function withoutWeightType(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { dtype: _, torch_dtype: __, ...rest } = config;
  return rest;
}

/**
 * Writes the files of a tokenizer, with its limit as every reader looks for it: transformers.js and fastembed cut at 512
 * without `model_max_length`, and at a stale number with `max_length`.
 */
export async function writeTokenizer(
  path: string,
  files: ReadonlyMap<string, Uint8Array>,
  maxSeqLength: number,
): Promise<void> {
  for (const [name, bytes] of files) {
    if (name !== "tokenizer_config.json") await Deno.writeFile(join(path, name), bytes);
    else {
      const { max_length: _, ...rest } = parseJson(new TextDecoder().decode(bytes)) as Record<string, unknown>;
      await writeJson(join(path, name), { ...rest, model_max_length: maxSeqLength });
    }
  }
}

/** The list of the files that we wrote into a folder: by it a folder is known as ours. */
const LIST = ".kindred.json";

/** The files that we wrote into a folder; undefined where it is not ours. */
export async function ownFiles(folder: string): Promise<ReadonlySet<string> | undefined> {
  try {
    const { files } = JSON.parse(await Deno.readTextFile(join(folder, LIST)));
    return new Set(files as string[]);
  } catch {
    return undefined; // none, or not one of ours
  }
}

/** Says of a folder that it is ours, before there is anything in it. */
export async function markAsOurs(folder: string): Promise<void> {
  await writeJson(join(folder, LIST), { files: [] });
}

/** Takes the list of our files away, where something else says that the folder is ours. */
export async function removeMark(folder: string): Promise<void> {
  await Deno.remove(join(folder, LIST));
}

/** Paths of all files in a folder, from there; none where there is no folder. */
async function filesIn(folder: string): Promise<string[]> {
  const files: string[] = [];
  const walk = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(join(folder, path))) {
      if (isDirectory) await walk(join(path, name));
      else files.push(join(path, name));
    }
  };
  try {
    await walk("");
  } catch (error) {
    if (error instanceof Deno.errors.NotADirectory) throw new CheckpointError("this is a file", { where: folder });
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort();
}

/**
 * Makes a folder that appears under its name whole or not at all: `write` fills a temporary one beside it. Files of ours
 * that were there are replaced, and come back if that fails. Files of others stay where they are; with such in it, the
 * folder changes file by file.
 */
export async function replaceFolder(to: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const path = resolve(to); // without a slash at the end: the temporary folder must stand beside it
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(temporary, { recursive: true });
  try {
    await write(temporary);
    const files = (await filesIn(temporary)).filter((file) => file !== LIST);
    await writeJson(join(temporary, LIST), { files });
    const own = await ownFiles(path) ?? new Set();
    const there = (await filesIn(path)).filter((file) => file !== LIST);
    if (there.every((file) => own.has(file))) return await swap(temporary, path);
    for (const file of [...files, LIST]) {
      await Deno.mkdir(dirname(join(path, file)), { recursive: true });
      await Deno.rename(join(temporary, file), join(path, file));
    }
    for (const file of there) if (own.has(file) && !files.includes(file)) await Deno.remove(join(path, file));
  } finally {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
}

/** Puts a folder in the place of another one, which comes back if that fails. */
async function swap(from: string, to: string): Promise<void> {
  const old = `${to}.${crypto.randomUUID()}.old`;
  const replaced = await Deno.rename(to, old).then(() => true, () => false);
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (replaced) await Deno.rename(old, to);
    throw error;
  }
  if (replaced) await Deno.remove(old, { recursive: true });
}
