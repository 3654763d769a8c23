import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { attempt } from "../../lib/attempt.ts";
import { openCache } from "../../lib/stage/cache.ts";
import { keyOfFiles } from "../../lib/stage/digest.ts";
import { tryLock } from "../../lib/stage/locks.ts";
import { Progress } from "../../lib/stage/progress.ts";
import { listEntries, pruneEntries, verifyEntries } from "../../lib/stage/cache_care.ts";
import { taskOf } from "../../lib/stage/key.ts";
import { withFolder } from "../folder.ts";

/** One run that finds or makes an entry of so many bytes. */
const make = (
  folder: string,
  name: string,
  bytes: number,
  during: () => Promise<unknown> = () => Promise.resolve(),
) => {
  const warnings: string[] = [];
  const waits: string[] = [];
  const progress = Progress.layer((event) => {
    if (event._tag === "warning") warnings.push(event.text);
    if (event._tag === "waiting") waits.push(event.text);
  });
  const work = Effect.gen(function* () {
    const { findOrMake } = yield* openCache(folder);
    const stored = yield* findOrMake(
      taskOf({ stage: `${name}@1`, parameters: { bytes }, inputs: {} }),
      (scratch) => attempt(() => Deno.writeFile(join(scratch, "data.bin"), new Uint8Array(bytes))),
    );
    yield* attempt(during);
    return stored;
  });
  return Effect.runPromise(Effect.scoped(work).pipe(Effect.provide(progress))).then((stored) => ({
    ...stored,
    warnings,
    waits,
  }));
};

Deno.test("the cache is listed, verified and pruned from its oldest entries", () =>
  withFolder(async (folder) => {
    assert.deepEqual(await listEntries(join(folder, "nowhere")), []);
    const first = await make(folder, "a", 600_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await make(folder, "b", 600_000);
    assert.deepEqual((await listEntries(folder)).map(({ stage }) => stage), ["a@1", "b@1"]);
    await Deno.truncate(join(first.folder, "data.bin"), 10);
    const { checked, damaged } = await verifyEntries(folder);
    assert.deepEqual([checked, damaged.length, damaged[0]!.key], [2, 1, first.key]);
    assert.deepEqual(await pruneEntries(folder, { olderThanDays: 1 }), { removed: 0, freed: 0 });
    assert.equal((await pruneEntries(folder, { maxMegabytes: 0.7 })).removed, 0, "what is left fits");
    await make(folder, "c", 600_000);
    assert.ok((await pruneEntries(folder, { maxMegabytes: 0.7 })).removed >= 1);
    assert.deepEqual((await listEntries(folder)).map(({ stage }) => stage), ["c@1"]);
  }));

Deno.test("an entry that someone works on is not pruned", () =>
  withFolder(async (folder) => {
    const { folder: place } = await make(folder, "a", 1000);
    // A lock is a process's own: another one must hold it.
    const holder = new Deno.Command(Deno.execPath(), {
      args: [
        "eval",
        `const f = await Deno.open(${JSON.stringify(`${place}.lock`)}, { create: true, write: true });
        await f.lock(true); console.log("held"); await new Promise((r) => setTimeout(r, 60000));`,
      ],
      stdout: "piped",
    }).spawn();
    const reader = holder.stdout.getReader();
    await reader.read();
    assert.equal(await tryLock(`${place}.lock`), undefined);
    assert.equal((await pruneEntries(folder, { maxMegabytes: 0 })).removed, 0);
    holder.kill("SIGKILL");
    await holder.status;
    await reader.cancel();
    assert.equal((await pruneEntries(folder, { maxMegabytes: 0 })).removed, 1);
  }));

Deno.test("the key of a file is that of its bytes, also where a hash is remembered", () =>
  withFolder(async (folder) => {
    const file = join(folder, "large.bin");
    await Deno.writeFile(file, new Uint8Array(5 << 20).fill(1));
    const first = await keyOfFiles(folder, [file]);
    assert.equal(await keyOfFiles(folder, [file]), first);
    await Deno.writeFile(file, new Uint8Array(5 << 20).fill(2));
    await Deno.utime(file, new Date(), new Date(Date.now() + 5000));
    assert.notEqual(await keyOfFiles(folder, [file]), first);
    await Deno.copyFile(file, `${file}.copy`);
    assert.equal(await keyOfFiles(folder, [`${file}.copy`]), await keyOfFiles(folder, [file]));
  }));

Deno.test("other bytes of the same size give another key, also with a time that was set back", () =>
  withFolder(async (folder) => {
    const file = join(folder, "weights.bin");
    const old = new Date(Date.now() - 60_000);
    await Deno.writeFile(file, new Uint8Array(5 << 20).fill(1));
    await Deno.utime(file, old, old);
    await new Promise((resolve) => setTimeout(resolve, 2100)); // long enough to be remembered
    const first = await keyOfFiles(folder, [file]);
    assert.equal((await Array.fromAsync(Deno.readDir(join(folder, "files")))).length, 1);
    await Deno.writeFile(file, new Uint8Array(5 << 20).fill(2));
    await Deno.utime(file, old, old);
    assert.notEqual(await keyOfFiles(folder, [file]), first);
    // Another file that takes the name, of the same age.
    await Deno.writeFile(`${file}.new`, new Uint8Array(5 << 20).fill(1));
    await Deno.utime(`${file}.new`, old, old);
    await Deno.rename(`${file}.new`, file);
    assert.equal(await keyOfFiles(folder, [file]), first);
  }));

/** Damages an entry, and says what a run and `verify` make of that. */
async function damage(
  folder: string,
  harm: (place: string) => Promise<void>,
): Promise<{ found: string; fault: string }> {
  await make(folder, "a", 1000);
  const { folder: place, key } = await make(folder, "a", 1000);
  await harm(place);
  const { damaged } = await verifyEntries(folder);
  const again = await make(folder, "a", 1000);
  assert.equal(again.cached, false, "it is made anew");
  assert.equal((await Deno.readFile(join(place, "data.bin"))).length, 1000);
  return { found: again.warnings.join(), fault: damaged.find((entry) => entry.key === key)?.fault ?? "none" };
}

Deno.test("whatever is wrong with an entry is a miss with a warning, and verify sees it", async (t) => {
  const manifest = (place: string) => join(place, "manifest.json");
  const changed = (change: (manifest: Record<string, unknown>) => unknown) => async (place: string) => {
    const value = JSON.parse(await Deno.readTextFile(manifest(place)));
    await Deno.writeTextFile(manifest(place), JSON.stringify(change(value) ?? value));
  };
  const harms: Readonly<Record<string, readonly [(place: string) => Promise<void>, RegExp]>> = {
    "a flipped bit": [async (place) => {
      using file = await Deno.open(join(place, "data.bin"), { write: true });
      await file.write(Uint8Array.of(64));
    }, /another checksum/],
    "a cut file": [(place) => Deno.truncate(join(place, "data.bin"), 3), /another size/],
    "a file that is gone": [(place) => Deno.remove(join(place, "data.bin")), /data\.bin/],
    "no manifest": [(place) => Deno.remove(manifest(place)), /no manifest/],
    "an empty manifest": [(place) => Deno.writeTextFile(manifest(place), ""), /manifest is damaged/],
    "a torn manifest": [(place) => Deno.truncate(manifest(place), 100), /manifest is damaged/],
    "null": [(place) => Deno.writeTextFile(manifest(place), "null"), /manifest is damaged/],
    "files that are none": [changed((value) => void (value["files"] = [{ path: 7 }])), /manifest is damaged/],
    "a file outside": [
      changed((value) => void (value["files"] = [{ path: "../x", size: 1, sha256: "0".repeat(64) }])),
      /manifest is damaged/,
    ],
    "no files": [changed((value) => void (value["files"] = [])), /lists no files/],
    "another key": [changed((value) => void (value["key"] = "0".repeat(64))), /that of 000/],
    "other parameters": [changed((value) => void (value["parameters"] = { bytes: 999 })), /does not give its key/],
  };
  for (const [name, [harm, expected]] of Object.entries(harms)) {
    await t.step(name, () =>
      withFolder(async (folder) => {
        const { found, fault } = await damage(folder, harm);
        assert.match(found, expected);
        assert.match(fault, expected);
      }));
  }
});

Deno.test("what a living run has read or made is not pruned", () =>
  withFolder(async (folder) => {
    const all = { maxMegabytes: 0 };
    await make(folder, "a", 1000, async () => assert.equal((await pruneEntries(folder, all)).removed, 0, "made"));
    await make(folder, "a", 1000, async () => assert.equal((await pruneEntries(folder, all)).removed, 0, "read"));
    assert.equal((await pruneEntries(folder, all)).removed, 1);
  }));

Deno.test("stray files in the cache break none of its commands", () =>
  withFolder(async (folder) => {
    const { key } = await make(folder, "a", 1000);
    await Deno.writeTextFile(join(folder, "stray"), "x");
    await Deno.writeTextFile(join(folder, key.slice(0, 2), "stray"), "x");
    await Deno.writeTextFile(join(folder, key.slice(0, 2), "0".repeat(64)), "x");
    await Deno.mkdir(join(folder, key.slice(0, 2), "folder"));
    await Deno.writeTextFile(join(folder, "aa"), "x");
    assert.equal((await listEntries(folder)).length, 1);
    assert.deepEqual(await verifyEntries(folder), { checked: 1, damaged: [] });
    assert.equal((await pruneEntries(folder, { maxMegabytes: 0 })).removed, 1);
    assert.equal((await make(folder, "a", 1000)).cached, false);
  }));

Deno.test("a run that waits for another one on the same key says for whom, and takes its result", () =>
  withFolder(async (folder) => {
    const task = taskOf({ stage: "slow@1", parameters: {}, inputs: {} });
    let made = 0;
    const waits: string[] = [];
    const run = Effect.scoped(Effect.gen(function* () {
      const { findOrMake } = yield* openCache(folder);
      return yield* findOrMake(task, (scratch) =>
        Effect.gen(function* () {
          made++;
          yield* Effect.sleep(400);
          yield* attempt(() => Deno.writeTextFile(join(scratch, "value"), "1"));
        }));
    })).pipe(Effect.provide(Progress.layer((event) => event._tag === "waiting" && waits.push(event.text)), {
      local: true,
    }));
    const first = Effect.runPromise(run);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const [one, two] = await Promise.all([first, Effect.runPromise(run)]);
    assert.deepEqual([made, one.cached, two.cached], [1, false, true]);
    assert.match(waits.join(), /waiting for slow@1: another run of this process, since \d{4}-/);
    // Whoever waits can be told to stop.
    const other = taskOf({ stage: "slow@2", parameters: {}, inputs: {} });
    await Deno.mkdir(join(folder, other.key.slice(0, 2)), { recursive: true });
    using _held = await tryLock(join(folder, other.key.slice(0, 2), `${other.key}.lock`));
    const stuck = Effect.scoped(Effect.gen(function* () {
      yield* (yield* openCache(folder)).findOrMake(other, () => Effect.void);
    })).pipe(Effect.provide(Progress.layerSilent));
    await assert.rejects(Effect.runPromise(stuck, { signal: AbortSignal.timeout(300) }));
  }));
