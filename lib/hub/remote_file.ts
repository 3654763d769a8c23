/**
 * What a file of the hub must be, and whether one on disk is that.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";

/** What a file must be. */
export interface RemoteFile {
  /** Its path in the repository. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its name among the blobs: sha256 of a large file, git's sha1 of a small one. */
  readonly hash: string;
  /** Which of the two. */
  readonly algorithm: "sha256" | "git-sha1";
}

/** The hash of an open file, from its first byte to its last. */
export async function hashOf(file: Deno.FsFile, algorithm: RemoteFile["algorithm"]): Promise<string> {
  const { size } = await file.stat();
  let hash: Hash;
  if (algorithm === "sha256") hash = createHash("sha256");
  else {
    hash = createHash("sha1");
    hash.update(`blob ${size}\0`); // how git names its blobs
  }
  await file.seek(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1 << 20);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

/** Files that were read to their end in this process, by what would change with their bytes. */
const believed = new Set<string>();

/**
 * Whether a file on disk has the size and the hash that it must have. Its bytes are read the first time only. A link is not
 * followed, wherever it leads: what others may write to may also point anywhere.
 */
export async function isWhole(path: string, { size, hash, algorithm }: RemoteFile): Promise<boolean> {
  try {
    const found = await Deno.lstat(path);
    if (!found.isFile || found.size !== size) return false;
    using file = await Deno.open(path);
    const opened = await file.stat();
    if (opened.ino !== found.ino || opened.dev !== found.dev) return false;
    const state = JSON.stringify([path, hash, opened.dev, opened.ino, opened.mtime, opened.ctime]);
    if (believed.has(state)) return true;
    if (await hashOf(file, algorithm) !== hash) return false;
    believed.add(state);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Opens a file for writing where it is a file of its own: no link, soft or hard, to another. */
export async function openOwn(path: string): Promise<Deno.FsFile | undefined> {
  const found = await Deno.lstat(path);
  if (!found.isFile || (found.nlink ?? 1) > 1) return undefined;
  const file = await Deno.open(path, { read: true, write: true });
  const opened = await file.stat();
  if (opened.ino === found.ino && opened.dev === found.dev) return file;
  file.close();
  return undefined;
}
