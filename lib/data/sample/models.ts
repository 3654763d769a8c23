/**
 * The sample's models. They come along as code, over HTTP and in a bundle, and are laid down as folders where they are
 * asked for.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { defaultCacheFolder } from "../../environment.ts";

/** Options of {@linkcode sampleBaseModel} and {@linkcode samplePairModel}. */
export interface SampleModelOptions {
  /** The cache in which the folder is laid down. Default: the user's cache folder, `kindred/`. */
  readonly cacheDir?: string | undefined;
}

/**
 * Folder of the tiny BERT that the sample starts from, pretrained on the sample's own texts:
 * `deno run -A pipelines/masked_language_model.ts` makes such a one, as `kindred/masked_language_model/model`.
 *
 * @param options In which cache it is laid down.
 * @returns The folder, in the cache; its files are verified each time.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 *
 * const { hidden_size } = JSON.parse(await Deno.readTextFile(`${await sampleBaseModel()}/config.json`));
 * assert.equal(hidden_size, 128);
 * ```
 */
export async function sampleBaseModel(options: SampleModelOptions = {}): Promise<string> {
  return await layDown("base", (await import("./base_model.ts")).FILES, options);
}

/**
 * Folder of the tiny BERT that the sample's cross-encoders start from. It has read two sentences at once, as BERT had: it was
 * pretrained on stories that are told twice, by masked tokens first, by next-sentence prediction then. It has never seen an
 * NLI label. `deno task make:pair-model` makes it.
 *
 * @param options In which cache it is laid down.
 * @returns The folder, in the cache; its files are verified each time.
 */
export async function samplePairModel(options: SampleModelOptions = {}): Promise<string> {
  return await layDown("pair", (await import("./pair_model.ts")).FILES, options);
}

type Files = ReadonlyMap<string, Uint8Array>;

/** Lays files down as a folder that is named by what is in it, unless it is there and whole. */
async function layDown(
  name: string,
  packed: Readonly<Record<string, string>>,
  { cacheDir = defaultCacheFolder() }: SampleModelOptions,
): Promise<string> {
  const files: Files = new Map(
    Object.entries(packed).map(([file, text]) => [file, gunzipSync(Uint8Array.fromBase64(text))]),
  );
  const hash = createHash("sha256");
  for (const [file, bytes] of files) hash.update(`${file}\0${bytes.length}\0`).update(bytes);
  const parent = join(cacheDir, "sample");
  const folder = join(parent, `${name}-${hash.digest("hex").slice(0, 16)}`);
  if (await holds(folder, files)) return folder;
  await Deno.mkdir(parent, { recursive: true });
  const temporary = await Deno.makeTempDir({ dir: parent, prefix: `${name}-`, suffix: ".tmp" });
  try {
    for (const [file, bytes] of files) await Deno.writeFile(join(temporary, file), bytes);
    await takePlace(temporary, folder, files);
  } finally {
    await Deno.remove(temporary, { recursive: true }).catch(() => {});
  }
  return folder;
}

/** Gives a folder its name. Another process may have been faster; a damaged one makes room. */
async function takePlace(temporary: string, folder: string, files: Files): Promise<void> {
  const moved = () => Deno.rename(temporary, folder).then(() => true, () => false);
  if (await moved() || await holds(folder, files)) return;
  const damaged = `${folder}.${crypto.randomUUID()}.tmp`;
  await Deno.rename(folder, damaged).catch(() => {}); // or another process has put it away
  if (!await moved() && !await holds(folder, files)) await Deno.rename(temporary, folder); // fails with the reason
  await Deno.remove(damaged, { recursive: true }).catch(() => {});
}

/** Whether a folder holds these files, byte for byte. */
async function holds(folder: string, files: Files): Promise<boolean> {
  for (const [file, bytes] of files) {
    const found = await Deno.readFile(join(folder, file)).catch((error) => {
      if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
      throw error;
    });
    if (found === undefined || !Buffer.from(bytes).equals(found)) return false;
  }
  return true;
}
