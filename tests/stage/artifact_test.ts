import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { datasetFormat, writeDataset } from "../../lib/stage/artifact.ts";
import { given, runStages } from "../../lib/stage/run.ts";
import { valueOf } from "../../lib/stage/stage.ts";
import type { Columns } from "../../lib/data/rows.ts";
import { withFolder } from "../folder.ts";

Deno.test("a dataset comes back with the types it had, whatever its columns are called", () =>
  withFolder(async (folder) => {
    const columns = {
      label: Float64Array.of(0.5, 1.5),
      score: Int32Array.of(3, 4),
      row: ["a", "b"],
      count: Float64Array.of(NaN, 2),
    };
    await writeDataset(folder, { columns, rows: 2 }, { dropped: 1 });
    assert.deepEqual(await datasetFormat<Columns>().read([folder]), { columns, rows: 2, counts: { dropped: 1 } });
    const none = { label: Int32Array.of(), text: [], score: Float64Array.of() };
    await writeDataset(folder, { columns: none, rows: 0 });
    assert.deepEqual((await datasetFormat<Columns>().read([folder])).columns, none);
  }));

Deno.test("equal bytes of another type, and a part of a buffer, are other data", () =>
  withFolder(async (cacheDir) => {
    const keyOf = async (columns: Columns) => {
      const read = Effect.gen(function* () {
        const artifact = yield* given({ columns, rows: 2 });
        return { key: artifact.key, columns: (yield* valueOf(artifact)).columns };
      });
      return await runStages(read, { cacheDir });
    };
    const whole = Float64Array.of(1, 2, 3, 4);
    const [first, second] = [await keyOf({ x: whole.subarray(0, 2) }), await keyOf({ x: whole.subarray(2) })];
    assert.notEqual(first.key, second.key);
    assert.deepEqual(second.columns, { x: Float64Array.of(3, 4) });
    const zeros = await keyOf({ x: Int32Array.of(0, 0) });
    assert.notEqual((await keyOf({ x: new Float64Array(1 << 1) })).key, zeros.key);
  }));

/** What `cache list` says beside its list, with these permissions and variables alone. */
async function saidBy(permissions: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stderr, code } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      ...permissions,
      "--no-check",
      new URL("../../pipelines/cache.ts", import.meta.url).pathname,
      "list",
    ],
    clearEnv: true,
    env: { DENO_DIR: Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME")!, ".cache", "deno"), ...env },
    cwd: new URL("../..", import.meta.url),
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert.equal(code, 0, said);
  return said;
}

Deno.test("without a home folder the cache lies in the temporary one, and that is said", () =>
  withFolder(async (folder) => {
    const said = await saidBy(["-A"], { TMPDIR: folder });
    assert.match(said, /there is no home folder: the cache lies in /);
    assert.ok(said.includes(join(folder, "kindred")), said);
  }));

Deno.test("where the home folder may not be asked for, the permission that is missing is named, and no home is denied", () =>
  withFolder(async (folder) => {
    const files = ["--allow-read", "--allow-write"];
    const said = await saidBy(files, { HOME: folder });
    assert.match(
      said,
      /^warning: without --allow-env the home folder is not known: the cache lies in \S+, where it may/,
    );
    assert.doesNotMatch(said, /no home folder/);
    assert.equal(
      await saidBy([...files, "--allow-env=HOME,USERPROFILE,XDG_CACHE_HOME,LOCALAPPDATA"], { HOME: folder }),
      "",
    );
  }));
