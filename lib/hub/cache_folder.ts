/**
 * The folder that Python's huggingface_hub and Kindred share:
 * `models--owner--name/{refs/main, snapshots/<commit>/<file> → ../../blobs/<hash>, blobs/<hash>}`.
 *
 * @module
 */
import { basename, dirname, join, relative } from "node:path";
import { HubError } from "../error.ts";
import { isWhole, type RemoteFile } from "./remote_file.ts";

/** A repository at a revision. */
export interface RepoRef {
  /** Models and datasets have folders and addresses of their own. */
  readonly kind: "model" | "dataset";
  /** `owner/name`, or the bare name of a canonical repository. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const COMMIT = /^[0-9a-f]{40}$/;

/** Whether this names a commit, and no branch or tag. */
function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/** The repository's folder in the cache. */
export function repoFolder(cache: string, { kind, id, revision }: RepoRef): string {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id) || id.includes("..")) {
    throw new HubError("not a repository name", { expected: "owner/name", found: id });
  }
  if (!/^[^/\\\0]+(\/[^/\\\0]+)*$/.test(revision) || revision.split("/").some((part) => /^\.\.?$/.test(part))) {
    throw new HubError("not a revision", { expected: "a branch, a tag or a commit", found: JSON.stringify(revision) });
  }
  return join(cache, `${kind}s--${id.replace("/", "--")}`);
}

/** The commit that the cache knows for a revision; undefined if there is none. */
export async function cachedCommit(folder: string, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return await isFolder(join(folder, "snapshots", revision)) ? revision : undefined;
  try {
    const commit = (await Deno.readTextFile(join(folder, "refs", revision))).trim();
    return isCommit(commit) ? commit : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Remembers which commit a branch or tag stood at, unless that is remembered already. In a cache that may only be read it
 * is not: the files are there all the same.
 */
export async function writeRef(folder: string, revision: string, commit: string): Promise<void> {
  if (revision === commit || await cachedCommit(folder, revision) === commit) return;
  const path = join(folder, "refs", revision);
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    await replace(path, (temporary) => Deno.writeTextFile(temporary, commit));
  } catch (error) {
    if (!isReadOnly(error)) throw error;
  }
}

/** The names of all files of a snapshot, with slashes, sorted; undefined if the snapshot is not there. */
export async function snapshotFiles(snapshot: string): Promise<string[] | undefined> {
  if (!await isFolder(snapshot)) return undefined;
  const files: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) await walk(path);
      else files.push(relative(snapshot, path).replaceAll("\\", "/"));
    }
  };
  await walk(snapshot);
  return files.sort();
}

/** Where a file of a snapshot stands. */
export function snapshotPath(folder: string, commit: string, file: string): string {
  return join(folder, "snapshots", commit, ...file.split("/"));
}

/**
 * Whether a file of a snapshot is there and is what it must be: a link to its blob, or, as on Windows, where links are not
 * allowed, the file itself.
 */
export async function isPresent(folder: string, commit: string, file: RemoteFile): Promise<boolean> {
  const path = snapshotPath(folder, commit, file.path);
  const blob = join(folder, "blobs", file.hash);
  try {
    if (!(await Deno.lstat(path)).isSymlink) return await isWhole(path, file);
    return await Deno.realPath(path) === await Deno.realPath(blob) && await isWhole(blob, file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNotAFolder(error)) return false;
    throw error;
  }
}

/**
 * Makes `snapshots/<commit>/<file>` point to its blob. Where links are not allowed (Windows) the file itself goes there: a
 * blob that has just arrived is moved, as Python does, so that nothing is stored twice; an older one may have other users.
 */
export async function linkBlob(folder: string, commit: string, file: RemoteFile, isNew: boolean): Promise<void> {
  const pointer = snapshotPath(folder, commit, file.path);
  const blob = join(folder, "blobs", file.hash);
  await writing(folder, async () => {
    await Deno.mkdir(dirname(pointer), { recursive: true });
    await replace(pointer, async (temporary) => {
      try {
        await Deno.symlink(relative(dirname(pointer), blob), temporary);
      } catch {
        await (isNew ? Deno.rename(blob, temporary) : Deno.copyFile(blob, temporary));
      }
    });
  });
}

/** Gives a file its contents at once or not at all. */
async function replace(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  await write(temporary);
  await Deno.rename(temporary, path);
}

/**
 * Takes the lock that huggingface_hub takes while it downloads a blob; the kernel lets go of it when the process ends.
 * `pause` waits between attempts.
 */
export async function lockBlob(
  folder: string,
  hash: string,
  pause: (milliseconds: number) => Promise<void>,
): Promise<Disposable> {
  const path = join(dirname(folder), ".locks", basename(folder), `${hash}.lock`);
  const file = await writing(folder, async () => {
    await Deno.mkdir(dirname(path), { recursive: true });
    return await Deno.open(path, { read: true, write: true, create: true });
  });
  try {
    for (let wait = 10; !await file.tryLock(true); wait = Math.min(2 * wait, 500)) await pause(wait);
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() };
}

/** Writes to the cache; where that is not allowed, or there is no room, the error says so. */
export async function writing<A>(folder: string, work: () => Promise<A>): Promise<A> {
  try {
    return await work();
  } catch (error) {
    if (!isReadOnly(error) && !isFull(error)) throw error;
    throw new HubError("the hub's cache cannot be written, and not all is there", {
      where: folder,
      found: (error as Error).message,
      hint: isFull(error) ? "make room on that disk" : "name another folder by HF_HUB_CACHE",
      cause: error,
    });
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Deno.errors.PermissionDenied || codeOf(error) === "EROFS";
}

function isFull(error: unknown): boolean {
  return codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT";
}

function isNotAFolder(error: unknown): boolean {
  return error instanceof Deno.errors.NotADirectory || codeOf(error) === "ENOTDIR";
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Whether there is a folder at this path. */
async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
