import assert from "node:assert/strict";
import { join } from "node:path";
import { HubError } from "../../lib/error.ts";
import { fetchSnapshot, modelFiles } from "../../lib/hub/mod.ts";
import { commit, contents, cut, gitSha1, large, part, sha256, withHub } from "./server.ts";

const ref = { kind: "model", id: "owner/name", revision: "main" } as const;
const options = { wanted: modelFiles, pauseMilliseconds: 1 };
const isModel = (path: string) => path.endsWith("model.safetensors");
const modelOf = (folder: string) => Deno.readFile(join(folder, "model.safetensors"));

Deno.test("fetchSnapshot() fetches what the loader needs into Python's layout, once", () =>
  withHub(() => undefined, async ({ environment, log }) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(snapshot.files, ["1_Pooling/config.json", "config.json", "model.safetensors"]);
    assert.deepEqual(await modelOf(snapshot.folder), large);
    const repo = join(environment.cache, "models--owner--name");
    assert.equal(await Deno.readTextFile(join(repo, "refs/main")), commit);
    const blobs = await Array.fromAsync(Deno.readDir(join(repo, "blobs")), ({ name }) => name);
    assert.ok(blobs.includes(sha256(large)) && blobs.includes(gitSha1(contents["config.json"]!)) && blobs.length === 3);
    const requests = log.length;
    await fetchSnapshot(ref, { ...options, environment });
    assert.equal(log.slice(requests).filter(({ path }) => path.includes("/resolve/")).length, 0);
    const offline = await fetchSnapshot(ref, { ...options, environment: { ...environment, offline: true } });
    assert.equal(offline.folder, snapshot.folder);
    assert.ok(log.every(({ token }) => token === null));
    const all = await fetchSnapshot({ ...ref, revision: commit }, { environment, pauseMilliseconds: 1 });
    assert.deepEqual(all.files, Object.keys(contents).sort());
  }));

Deno.test("fetchSnapshot() survives broken connections, 429 and 503, and asks for the rest of the same version", () =>
  withHub((path, _, count) => {
    if (path.includes("/revision/") && count === 1) return new Response("busy", { status: 503 });
    if (path.includes("/tree/") && count === 2) return new Response("slow down", { status: 429 });
    if (!isModel(path)) return undefined;
    if (count === 1) return cut(large);
    if (count === 2) return new Response("slow down", { status: 429, headers: { "retry-after": "0" } });
    return undefined;
  }, async ({ environment, log }) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await modelOf(snapshot.folder), large);
    const last = log.findLast(({ path }) => isModel(path))!;
    assert.match(last.range ?? "", /^bytes=[1-9]\d*-$/);
    assert.equal(last.ifRange, `"${sha256(large)}"`);
  }));

Deno.test("fetchSnapshot() begins again where the file is another one now, or ranges are refused", async (t) => {
  const answers: Record<string, (request: Request) => Response | undefined> = {
    "the whole file in spite of the range": () => new Response(large),
    "416": ({ headers }) => headers.has("range") ? new Response("no", { status: 416 }) : undefined,
    "another range than that asked for": (request) =>
      request.headers.has("range")
        ? new Response(large.slice(5), { status: 206, headers: { "content-range": "bytes 5-299999/300000" } })
        : undefined,
  };
  for (const [name, answer] of Object.entries(answers)) {
    await t.step(
      name,
      () =>
        withHub(
          (path, request, count) => !isModel(path) ? undefined : count === 1 ? cut(large) : answer(request),
          async (
            { environment },
          ) => {
            const snapshot = await fetchSnapshot(ref, { ...options, environment });
            assert.deepEqual(await modelOf(snapshot.folder), large);
          },
        ),
    );
  }
});

Deno.test("fetchSnapshot() gives up a connection that has fallen silent, and goes on with another", () =>
  withHub((path, _, count) => isModel(path) && count === 1 ? cut(large, true) : undefined, async (
    { environment, log },
  ) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment, silenceMilliseconds: 200 });
    assert.deepEqual(await modelOf(snapshot.folder), large);
    assert.ok(log.some(({ path, range }) => isModel(path) && range !== null));
  }));

Deno.test("fetchSnapshot() never gives wrong bytes their name", () =>
  withHub((path, _, count) => {
    if (path.endsWith("/config.json") && count === 1) return new Response('{"model_type":"tree"}'); // as long, wrong
    if (!isModel(path)) return undefined;
    if (count === 1) return new Response(large.slice(0, 1000)); // cut short without an error
    if (count === 2) return new Response(new Uint8Array(large.length)); // right size, wrong bytes
    if (count === 3) return new Response(new Uint8Array(large.length + 5)); // too long
    return undefined;
  }, async ({ environment }) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await modelOf(snapshot.folder), large);
    assert.deepEqual(await Deno.readFile(join(snapshot.folder, "config.json")), contents["config.json"]);
  }));

Deno.test("fetchSnapshot() gives up with the numbers, keeps what arrived and goes on from there", async () => {
  let broken = true;
  await withHub((path, request) => {
    if (!broken || !isModel(path)) return undefined;
    return request.headers.has("range") ? new Response("down", { status: 503 }) : cut(large);
  }, async ({ environment, log }) => {
    await assert.rejects(fetchSnapshot(ref, { ...options, environment }), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.match(error.found ?? "", /503/);
      return true;
    });
    broken = false;
    const requests = log.length;
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await modelOf(snapshot.folder), large);
    assert.ok(log.slice(requests).some(({ path, range }) => isModel(path) && /bytes=[1-9]/.test(range ?? "")));
    const left = await Array.fromAsync(Deno.readDir(join(snapshot.folder, "../../blobs")), ({ name }) => name);
    assert.deepEqual(left.filter((name) => name.includes("incomplete")), []);
  });
});

Deno.test("fetchSnapshot() can be stopped, and leaves a file that the next one takes over", () => {
  const controller = new AbortController();
  return withHub((path, _, count) => {
    if (!isModel(path) || count > 1) return undefined;
    setTimeout(() => controller.abort(new Error("stop")), 50);
    return cut(large, true);
  }, async ({ environment, log }) => {
    await assert.rejects(fetchSnapshot(ref, { ...options, environment, signal: controller.signal }), /stop/);
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await modelOf(snapshot.folder), large);
    assert.ok(log.some(({ path, range }) => isModel(path) && range !== null));
  });
});

Deno.test("two downloads of one file at a time: the second waits, and finds it there", () =>
  withHub((path, request) => {
    if (!isModel(path)) return undefined;
    return new Promise((resolve) => setTimeout(() => resolve(part(large, request)), 100));
  }, async ({ environment, log }) => {
    const both = [fetchSnapshot(ref, { ...options, environment }), fetchSnapshot(ref, { ...options, environment })];
    for (const { folder } of await Promise.all(both)) assert.deepEqual(await modelOf(folder), large);
    assert.equal(log.filter(({ path }) => isModel(path)).length, 1);
  }));

Deno.test("the token goes to the hub, and not to where the hub sends for the bytes", () =>
  withHub(() => undefined, async (storage) => {
    await withHub((path) => {
      if (!isModel(path)) return undefined;
      return new Response(null, { status: 302, headers: { location: `${storage.environment.endpoint}${path}` } });
    }, async ({ environment, log }) => {
      const snapshot = await fetchSnapshot(ref, { ...options, environment: { ...environment, token: "hf_secret" } });
      assert.deepEqual(await modelOf(snapshot.folder), large);
      assert.ok(log.length > 3 && log.every(({ token }) => token === "Bearer hf_secret"));
      assert.deepEqual(storage.log.map(({ path, token }) => [isModel(path), token]), [[true, null]]);
    });
  }));

Deno.test("fetchSnapshot() takes what is in the cache while the hub is out of order, and says so if there is nothing", () => {
  let order: "works" | "503" | "nonsense" = "works";
  return withHub(() => {
    if (order === "works") return undefined;
    return order === "503" ? new Response("down", { status: 503 }) : new Response("<html>");
  }, async ({ environment }) => {
    const { folder } = await fetchSnapshot(ref, { ...options, environment });
    for (order of ["503", "nonsense"] as const) {
      assert.equal((await fetchSnapshot(ref, { ...options, environment })).folder, folder);
      await assert.rejects(
        fetchSnapshot({ ...ref, id: "owner/other" }, { ...options, environment }),
        (error: unknown) => {
          assert.ok(error instanceof HubError);
          assert.match(error.message, /not in the cache, and http.* answers/);
          return true;
        },
      );
    }
    const gone = { ...environment, endpoint: "http://127.0.0.1:9" };
    assert.equal((await fetchSnapshot(ref, { ...options, environment: gone })).folder, folder);
    await assert.rejects(
      fetchSnapshot({ ...ref, id: "owner/other" }, { ...options, environment: gone }),
      /does not answer/,
    );
  });
});

Deno.test({
  name: "fetchSnapshot() without the permission for the network takes what is in the cache, or names the permission",
  permissions: { net: false, read: true, write: true, env: true },
  fn: async () => {
    const cache = await Deno.makeTempDir();
    const environment = { endpoint: "https://hub.example", token: undefined, cache, offline: false };
    await assert.rejects(fetchSnapshot(ref, { ...options, environment }), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.equal(error.summary, "model owner/name@main is not in the cache, and --allow-net is missing");
      assert.equal(error.message.split(error.hint!).length, 2, "its details stand in it once");
      return true;
    });
    await Deno.remove(cache, { recursive: true });
  },
});

Deno.test("fetchSnapshot() says what is missing when it is offline or refused", () =>
  withHub(
    (path) => path.includes("/revision/") ? new Response("who?", { status: 401 }) : undefined,
    async ({ environment, log }) => {
      await assert.rejects(fetchSnapshot(ref, { ...options, environment }), (error: unknown) => {
        assert.ok(error instanceof HubError);
        assert.match(error.hint ?? "", /HF_TOKEN/);
        return true;
      });
      assert.equal(log.length, 1, "a refusal is not asked again");
      await assert.rejects(
        fetchSnapshot(ref, { ...options, environment: { ...environment, offline: true } }),
        /not in the cache, and HF_HUB_OFFLINE is set/,
      );
      await assert.rejects(
        fetchSnapshot({ ...ref, id: "../../etc" }, { ...options, environment }),
        /not a repository name/,
      );
    },
  ));

Deno.test("a listing that leads out of the folder is refused", async () => {
  for (const path of ["../x.json", "/etc/x.json", "a/../../x.json", "C:\\x.json"]) {
    await withHub(
      (asked) =>
        asked.includes("/tree/") ? Response.json([{ type: "file", path, size: 1, oid: "0".repeat(40) }]) : undefined,
      ({ environment }) => assert.rejects(fetchSnapshot(ref, { environment }), /leaves the repository/),
    );
  }
});
