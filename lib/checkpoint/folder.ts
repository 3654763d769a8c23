/**
 * What all model folders have in common: JSON files, a tokenizer, and that they appear whole or not at all.
 *
 * @module
 */
import { basename, dirname, join, resolve } from "node:path";
import { CheckpointError } from "../error.ts";

/** Reads a JSON file of a model: an object or a list. */
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
    value = JSON.parse(text);
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

/** Writes a JSON file, and the folders it is in. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2) + "\n");
}

/**
 * A `config.json` without the type of its weights, which are written as float32: transformers 5 would round them to a
 * smaller type that a checkpoint once had.
 */
export function withoutWeightType(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([key]) => key !== "dtype" && key !== "torch_dtype"));
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
      const { max_length: _, ...rest } = JSON.parse(new TextDecoder().decode(bytes));
      await writeJson(join(path, name), { ...rest, model_max_length: maxSeqLength });
    }
  }
}

/**
 * Makes a folder that appears under its name whole or not at all: `write` fills a temporary one beside it. One that was
 * there is replaced, and comes back if that fails.
 */
export async function replaceFolder(to: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const path = resolve(to); // without a slash at the end: the temporary folder must stand beside it
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(temporary, { recursive: true });
  try {
    await write(temporary);
  } catch (error) {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
    throw error;
  }
  const old = `${path}.${crypto.randomUUID()}.old`;
  const replaced = await Deno.rename(path, old).then(() => true, () => false);
  try {
    await Deno.rename(temporary, path);
  } catch (error) {
    if (replaced) await Deno.rename(old, path);
    await Deno.remove(temporary, { recursive: true });
    throw error;
  }
  if (replaced) await Deno.remove(old, { recursive: true });
}
