import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { attempt } from "../../lib/attempt.ts";
import { findOrMake, keyOfFiles, tryLock } from "../../lib/stage/cache.ts";
import { listEntries, pruneEntries, verifyEntries } from "../../lib/stage/cache_care.ts";
import { taskOf } from "../../lib/stage/key.ts";
import { withFolder } from "../folder.ts";

const make = (folder: string, name: string, bytes: number) =>
  Effect.runPromise(findOrMake(
    folder,
    taskOf({ stage: `${name}@1`, parameters: { bytes }, inputs: {} }),
    () => {},
    (scratch) => attempt(() => Deno.writeFile(join(scratch, "data.bin"), new Uint8Array(bytes))),
  ));

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
