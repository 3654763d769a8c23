/**
 * The folder that Python's huggingface_hub and Kindred share:
 * `models--owner--name/{refs/main, snapshots/<commit>/<file> → ../../blobs/<hash>, blobs/<hash>}`.
 *
 * @module
 */
import { basename, dirname, join, relative } from "node:path";
import { HubError } from "../error.ts";

/** A repository at a revision. */
export interface RepoRef {
  /** Models and datasets have folders and addresses of their own. */
  readonly kind: "model" | "dataset";
  /** `owner/name`, or the bare name of a canonical repository. */
  readonly id: string;
  /** Branch, tag or commit. */
  readonly revision: string;
}

/** The repository's folder in the cache. */
export function repoFolder(cache: string, { kind, id }: RepoRef): string {
  if (!/^[\w.-]+(\/[\w.-]+)?$/.test(id) || id.includes("..")) {
    throw new HubError("not a repository name", { expected: "owner/name", found: id });
  }
  return join(cache, `${kind}s--${id.replace("/", "--")}`);
}

/** The commit that the cache knows for a revision; undefined if there is none. */
export async function cachedCommit(folder: string, revision: string): Promise<string | undefined> {
  if (/^[0-9a-f]{40}$/.test(revision)) {
    return await isFolder(join(folder, "snapshots", revision)) ? revision : undefined;
  }
  try {
    return (await Deno.readTextFile(join(folder, "refs", revision))).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Remembers which commit a branch or tag stood at. */
export async function writeRef(folder: string, revision: string, commit: string): Promise<void> {
  if (revision === commit) return;
  const path = join(folder, "refs", revision);
  await Deno.mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, commit);
  await Deno.rename(temporary, path);
}

/** All files of a snapshot, with slashes, sorted; undefined if the snapshot is not there. */
export async function snapshotFiles(snapshot: string): Promise<string[] | undefined> {
  if (!await isFolder(snapshot)) return undefined;
  const files: string[] = [];
  const walk = async (folder: string) => {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if ((await Deno.stat(path)).isDirectory) await walk(path);
      else files.push(relative(snapshot, path).replaceAll("\\", "/"));
    }
  };
  await walk(snapshot);
  return files.sort();
}

/** Makes `snapshots/<commit>/<file>` point to a blob; a copy where links are not allowed (Windows). */
export async function linkBlob(folder: string, commit: string, file: string, blob: string): Promise<void> {
  const pointer = join(folder, "snapshots", commit, ...file.split("/"));
  await Deno.mkdir(dirname(pointer), { recursive: true });
  const target = join(folder, "blobs", blob);
  const temporary = `${pointer}.${crypto.randomUUID()}`;
  try {
    await Deno.symlink(relative(dirname(pointer), target), temporary);
  } catch {
    await Deno.copyFile(target, temporary);
  }
  await Deno.rename(temporary, pointer);
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
  await Deno.mkdir(dirname(path), { recursive: true });
  const file = await Deno.open(path, { read: true, write: true, create: true });
  try {
    for (let wait = 10; !await file.tryLock(true); wait = Math.min(2 * wait, 500)) await pause(wait);
  } catch (error) {
    file.close();
    throw error;
  }
  return { [Symbol.dispose]: () => file.close() };
}

/** Whether there is a folder at this path. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
