/**
 * Stages and their cache: a stage is done once for each key, and its result is a folder that other tools can read.
 *
 * `<cache>/<2 digits>/<key>/{manifest.json, …}`; a key is the hash of everything the result depends on. A folder gets its
 * name only when it is complete; a lock that dies with its process lets one writer at a time work on a key.
 *
 * @module
 */
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { dirname, join, relative, resolve } from "node:path";
import { attempt } from "../attempt.ts";
import { CacheError, type KindredError } from "../error.ts";
import type { Json, Task } from "./key.ts";

/** The result of a task: a folder. */
export interface Stored {
  /** Hash of everything it depends on. */
  readonly key: string;
  /** Where its files are. */
  readonly folder: string;
  /** Whether it was there already. */
  readonly cached: boolean;
  /** Seconds that making it took, then or now. */
  readonly seconds: number;
}

/** What `manifest.json` holds. */
export interface Manifest {
  /** The key. */
  readonly key: string;
  /** `name@version` */
  readonly stage: string;
  /** The task's settings. */
  readonly parameters: Json;
  /** How it was done; another way would have given the same. */
  readonly how?: Json;
  /** The task's inputs. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What computed it. */
  readonly computes?: Json | undefined;
  /** Every file, its size and sha256. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  /** When it was made. */
  readonly created: string;
  /** How long that took. */
  readonly seconds: number;
}

/** Where the artifact of a key lies. */
export function placeOf(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), key);
}

/** The result of a task: found, or made by `body` in the scratch folder it is given. */
export const findOrMake: <E, R>(
  folder: string,
  task: Task,
  warn: (message: string) => void,
  body: (scratch: string) => Effect.Effect<void, E, R>,
) => Effect.Effect<Stored, E | KindredError, R> = Effect.fnUntraced(function* (folder, task, warn, body) {
  const { key } = task;
  const place = placeOf(folder, key);
  const found = yield* attempt(() => readStored(place, warn));
  if (found !== undefined) return found;
  yield* attempt(() => makeFolder(dirname(place)));
  return yield* Effect.acquireUseRelease(
    attempt(() => lock(`${place}.lock`)),
    () =>
      Effect.gen(function* () {
        // Another process may have made it while this one waited.
        const late = yield* attempt(() => readStored(place, warn));
        if (late !== undefined) return late;
        const scratch = `${place}.scratch`;
        yield* attempt(() => makeFolder(scratch));
        const started = performance.now();
        yield* body(scratch);
        const seconds = (performance.now() - started) / 1000;
        yield* attempt(() => complete(task, scratch, place, seconds));
        return { key, folder: place, cached: false, seconds };
      }),
    (file) => Effect.sync(() => file.close()),
  );
});

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw new CacheError("the cache cannot be written", {
      where: path,
      found: (error as Error).message,
      hint: "name another folder with --cache-dir, or use --no-cache",
      cause: error,
    });
  }
}

async function lock(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, write: true });
  await file.lock(true); // the kernel lets go of it when the process ends, however it ends
  return file;
}

/** The lock of a key if nobody holds it. */
export async function tryLock(path: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(path, { create: true, write: true });
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
}

/** Writes the manifest, forces all to disk, and gives the folder its name. */
async function complete(task: Task, scratch: string, target: string, seconds: number): Promise<void> {
  const files: { path: string; size: number; sha256: string }[] = [];
  for (const path of await filesOf(scratch)) {
    const { size, sha256 } = await digest(path);
    files.push({ path: relative(scratch, path).replaceAll("\\", "/"), size, sha256 });
  }
  const manifest: Manifest = {
    ...task,
    files,
    created: new Date().toISOString(),
    seconds,
  };
  {
    using file = await Deno.create(join(scratch, "manifest.json"));
    await file.write(new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n"));
    await file.sync();
  }
  await Deno.rename(scratch, target);
}

/** The artifact if it is whole; a torn or damaged one is put away, with a warning, and counts as absent. */
async function readStored(folder: string, warn: (message: string) => void): Promise<Stored | undefined> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, "manifest.json"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      const half = await Deno.stat(folder).then(() => true, () => false);
      if (!half) return undefined;
      return await putAway(folder, "it has no manifest", warn);
    }
    return await putAway(folder, (error as Error).message, warn);
  }
  const fault = await faultOf(folder, text);
  if (fault !== undefined) return await putAway(folder, fault, warn);
  const { key, seconds } = JSON.parse(text) as Manifest;
  return { key, folder, cached: true, seconds };
}

const verified = new Set<string>();
/** Larger files are checked by size alone; `kindred cache verify` reads them whole. */
const READ_WHOLE = 64 << 20;

/** What is wrong with an artifact, if anything. */
export async function faultOf(folder: string, manifestText: string, everything = false): Promise<string | undefined> {
  let manifest: Manifest;
  try {
    manifest = JSON.parse(manifestText);
    if (!Array.isArray(manifest.files)) return "its manifest is damaged";
  } catch {
    return "its manifest is damaged";
  }
  if (verified.has(folder) && !everything) return undefined;
  for (const { path, size, sha256 } of manifest.files) {
    try {
      const file = join(folder, path);
      if ((await Deno.stat(file)).size !== size) return `${path} has another size`;
      if ((everything || size <= READ_WHOLE) && (await digest(file)).sha256 !== sha256) {
        return `${path} has another checksum`;
      }
    } catch (error) {
      return `${path}: ${(error as Error).message}`;
    }
  }
  verified.add(folder);
  return undefined;
}

async function putAway(folder: string, why: string, warn: (message: string) => void): Promise<undefined> {
  warn(`a cache entry is damaged and will be made anew: ${why} (${folder})`);
  await Deno.rename(folder, `${folder}.damaged-${crypto.randomUUID()}`).catch(() => {});
  return undefined;
}

/** All files below a folder, sorted. */
export async function filesOf(folder: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) files.push(...await filesOf(join(folder, name)));
    else files.push(join(folder, name));
  }
  return files.sort();
}

/** Size and sha256 of a file, read in pieces. */
export async function digest(path: string): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(1 << 20);
  let size = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
    size += count;
  }
  return { size, sha256: hash.digest("hex") };
}

/**
 * The key of files that no stage made: the hash of their bytes. Hashes are remembered in the cache by path, size and time
 * of change, so that large files are not read again on every run.
 */
export async function keyOfFiles(cacheFolder: string, paths: readonly string[]): Promise<string> {
  const memory = join(cacheFolder, "files");
  const hash = createHash("sha256");
  for (const path of paths) {
    const { isDirectory } = await Deno.stat(path);
    for (const file of isDirectory ? await filesOf(path) : [path]) {
      hash.update(`${isDirectory ? relative(path, file) : ""}\0${await rememberedDigest(memory, file)}\0`);
    }
  }
  return hash.digest("hex");
}

/** Smaller files are read faster than remembered. */
const REMEMBERED = 4 << 20;

async function rememberedDigest(memory: string, file: string): Promise<string> {
  const { size, mtime } = await Deno.stat(file);
  if (size < REMEMBERED) return (await digest(file)).sha256;
  const name = createHash("sha256").update(`${resolve(file)}\0${size}\0${mtime?.getTime()}`).digest("hex");
  const known = await Deno.readTextFile(join(memory, name)).catch(() => "");
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const { sha256 } = await digest(file);
  await makeFolder(memory);
  await Deno.writeTextFile(join(memory, name), sha256);
  return sha256;
}
