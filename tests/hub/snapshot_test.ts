import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { HubError } from "../../lib/error.ts";
import { fetchSnapshot, modelFiles } from "../../lib/hub/mod.ts";

const commit = "c".repeat(40);
const large = new Uint8Array(300_000).map((_, i) => (i * 31) & 255);
const contents: Record<string, Uint8Array> = {
  "config.json": new TextEncoder().encode('{"model_type":"bert"}'),
  "1_Pooling/config.json": new TextEncoder().encode("{}"),
  "model.safetensors": large,
  "pytorch_model.bin": new Uint8Array(10),
};
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const gitSha1 = (bytes: Uint8Array) => createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** A hub on this machine. `misbehave` may answer in its place. */
async function withHub(
  misbehave: (path: string, request: Request, count: number) => Response | undefined,
  body: (
    environment: { endpoint: string; token: undefined; cache: string; offline: boolean },
    log: string[],
  ) => Promise<void>,
): Promise<void> {
  const log: string[] = [];
  const counts = new Map<string, number>();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    const count = (counts.get(pathname) ?? 0) + 1;
    counts.set(pathname, count);
    log.push(`${pathname} ${request.headers.get("range") ?? ""}`.trim());
    const odd = misbehave(pathname, request, count);
    if (odd !== undefined) return odd;
    if (pathname.includes("/revision/")) return Response.json({ sha: commit });
    if (pathname.includes("/tree/")) {
      return Response.json(
        Object.entries(contents).map(([path, bytes]) => ({
          type: "file",
          path,
          size: bytes.length,
          oid: gitSha1(bytes),
          ...(path.endsWith(".safetensors") && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
        })),
      );
    }
    const file = pathname.split(`/resolve/${commit}/`)[1];
    const bytes = file === undefined ? undefined : contents[file];
    if (bytes === undefined) return new Response("no such file", { status: 404 });
    const from = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
    return new Response(bytes.slice(from), { status: from > 0 ? 206 : 200, headers: { etag: `"${sha256(bytes)}"` } });
  });
  const cache = await Deno.makeTempDir();
  try {
    await body({ endpoint: `http://127.0.0.1:${server.addr.port}`, token: undefined, cache, offline: false }, log);
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
}

const ref = { kind: "model", id: "owner/name", revision: "main" } as const;
const options = { wanted: modelFiles, pauseMilliseconds: 1 };

/** Half of the file, then the connection breaks. */
function cut(bytes: Uint8Array): Response {
  let sent = false;
  return new Response(
    new ReadableStream({
      pull(controller) {
        if (sent) controller.error(new Error("cut"));
        else controller.enqueue(bytes.slice(0, bytes.length >> 1));
        sent = true;
      },
    }),
    { headers: { etag: `"${sha256(bytes)}"` } },
  );
}

Deno.test("fetchSnapshot() fetches what the loader needs into Python's layout, once", () =>
  withHub(() => undefined, async (environment, log) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(snapshot.files, ["1_Pooling/config.json", "config.json", "model.safetensors"]);
    assert.deepEqual(await Deno.readFile(join(snapshot.folder, "model.safetensors")), large);
    const repo = join(environment.cache, "models--owner--name");
    assert.equal(await Deno.readTextFile(join(repo, "refs/main")), commit);
    const blobs = await Array.fromAsync(Deno.readDir(join(repo, "blobs")), ({ name }) => name);
    assert.ok(blobs.includes(sha256(large)) && blobs.includes(gitSha1(contents["config.json"]!)) && blobs.length === 3);
    const requests = log.length;
    await fetchSnapshot(ref, { ...options, environment });
    assert.equal(log.slice(requests).filter((line) => line.includes("/resolve/")).length, 0);
    const offline = await fetchSnapshot(ref, { ...options, environment: { ...environment, offline: true } });
    assert.equal(offline.folder, snapshot.folder);
  }));

Deno.test("fetchSnapshot() survives broken connections, 429 and 503, and asks only for the rest", () =>
  withHub((path, _, count) => {
    if (path.includes("/revision/") && count === 1) return new Response("busy", { status: 503 });
    if (!path.endsWith("model.safetensors")) return undefined;
    if (count === 1) return cut(large);
    if (count === 2) return new Response("slow down", { status: 429, headers: { "retry-after": "0" } });
    return undefined;
  }, async (environment, log) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await Deno.readFile(join(snapshot.folder, "model.safetensors")), large);
    assert.ok(log.some((line) => /model\.safetensors bytes=[1-9]/.test(line)), log.join("\n"));
  }));

Deno.test("fetchSnapshot() never gives wrong bytes their name", () =>
  withHub((path, _, count) => {
    if (!path.endsWith("model.safetensors")) return undefined;
    if (count === 1) return new Response(large.slice(0, 1000)); // cut short without an error
    if (count === 2) return new Response(new Uint8Array(large.length)); // right size, wrong bytes
    return undefined;
  }, async (environment) => {
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await Deno.readFile(join(snapshot.folder, "model.safetensors")), large);
  }));

Deno.test("fetchSnapshot() gives up with the numbers, keeps what arrived and goes on from there", async () => {
  let broken = true;
  await withHub((path, request) => {
    if (!broken || !path.endsWith("model.safetensors")) return undefined;
    return request.headers.has("range") ? new Response("down", { status: 503 }) : cut(large);
  }, async (environment, log) => {
    await assert.rejects(fetchSnapshot(ref, { ...options, environment }), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.match(error.found ?? "", /503/);
      return true;
    });
    broken = false;
    const requests = log.length;
    const snapshot = await fetchSnapshot(ref, { ...options, environment });
    assert.deepEqual(await Deno.readFile(join(snapshot.folder, "model.safetensors")), large);
    assert.ok(log.slice(requests).some((line) => /model\.safetensors bytes=[1-9]/.test(line)));
  });
});

Deno.test("fetchSnapshot() says what is missing when it is offline or refused", () =>
  withHub(
    (path) => path.includes("/revision/") ? new Response("who?", { status: 401 }) : undefined,
    async (environment) => {
      await assert.rejects(fetchSnapshot(ref, { ...options, environment }), /refused/);
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
