/** A hub on this machine, which can be told to misbehave. */
import { createHash } from "node:crypto";
import type { HubEnvironment } from "../../lib/hub/mod.ts";

export const commit = "c".repeat(40);
export const large = new Uint8Array(300_000).map((_, i) => (i * 31) & 255);
export const contents: Record<string, Uint8Array> = {
  "config.json": new TextEncoder().encode('{"model_type":"bert"}'),
  "1_Pooling/config.json": new TextEncoder().encode("{}"),
  "empty.json": new Uint8Array(0),
  "model.safetensors": large,
  "pytorch_model.bin": new Uint8Array(10),
};

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
export const gitSha1 = (bytes: Uint8Array): string =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** One line of the log: path, range and If-Range, token. */
export interface Asked {
  readonly path: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly token: string | null;
}

/** What a test gets. */
export interface Hub {
  readonly environment: HubEnvironment;
  readonly log: Asked[];
}

/** Answers in place of the hub, or lets it: `count` is how often the path was asked for. */
export type Misbehave = (path: string, request: Request, count: number) => Response | Promise<Response> | undefined;

/** Two entries a page, as the real hub pages its listings by a thousand. */
function listing(request: Request): Response {
  const url = new URL(request.url);
  const from = Number(url.searchParams.get("cursor") ?? 0);
  const all = Object.entries(contents).map(([path, bytes]) => ({
    type: "file",
    path,
    size: bytes.length,
    oid: gitSha1(bytes),
    ...(path.endsWith(".safetensors") && { lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } }),
  }));
  url.searchParams.set("cursor", `${from + 2}`);
  const headers = new Headers(from + 2 < all.length ? { link: `<${url.href}>; rel="next"` } : {});
  return Response.json([{ type: "directory", path: "1_Pooling", size: 0, oid: "" }, ...all.slice(from, from + 2)], {
    headers,
  });
}

/** Runs `body` with a hub and an empty cache. */
export async function withHub(misbehave: Misbehave, body: (hub: Hub) => Promise<void>): Promise<void> {
  const log: Asked[] = [];
  const counts = new Map<string, number>();
  const quiet = { port: 0, hostname: "127.0.0.1", onListen() {}, onError: () => new Response("", { status: 500 }) };
  const server = Deno.serve(quiet, (request) => {
    const { pathname } = new URL(request.url);
    const count = (counts.get(pathname) ?? 0) + 1;
    counts.set(pathname, count);
    const header = (name: string) => request.headers.get(name);
    log.push({ path: pathname, range: header("range"), ifRange: header("if-range"), token: header("authorization") });
    const odd = misbehave(pathname, request, count);
    if (odd !== undefined) return odd;
    if (pathname.includes("/revision/")) return Response.json({ sha: commit });
    if (pathname.includes("/tree/")) return listing(request);
    const file = pathname.split(`/resolve/${commit}/`)[1];
    const bytes = file === undefined ? undefined : contents[file];
    if (bytes === undefined) return new Response("no such file", { status: 404 });
    return part(bytes, request);
  });
  const cache = await Deno.makeTempDir();
  try {
    const endpoint = `http://127.0.0.1:${server.addr.port}`;
    await body({ environment: { endpoint, token: undefined, cache, offline: false }, log });
  } finally {
    await server.shutdown();
    await Deno.remove(cache, { recursive: true });
  }
}

/** The rest of a file, or all of it. */
export function part(bytes: Uint8Array, request: Request): Response {
  const from = Number(/bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  const headers = { etag: `"${sha256(bytes)}"`, "content-range": `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  return new Response(bytes.slice(from), { status: from > 0 ? 206 : 200, headers });
}

/** Half of the file, then the connection breaks, or nothing more comes. */
export function cut(bytes: Uint8Array, silently = false): Response {
  let sent = false;
  return new Response(
    new ReadableStream({
      pull(controller) {
        if (!sent) controller.enqueue(bytes.slice(0, bytes.length >> 1));
        else if (!silently) controller.error(new Error("cut"));
        else return new Promise(() => {});
        sent = true;
      },
    }),
    { headers: { etag: `"${sha256(bytes)}"` } },
  );
}
