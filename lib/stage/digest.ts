/**
 * Hashes of files, and when a hash that was taken earlier still holds.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join, relative, resolve, sep } from "node:path";

/**
 * All files below a folder, sorted, behind links as well; a link to a folder that it stands in leads nowhere.
 *
 * @param folder Any folder.
 * @returns Paths that begin with the folder's.
 */
export async function filesOf(folder: string): Promise<string[]> {
  return (await filesBelow(folder, [])).sort();
}

/** `within`: the folders on the way, as the system numbers them. */
async function filesBelow(folder: string, within: readonly string[]): Promise<string[]> {
  const { dev, ino } = await Deno.stat(folder);
  const number = `${dev} ${ino ?? folder}`;
  if (within.includes(number)) return [];
  const files: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory || (isSymlink && await isFolder(path))) files.push(...await filesBelow(path, [...within, number]));
    else files.push(path);
  }
  return files;
}

const isFolder = (path: string) => Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);

/** Size and sha256 of a file, read in pieces. */
export async function digest(path: string): Promise<{ size: number; sha256: string }> {
  using file = await Deno.open(path);
  return await digestOf(file);
}

/** The same of a file that is open, and makes sure that it is on the disk. */
export async function digestToDisk(path: string): Promise<{ size: number; sha256: string }> {
  using file = await Deno.open(path, { read: true, write: true });
  const taken = await digestOf(file);
  await file.sync();
  return taken;
}

async function digestOf(file: Deno.FsFile): Promise<{ size: number; sha256: string }> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(1 << 20);
  let size = 0;
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
    size += count;
  }
  return { size, sha256: hash.digest("hex") };
}

/** Changes of a file that leave all of this as it was happen only behind the system's back. */
export interface Fingerprint {
  /** Of all that the system knows of the file: device, inode, size, times of change. */
  readonly text: string;
  /** When the file or what is known of it last changed, in milliseconds; undefined where the system does not say. */
  readonly changed: number | undefined;
}

/** What tells a file from another one, and from what it was before. */
export async function fingerprint(path: string): Promise<Fingerprint> {
  const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
  const text = [dev, ino, size, mtime?.getTime(), ctime?.getTime()].join();
  return { text, changed: ino === null ? undefined : ctime?.getTime() };
}

/** Smaller files are read faster than remembered. */
const REMEMBERED = 4 << 20;
/** A file that changed so shortly ago might change again within the same tick of the clock. */
const SETTLED = 2000;

/**
 * The key of files that no stage made: the hash of their bytes. Hashes of large files are remembered in the cache, with
 * all that the system knows of the file: a time of change that was set back is seen.
 *
 * @param cacheFolder Where hashes are remembered.
 * @param paths Files, and folders with all that is in them.
 * @returns The key.
 */
export async function keyOfFiles(cacheFolder: string, paths: readonly string[]): Promise<string> {
  const memory = join(cacheFolder, "files");
  const hash = createHash("sha256");
  for (const path of paths) {
    const { isDirectory } = await Deno.stat(path);
    for (const file of isDirectory ? await filesOf(path) : [path]) {
      hash.update(
        `${isDirectory ? relative(path, file).replaceAll(sep, "/") : ""}\0${await rememberedDigest(memory, file)}\0`,
      );
    }
  }
  return hash.digest("hex");
}

async function rememberedDigest(memory: string, file: string): Promise<string> {
  const before = await fingerprint(file);
  const settled = before.changed !== undefined && Date.now() - before.changed > SETTLED;
  if (!settled || (await Deno.stat(file)).size < REMEMBERED) return (await digest(file)).sha256;
  const name = createHash("sha256").update(`${resolve(file)}\0${before.text}`).digest("hex");
  const known = await Deno.readTextFile(join(memory, name)).catch(() => "");
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const { sha256 } = await digest(file);
  if ((await fingerprint(file)).text !== before.text) return sha256;
  await Deno.mkdir(memory, { recursive: true });
  const temporary = join(memory, `${name}.${crypto.randomUUID()}.tmp`);
  await Deno.writeTextFile(temporary, sha256);
  await Deno.rename(temporary, join(memory, name));
  return sha256;
}
