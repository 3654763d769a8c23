/**
 * Hubs that are slow or lie: every one of them ends in one clean HubError within its time, and leaves little on the disk.
 *
 * @module
 */
import { join } from "node:path";
import { filesBelow, type Finding, lastLine, run, type World } from "./world.ts";

const COMMIT = "c".repeat(40);
const json = (value: unknown, headers: Record<string, string> = {}) => Response.json(value, { headers });
const file = (path: unknown, size: unknown = 10) => ({ type: "file", path, size, oid: "0".repeat(40) });

/** A body that never ends: `bytes` every `pause` milliseconds. */
function endless(bytes: number, pause: number): Response {
  return new Response(
    new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, pause));
        controller.enqueue(new Uint8Array(bytes).fill(0x20));
      },
    }),
  );
}

/** What a hub may do instead of its work: how it answers for its listing and its files. */
const LIES: Readonly<Record<string, { listing: (url: URL) => Response; file: () => Response }>> = {
  "a file without end": { listing: () => json([file("config.json")]), file: () => endless(1 << 20, 0) },
  "a file shorter than listed": { listing: () => json([file("config.json", 1000)]), file: () => new Response("{}") },
  "a listing without end": { listing: () => endless(1 << 20, 0), file: () => new Response("{}") },
  "a listing that goes round": {
    listing: (url) => json([file("config.json")], { link: `<${url.href}>; rel="next"` }),
    file: () => new Response("{}"),
  },
  "a listing of many pages": {
    listing: (url) => {
      url.searchParams.set("cursor", `${Number(url.searchParams.get("cursor") ?? 0) + 1}`);
      return json([file(`config.${url.searchParams.get("cursor")}.json`)], { link: `<${url.href}>; rel="next"` });
    },
    file: () => new Response("{}"),
  },
  "a listing that is no JSON": { listing: () => new Response("<html>"), file: () => new Response("{}") },
  "null in the listing": { listing: () => json([null]), file: () => new Response("{}") },
  "a path out of the folder": { listing: () => json([file("../../escape.json")]), file: () => new Response("{}") },
  "an empty path": { listing: () => json([file("")]), file: () => new Response("{}") },
  "a path with NUL": { listing: () => json([file("a\0b.json")]), file: () => new Response("{}") },
  "a negative size": { listing: () => json([file("config.json", -1)]), file: () => new Response("{}") },
};

/** Asks each of them for a model. */
export async function servers(world: World): Promise<Finding> {
  const failures: string[] = [];
  let slowest = 0;
  await Deno.writeTextFile(join(world.folder, "pairs.csv"), "anchor,positive\na dog,a hound\na boy,a lad\n");
  for (const [lie, answers] of Object.entries(LIES)) {
    const name = `hub-${lie.replaceAll(" ", "-")}`;
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      const url = new URL(request.url);
      if (url.pathname.includes("/revision/")) return json({ sha: COMMIT, siblings: [{ rfilename: "config.json" }] });
      if (url.pathname.includes("/tree/")) return answers.listing(url);
      return answers.file();
    });
    const home = join(world.folder, name, "hub");
    const { code, seconds, said } = await run(world.folder, name, {
      flags: ["--model", "someone/model", "--train", join(world.folder, "pairs.csv")],
      env: { HF_ENDPOINT: `http://127.0.0.1:${server.addr.port}`, HF_HOME: home, HF_TOKEN: "hf_secretsecret" },
      limit: 240,
    });
    await server.shutdown();
    slowest = Math.max(slowest, seconds);
    let left = 0;
    for await (const path of filesBelow(join(world.folder, name))) left += (await Deno.stat(path)).size;
    if (code !== 1 || !said.includes("HubError")) failures.push(`${lie}: exit code ${code}: ${lastLine(said)}`);
    if (left > 64 << 20) failures.push(`${lie}: ${left >> 20} MiB were written`);
    if (said.includes("secret")) failures.push(`${lie}: the token is in the message`);
  }
  return {
    fault: "hubs that are slow or lie",
    tried: Object.keys(LIES).length,
    failures,
    note: `${slowest.toFixed(1)} s until the error at most`,
  };
}
