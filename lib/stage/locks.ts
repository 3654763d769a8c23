/**
 * Locks of the cache: files that the kernel unlocks when their process ends, however it ends.
 *
 * `<place>.lock` is held by whoever makes the artifact, `<place>.use` is shared by all runs that have read or made it.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import { emit, type Progress } from "./progress.ts";

/** A lock file, locked for this process alone, if nobody else holds it. */
export async function tryLock(path: string): Promise<Deno.FsFile | undefined> {
  const file = await Deno.open(path, { create: true, read: true, write: true });
  if (await file.tryLock(true)) return file;
  file.close();
  return undefined;
}

/** A lock file, shared with others that share it; waits while someone has it alone. */
export async function shareLock(path: string): Promise<Deno.FsFile> {
  const file = await Deno.open(path, { create: true, read: true, write: true });
  await file.lock(false);
  return file;
}

/** Milliseconds between looks whether a lock has become free. */
const PATIENCE = 200;

/**
 * Does something while a lock is held; while another process holds it, waits and says for whom. The wait can be
 * interrupted.
 */
export const withLock: <A, E, R>(
  path: string,
  what: string,
  use: Effect.Effect<A, E, R>,
) => Effect.Effect<A, E | KindredError, R | Progress> = (path, what, use) =>
  Effect.acquireUseRelease(
    attempt(() => Deno.open(path, { create: true, read: true, write: true })),
    (file) =>
      Effect.gen(function* () {
        if (!(yield* attempt(() => file.tryLock(true)))) {
          const holder = yield* attempt(() => holderOf(path));
          yield* emit({ _tag: "waiting", text: `waiting for ${what}: ${holder} works on it` });
          while (!(yield* attempt(() => file.tryLock(true)))) yield* Effect.sleep(PATIENCE);
        }
        yield* attempt(() => sign(file));
        return yield* use;
      }),
    (file) => Effect.sync(() => file.close()),
  );

/** Writes into the file who holds it. */
async function sign(file: Deno.FsFile): Promise<void> {
  await file.truncate();
  await file.seek(0, Deno.SeekMode.Start);
  await file.write(new TextEncoder().encode(JSON.stringify({ pid: Deno.pid, since: new Date().toISOString() }) + "\n"));
}

/** Who holds a lock, in words: a lock that was just taken may not be signed yet. */
async function holderOf(path: string): Promise<string> {
  try {
    const { pid, since } = JSON.parse(await Deno.readTextFile(path));
    if (pid === Deno.pid) return `another run of this process, since ${since},`;
    return `process ${pid}, since ${since},`;
  } catch {
    return "another process";
  }
}
