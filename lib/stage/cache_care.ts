/**
 * Looking after the cache: what is in it, whether it is whole, and removing what is old.
 *
 * @module
 */
import { join } from "node:path";
import { faultOf, filesOf, type Manifest, tryLock } from "./cache.ts";

/** An entry of the cache. */
export interface CacheEntry {
  /** Its key. */
  readonly key: string;
  /** `name@version` of the stage that made it; "unfinished" for the scratch of a run that was cut off. */
  readonly stage: string;
  /** Bytes. */
  readonly size: number;
  /** When it was made. */
  readonly created: string;
  /** Its folder. */
  readonly folder: string;
}

/** All entries, oldest first. */
export async function listEntries(cache: string): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const prefix of await namesOf(cache)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of await namesOf(join(cache, prefix))) {
      if (name.endsWith(".lock")) continue;
      const folder = join(cache, prefix, name);
      const size = await sizeOf(folder);
      const manifest = await readManifest(folder);
      const created = manifest?.created ?? (await Deno.stat(folder)).mtime?.toISOString() ?? "";
      const stage = manifest?.stage ?? (name.includes(".damaged-") ? "damaged" : "unfinished");
      entries.push({ key: manifest?.key ?? name, stage, size, created, folder });
    }
  }
  return entries.sort((a, b) => a.created < b.created ? -1 : 1);
}

/** Reads every byte of every entry. */
export async function verifyEntries(
  cache: string,
): Promise<
  { readonly checked: number; readonly damaged: readonly { readonly key: string; readonly fault: string }[] }
> {
  const damaged: { key: string; fault: string }[] = [];
  let checked = 0;
  for (const { key, stage, folder } of await listEntries(cache)) {
    if (stage === "unfinished") continue;
    checked++;
    const fault = stage === "damaged"
      ? "put away by an earlier run"
      : await faultOf(folder, await Deno.readTextFile(join(folder, "manifest.json")), true);
    if (fault !== undefined) damaged.push({ key, fault });
  }
  return { checked, damaged };
}

/** What {@linkcode pruneEntries} removes. */
export interface PruneOptions {
  /** Entries made longer ago than this. */
  readonly olderThanDays?: number | undefined;
  /** The oldest entries, until the rest is no larger. */
  readonly maxMegabytes?: number | undefined;
}

/** Removes entries; one that another process is working on stays. */
export async function pruneEntries(
  cache: string,
  { olderThanDays = Infinity, maxMegabytes = Infinity }: PruneOptions,
): Promise<{ readonly removed: number; readonly freed: number }> {
  const entries = await listEntries(cache);
  const limit = Date.now() - olderThanDays * 86_400_000;
  let left = entries.reduce((sum, { size }) => sum + size, 0);
  let [removed, freed] = [0, 0];
  for (const { folder, size, created } of entries) {
    if (Date.parse(created) >= limit && left <= maxMegabytes * 1e6) continue;
    const lock = await tryLock(`${folder.replace(/\.(scratch|damaged-.*)$/, "")}.lock`);
    if (lock === undefined) continue;
    try {
      await Deno.remove(folder, { recursive: true });
    } finally {
      lock.close();
    }
    left -= size;
    freed += size;
    removed++;
  }
  return { removed, freed };
}

async function namesOf(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name).catch((error) => {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return [];
    throw error;
  });
  return names.sort();
}

async function sizeOf(folder: string): Promise<number> {
  let size = 0;
  for (const file of await filesOf(folder)) size += (await Deno.stat(file)).size;
  return size;
}

async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(join(folder, "manifest.json")));
  } catch {
    return undefined;
  }
}
