/**
 * The cache of stages: a stage is done once for each key, and its result is a folder that other tools can read.
 *
 * `<cache>/<2 digits>/<key>/{manifest.json, …}`; a key is the hash of everything the result depends on. A folder gets its
 * name only when it is complete, and is read whole before it is first used; one writer at a time works on a key.
 * `<cache>/answers/` holds what language models have answered.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { dirname, join } from "node:path";
import { attempt } from "../attempt.ts";
import { CacheError, type KindredError } from "../error.ts";
import type { Task } from "./key.ts";
import { shareLock, withLock } from "./locks.ts";
import { readManifest, writeManifest } from "./manifest.ts";
import { emit, type Progress } from "./progress.ts";

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

/** A cache as one run sees it: what the run has read or made is not pruned until its scope closes or its process ends. */
export interface StageCache {
  /** Where it lies. */
  readonly folder: string;
  /** The result of a task: found, or made by `body` in the scratch folder it is given. */
  readonly findOrMake: <E, R>(
    task: Task,
    body: (scratch: string) => Effect.Effect<void, E, R>,
  ) => Effect.Effect<Stored, E | KindredError, R | Progress>;
}

/** Where the artifact of a key lies. */
export function placeOf(folder: string, key: string): string {
  return join(folder, key.slice(0, 2), key);
}

/** Where answers of language models lie, one file for each model of each endpoint; no result is made of them alone. */
export function answersFolder(folder: string): string {
  return join(folder, "answers");
}

/**
 * Opens a cache for a run.
 *
 * @param folder Where it lies, or shall lie.
 * @returns The cache; what it holds is let go of with the scope.
 */
export const openCache: (folder: string) => Effect.Effect<StageCache, never, Scope.Scope> = Effect.fnUntraced(
  function* (folder) {
    const held = yield* Effect.acquireRelease(
      Effect.sync(() => new Map<string, Deno.FsFile>()),
      (files) => Effect.sync(() => files.forEach((file) => file.close())),
    );
    /** Held before it is looked for: what is found is not pruned between. */
    const hold = async (place: string) => {
      if (held.has(place)) return;
      const file = await makeFolder(dirname(place)).then(() => shareLock(`${place}.use`)).catch((error) => {
        if (error instanceof Deno.errors.NotCapable) throw error;
        return undefined; // a cache that can only be read: nobody prunes it
      });
      if (file === undefined) return;
      if (held.has(place)) file.close();
      else held.set(place, file);
    };
    return {
      folder,
      findOrMake: Effect.fnUntraced(function* (task, body) {
        const { key, stage } = task;
        const place = placeOf(folder, key);
        yield* Effect.uninterruptible(attempt(() => hold(place)));
        const found = yield* find(place, key);
        if (found !== undefined) return found;
        yield* attempt(() => makeFolder(dirname(place)));
        return yield* withLock(
          `${place}.lock`,
          stage,
          Effect.gen(function* () {
            // Another process may have made it while this one waited.
            const late = yield* find(place, key);
            if (late !== undefined) return late;
            const scratch = `${place}.scratch`;
            yield* attempt(() => makeFolder(scratch));
            const started = performance.now();
            yield* body(scratch);
            const seconds = (performance.now() - started) / 1000;
            yield* attempt(async () => {
              await writeManifest(scratch, task, seconds);
              await Deno.rename(scratch, place);
            });
            return { key, folder: place, cached: false, seconds };
          }),
        );
      }),
    };
  },
);

/** An artifact that is whole; a torn or damaged one is put away, with a warning, and counts as absent. */
const find = Effect.fnUntraced(function* (place: string, key: string) {
  if (!(yield* attempt(() => exists(place)))) return undefined;
  const read = yield* attempt(() => readManifest(place, key));
  if ("manifest" in read) return { key, folder: place, cached: true, seconds: read.manifest.seconds };
  yield* emit({
    _tag: "warning",
    text: `a cache entry is damaged and will be made anew: ${read.fault} (${place})`,
  });
  yield* attempt(() => putAway(place));
  return undefined;
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function putAway(place: string): Promise<void> {
  try {
    await Deno.rename(place, `${place}.damaged-${crypto.randomUUID()}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return; // another process has put it away
    throw unwritable(place, error);
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw unwritable(path, error);
  }
}

function unwritable(where: string, error: unknown): CacheError {
  return new CacheError("the cache cannot be written", {
    where,
    found: (error as Error).message,
    hint: "name another folder with --cache-dir (cacheDir), or use --no-cache",
    cause: error,
  });
}
