/**
 * Looking after the cache: what is in it, whether it is whole, and removing what is old.
 *
 * @module
 */
import { basename, join } from "node:path";
import { counted } from "../counted.ts";
import { countAnswers } from "../generate/answer_file.ts";
import { answersFolder } from "./cache.ts";
import { filesOf } from "./digest.ts";
import { tryLock } from "./locks.ts";
import { parseManifest, readManifest } from "./manifest.ts";

/** An entry of the cache. */
export interface CacheEntry {
  /** Its key. */
  readonly key: string;
  /**
   * `name@version` of the stage that made it; "unfinished" for the scratch of a run that was cut off, "damaged" for what
   * has no manifest or was put away, "answers" for those of a language model.
   */
  readonly stage: string;
  /** Bytes. */
  readonly size: number;
  /** When it was made; of answers, when the last one came. */
  readonly created: string;
  /** Its folder; of answers, their file. */
  readonly folder: string;
}

/** The name of an entry: its key, and what became of it. */
const NAME = /^([0-9a-f]{64})(|\.scratch|\.(?:damaged|removed)-[0-9a-f-]+)$/;

/**
 * All entries, oldest first. What is no entry is passed over.
 *
 * @param cache The folder of the cache.
 * @returns What was made, by which stage, when, how large.
 */
export async function listEntries(cache: string): Promise<readonly CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const prefix of await namesOf(cache)) {
    if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
    for (const name of await namesOf(join(cache, prefix))) {
      const [, key, state] = NAME.exec(name) ?? [];
      const entry = key && await entryOf(join(cache, prefix, name), key, state!);
      if (entry) entries.push(entry);
    }
  }
  entries.push(...await answersOf(cache));
  return entries.sort((a, b) => a.created < b.created ? -1 : 1);
}

/** An entry; undefined if it is no folder, or gone by now. */
async function entryOf(folder: string, key: string, state: string): Promise<CacheEntry | undefined> {
  const info = await Deno.lstat(folder).catch(() => undefined);
  if (info?.isDirectory !== true) return undefined;
  const text = await Deno.readTextFile(join(folder, "manifest.json")).catch(() => "");
  const manifest = state === "" ? parseManifest(text) : undefined;
  return {
    key,
    stage: state === ".scratch" ? "unfinished" : manifest?.stage ?? "damaged",
    size: await sizeOf(folder),
    created: manifest?.created ?? (info.mtime ?? new Date(0)).toISOString(),
    folder,
  };
}

/** Files of answers. */
async function answersOf(cache: string): Promise<CacheEntry[]> {
  const entries: CacheEntry[] = [];
  for (const name of await namesOf(answersFolder(cache))) {
    const [, key] = /^([0-9a-f]{64})\.jsonl$/.exec(name) ?? [];
    const path = join(answersFolder(cache), name);
    const info = key && await Deno.lstat(path).catch(() => undefined);
    if (!key || !info || !info.isFile) continue;
    const created = (info.mtime ?? new Date(0)).toISOString();
    entries.push({ key, stage: "answers", size: info.size, created, folder: path });
  }
  return entries;
}

/** What {@linkcode verifyEntries} found. */
export interface Verification {
  /** Entries that were read. */
  readonly checked: number;
  /** Those that a run would make anew. */
  readonly damaged: readonly { readonly key: string; readonly fault: string }[];
}

/**
 * Reads every byte of every entry.
 *
 * @param cache The folder of the cache.
 * @returns Which entries are whole, and which are not.
 */
export async function verifyEntries(cache: string): Promise<Verification> {
  const damaged: { key: string; fault: string }[] = [];
  let checked = 0;
  for (const { key, stage, folder } of await listEntries(cache)) {
    if (stage === "unfinished") continue;
    const read = stage === "answers"
      ? await readAnswerLines(folder)
      : basename(folder) === key
      ? await readManifest(folder, key, true)
      : { fault: "put away by an earlier run" };
    const isGone = await Deno.lstat(folder).then(() => false, () => true);
    if (isGone) continue; // pruned, or put away, in between
    checked++;
    if ("fault" in read) damaged.push({ key, fault: read.fault });
  }
  return { checked, damaged };
}

/** Whether every line of a file of answers is one. The others are passed over by a run, and asked again. */
async function readAnswerLines(path: string): Promise<{ readonly fault: string } | { readonly whole: true }> {
  const { count, others } = await countAnswers(path).catch(() => ({ count: 0, others: 1 }));
  return others === 0
    ? { whole: true }
    : { fault: `${others} of ${counted(count + others, "line")} of answers cannot be read` };
}

/** What {@linkcode pruneEntries} removes. */
export interface PruneOptions {
  /** Entries made longer ago than this. */
  readonly olderThanDays?: number | undefined;
  /** The oldest entries, until the rest is no larger. */
  readonly maxMegabytes?: number | undefined;
}

/**
 * Removes entries; one that a living run works on, has read or has made stays.
 *
 * @param cache The folder of the cache.
 * @param options How old an entry may be, and how large all of them together.
 * @returns How many were removed, and how many bytes.
 */
export async function pruneEntries(
  cache: string,
  options: PruneOptions,
): Promise<{ readonly removed: number; readonly freed: number }> {
  const { olderThanDays = Infinity, maxMegabytes = Infinity } = options;
  const entries = await listEntries(cache);
  const limit = Date.now() - olderThanDays * 86_400_000;
  let left = entries.reduce((sum, { size }) => sum + size, 0);
  let [removed, freed] = [0, 0];
  for (const { key, folder, size, created } of entries) {
    if (Date.parse(created) >= limit && left <= maxMegabytes * 1e6) continue;
    if (!await removeUnused(join(folder, "..", key), folder)) continue;
    left -= size;
    freed += size;
    removed++;
  }
  return { removed, freed };
}

/** Removes a folder of an entry if nobody makes or uses the entry. */
async function removeUnused(place: string, folder: string): Promise<boolean> {
  using lock = await tryLock(`${place}.lock`);
  using use = lock && await tryLock(`${place}.use`);
  if (use === undefined) return false;
  // Away at once: a run that is cut off while it removes leaves nothing that looks like an entry.
  const away = `${place}.removed-${crypto.randomUUID()}`;
  try {
    await Deno.rename(folder, away);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  await Deno.remove(away, { recursive: true });
  return true;
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
  for (const file of await filesOf(folder).catch(() => [])) {
    size += await Deno.lstat(file).then((info) => info.size, () => 0);
  }
  return size;
}
