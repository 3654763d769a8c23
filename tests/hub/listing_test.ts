import assert from "node:assert/strict";
import { HubError } from "../../lib/error.ts";
import { fetchSnapshot, type ListingLimits, listRepo } from "../../lib/hub/mod.ts";
import { commit, contents, type Hub, type Misbehave, withHub } from "./server.ts";

const ref = { kind: "model", id: "owner/name", revision: "main" } as const;
const oid = "0".repeat(40);
const list = ({ environment }: Hub, limits: ListingLimits = {}) =>
  listRepo(ref, environment, { pauseMilliseconds: 1, limits });

/** Instead of a listing. */
const pages = (page: (request: Request, count: number) => Response): Misbehave => (path, request, count) =>
  path.includes("/tree/") ? page(request, count) : undefined;
const next = (url: string) => ({ headers: { link: `<${url}>; rel="next"` } });

Deno.test("listRepo() follows the pages to the end, wherever in the header the next one stands", () =>
  withHub(() => undefined, async (hub) => {
    const { commit: found, files } = await list(hub);
    assert.equal(found, commit);
    assert.deepEqual(files.map(({ path }) => path), Object.keys(contents));
    assert.deepEqual(files.map(({ size }) => size), Object.values(contents).map(({ length }) => length));
    assert.deepEqual(files.filter(({ algorithm }) => algorithm === "sha256").map(({ path }) => path), [
      "model.safetensors",
    ]);
  }));

Deno.test("listRepo() reads relative addresses and other relations of a link header", () =>
  withHub(
    pages((request) =>
      new URL(request.url).searchParams.has("cursor")
        ? Response.json([{ type: "file", path: "b", size: 1, oid }])
        : Response.json([{ type: "file", path: "a", size: 1, oid }], {
          headers: { link: `<?cursor=0>; rel="first", <?cursor=1>; title="more"; rel=next` },
        })
    ),
    async (hub) => assert.deepEqual((await list(hub)).files.map(({ path }) => path), ["a", "b"]),
  ));

Deno.test("listRepo() comes to an end: circles, too many pages, too many bytes, too much time", async () => {
  const empty = (link: string) => Response.json([], next(link));
  await withHub(pages((request) => empty(request.url)), (hub) => assert.rejects(list(hub), /goes in a circle/));
  const growing = pages((request, count) => empty(`${request.url.split("&")[0]}&cursor=${count}`));
  await withHub(growing, async (hub) => {
    await assert.rejects(list(hub, { pages: 5 }), /does not come to an end/);
    assert.equal(hub.log.filter(({ path }) => path.includes("/tree/")).length, 5);
  });
  await withHub(growing, (hub) => assert.rejects(list(hub, { milliseconds: 100 }), /does not come to an end/));
  await withHub(
    pages(() => new Response("[".padEnd(1 << 20))),
    (hub) => assert.rejects(list(hub, { bytes: 1 << 16 }), /does not come to an end/),
  );
  await withHub(
    pages(() => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))),
    (hub) => assert.rejects(list(hub, { milliseconds: 100 }), /does not come to an end/),
  );
});

Deno.test("listRepo() follows a page to another host without the token", () =>
  withHub(
    pages(() => Response.json([{ type: "file", path: "a", size: 1, oid }])),
    (other) =>
      withHub(
        pages((request) => Response.json([], next(`${other.environment.endpoint}${new URL(request.url).pathname}`))),
        async (
          hub,
        ) => {
          const { files } = await list({ ...hub, environment: { ...hub.environment, token: "secret" } });
          assert.equal(files.length, 1);
          assert.ok(hub.log.every(({ token }) => token === "Bearer secret"));
          assert.deepEqual(other.log.map(({ token }) => token), [null]);
        },
      ),
  ));

Deno.test("a listing that is none is a HubError that says what was found", async () => {
  const file = (rest: Record<string, unknown>) => [{ type: "file", path: "a", size: 1, oid, ...rest }];
  const wrong: unknown[] = [
    {},
    null,
    "files",
    [null],
    [1],
    [[]],
    [{}],
    file({ path: 5 }),
    file({ path: null }),
    file({ size: -1 }),
    file({ size: 1e300 }),
    file({ size: "1" }),
    file({ oid: undefined }),
    file({ oid: "../../x" }),
    file({ lfs: { size: 1, oid: "short" } }),
    file({ lfs: { oid: "0".repeat(64) } }),
    ...["", ".", "..", "a/./b", "a/../b", "../x", "/etc/x", "a//b", "a/", "a\\b", "C:\\x", "C:x", "a\0b", "a\nb"]
      .map((path) => file({ path })),
    file({ path: "x".repeat(256) }),
    file({ path: "é".repeat(128) }),
    file({ path: "x/".repeat(600) + "x" }),
    [...file({}), ...file({})],
    [...file({ path: "a" }), ...file({ path: "a/b" })],
  ];
  for (const listing of wrong) {
    await withHub(pages(() => Response.json(listing)), async (hub) => {
      await assert.rejects(list(hub), HubError, JSON.stringify(listing).slice(0, 100));
    });
  }
  await withHub(
    pages(() => Response.json(file({ path: "folder with blanks/ünï.json" }))),
    async (hub) => assert.equal((await list(hub)).files.length, 1),
  );
});

Deno.test("no error shows the token, nor what an address holds besides", async () => {
  const token = "hf_very_secret";
  const echo: Misbehave[] = [
    (path) => path.includes("/revision/") ? Response.json({ sha: token }) : undefined,
    (path) => path.includes("/revision/") ? new Response(`<html>${token}`) : undefined,
    pages(() => Response.json([{ type: "file", path: `../${token}`, size: 1, oid }])),
    pages(() => Response.json([token])),
    (path) => path.includes("/resolve/") ? new Response("no", { status: 403 }) : undefined,
    (path) =>
      path.includes("/resolve/")
        ? new Response(null, { status: 302, headers: { location: `http://127.0.0.1:9/x?signature=${token}` } })
        : undefined,
  ];
  for (const misbehave of echo) {
    await withHub(misbehave, async ({ environment }) => {
      const address = environment.endpoint.replace("http://", "http://user:password@");
      for (const endpoint of [environment.endpoint, address]) {
        await assert.rejects(
          fetchSnapshot(ref, { environment: { ...environment, endpoint, token }, pauseMilliseconds: 1 }),
          (error: unknown) => {
            assert.ok(error instanceof HubError, String(error));
            assert.doesNotMatch(`${JSON.stringify(error)} ${error.stack} ${Deno.inspect(error)}`, /secret|password/);
            return true;
          },
        );
      }
    });
  }
  await withHub(() => undefined, async ({ environment }) => {
    const broken = { ...environment, token: "hf_very_secret\0" };
    await assert.rejects(fetchSnapshot(ref, { environment: broken }), (error: unknown) => {
      assert.ok(error instanceof HubError);
      assert.doesNotMatch(Deno.inspect(error), /secret/);
      return true;
    });
  });
});
