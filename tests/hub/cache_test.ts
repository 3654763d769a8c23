import assert from "node:assert/strict";
import { join } from "node:path";
import { HubError } from "../../lib/error.ts";
import { fetchSnapshot, modelFiles } from "../../lib/hub/mod.ts";
import { withFolder } from "../folder.ts";
import { commit, contents, cut, gitSha1, type Hub, large, sha256, withHub } from "./server.ts";

const ref = { kind: "model", id: "owner/name", revision: "main" } as const;
const options = { wanted: modelFiles, pauseMilliseconds: 1 };
const files = ["1_Pooling/config.json", "config.json", "model.safetensors"];
const hashOf = (file: string) => file.endsWith(".safetensors") ? sha256(contents[file]!) : gitSha1(contents[file]!);

/** The paths of a repository's folder. */
const paths = ({ environment }: Hub) => {
  const repo = join(environment.cache, "models--owner--name");
  return {
    repo,
    blob: (file: string) => join(repo, "blobs", hashOf(file)),
    pointer: (file: string) => join(repo, "snapshots", commit, file),
  };
};

/** Everything below a folder, with the times of its last change. */
async function state(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const { ctime, ino } = await Deno.lstat(path);
    found.push(`${path} ${ino} ${ctime?.getTime()}`, ...(isDirectory ? await state(path) : []));
  }
  return found.sort();
}

const fetched = ({ log }: Hub) => log.filter(({ path }) => path.includes("/resolve/")).length;
const fetchAll = ({ environment }: Hub) => fetchSnapshot(ref, { ...options, environment });
const fetchOffline = ({ environment }: Hub) =>
  fetchSnapshot(ref, { ...options, environment: { ...environment, offline: true } });
const bytesOf = (folder: string, file: string) => Deno.readFile(join(folder, file));

async function assertWhole(folder: string): Promise<void> {
  for (const file of files) assert.deepEqual(await bytesOf(folder, file), contents[file], file);
}

Deno.test("a complete cache is read and not written: it may belong to somebody else", () =>
  withHub(() => undefined, async (hub) => {
    await fetchAll(hub);
    const before = await state(hub.environment.cache);
    const { folder } = await fetchAll(hub);
    await assertWhole(folder);
    assert.deepEqual(await state(hub.environment.cache), before);
    // With a line end, as an editor leaves it, the ref says the same.
    await Deno.writeTextFile(join(paths(hub).repo, "refs/main"), `${commit}\n`);
    const edited = await state(hub.environment.cache);
    await fetchAll(hub);
    assert.equal((await fetchOffline(hub)).commit, commit);
    assert.deepEqual(await state(hub.environment.cache), edited);
    assert.equal(fetched(hub), 3);
  }));

Deno.test("files in place of links, as Python leaves them on Windows, are used; one that was cut is fetched", () =>
  withHub(() => undefined, async (hub) => {
    await fetchAll(hub);
    const { repo, pointer, blob } = paths(hub);
    for (const file of files) {
      await Deno.remove(pointer(file));
      await Deno.rename(blob(file), pointer(file));
    }
    const { folder } = await fetchAll(hub);
    await assertWhole(folder);
    assert.equal(fetched(hub), 3, "nothing came again");
    assert.deepEqual(await Array.fromAsync(Deno.readDir(join(repo, "blobs"))), []);
    await Deno.truncate(pointer("model.safetensors"), 1000);
    await assertWhole((await fetchAll(hub)).folder);
    assert.equal(fetched(hub), 4);
  }));

Deno.test("links that point nowhere are named offline, and mended with a hub", () =>
  withHub(() => undefined, async (hub) => {
    await fetchAll(hub);
    await Deno.remove(paths(hub).blob("model.safetensors"));
    await assert.rejects(fetchOffline(hub), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.match(error.message, /model\.safetensors .* points nowhere/);
      return true;
    });
    await assertWhole((await fetchAll(hub)).folder);
    assert.equal(fetched(hub), 4);
  }));

Deno.test("a blob is read before it is believed: wrong bytes of the right size are fetched again", () =>
  withHub(() => undefined, async (hub) => {
    await fetchAll(hub);
    const { blob } = paths(hub);
    for (const file of ["model.safetensors", "config.json"]) {
      await Deno.writeFile(blob(file), contents[file]!.map((byte) => byte ^ 1));
    }
    await assertWhole((await fetchAll(hub)).folder);
    assert.equal(fetched(hub), 5);
  }));

Deno.test("what others planted in a shared cache is not followed: links in place of blobs and unfinished files", () =>
  withFolder((outside) =>
    withHub(() => undefined, async (hub) => {
      const { repo, blob } = paths(hub);
      await Deno.mkdir(join(repo, "blobs"), { recursive: true });
      const [letter, diary, copy] = ["letter", "diary", "copy"].map((name) => join(outside, name)) as [
        string,
        string,
        string,
      ];
      for (const mine of [letter, diary]) await Deno.writeTextFile(mine, "mine");
      await Deno.writeFile(copy, large);
      await Deno.symlink(letter, `${blob("config.json")}.1.incomplete`);
      await Deno.link(diary, `${blob("1_Pooling/config.json")}.1.incomplete`);
      await Deno.symlink(copy, blob("model.safetensors"));
      const { folder } = await fetchAll(hub);
      await assertWhole(folder);
      for (const mine of [letter, diary]) assert.equal(await Deno.readTextFile(mine), "mine");
      assert.ok((await Deno.lstat(blob("model.safetensors"))).isFile);
      assert.equal(fetched(hub), 3);
    })
  ));

Deno.test("a ref or a revision that leads out of the folder leads nowhere", () =>
  withHub(() => undefined, async (hub) => {
    const { repo } = paths(hub);
    await Deno.mkdir(join(repo, "refs"), { recursive: true });
    await Deno.mkdir(join(hub.environment.cache, "outside"));
    await Deno.writeTextFile(join(hub.environment.cache, "outside/config.json"), "{}");
    await Deno.writeTextFile(join(repo, "refs/main"), "../../outside");
    await assert.rejects(fetchOffline(hub), /not in the cache/);
    for (const revision of ["..", "a/../b", "", "a//b", "a\\b", "/a"]) {
      await assert.rejects(
        fetchSnapshot({ ...ref, revision }, { ...options, environment: hub.environment }),
        /not a revision/,
      );
    }
  }));

/** Sends `chunk` again and again; `pause` milliseconds between. */
function endless(chunk: Uint8Array, pause: number, counted: { bytes: number }): Response {
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        counted.bytes += chunk.length;
        try {
          controller.enqueue(chunk);
        } catch { /* nobody listens any more */ }
      },
    }),
  );
}

Deno.test("a file that does not end stops at the size of the listing", async () => {
  const counted = { bytes: 0 };
  await withHub(
    (path) => path.endsWith("/config.json") ? endless(new Uint8Array(1 << 16), 0, counted) : undefined,
    async (hub) => {
      await assert.rejects(fetchAll(hub), (error: unknown) => {
        assert.ok(error instanceof HubError);
        assert.match(error.found!, /more than the \d+ bytes of the listing/);
        return true;
      });
      for await (const { name } of Deno.readDir(join(paths(hub).repo, "blobs"))) {
        assert.ok((await Deno.stat(join(paths(hub).repo, "blobs", name))).size <= large.length, name);
      }
    },
  );
  assert.ok(counted.bytes < 50 << 20, `${counted.bytes} bytes were sent`);
});

Deno.test("a byte now and then is no connection, and does not count as progress", () =>
  withHub(
    (path, _, count) => {
      if (!path.endsWith("model.safetensors")) return undefined;
      return count <= 2 ? endless(new Uint8Array(1), 20, { bytes: 0 }) : cut(new Uint8Array(2));
    },
    async (hub) => {
      const found = fetchSnapshot(ref, { ...options, environment: hub.environment, silenceMilliseconds: 150 });
      await assert.rejects(found, HubError);
      const asked = hub.log.filter(({ path }) => path.endsWith("model.safetensors"));
      assert.equal(asked.length, 6, "six attempts, and no more for the bytes that each brought");
    },
  ));

Deno.test("a mistake of our own or of the caller's is not taken for a broken connection", () =>
  withHub(() => undefined, async (hub) => {
    const onProgress = () => {
      throw new TypeError("a mistake");
    };
    const found = fetchSnapshot(ref, { ...options, environment: hub.environment, onProgress });
    await assert.rejects(found, (error: unknown) => error instanceof TypeError && error.message === "a mistake");
    assert.equal(fetched(hub), 1);
    for (const endpoint of ["hub.example", "ftp://hub.example", "http://"]) {
      const wrong = fetchSnapshot(ref, { ...options, environment: { ...hub.environment, endpoint } });
      await assert.rejects(wrong, /address is none/);
    }
  }));
