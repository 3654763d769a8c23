/**
 * The same engine on a page in Chromium, by its software adapter. It runs where `KINDRED_CHROMIUM` names the browser.
 */
import assert from "node:assert/strict";
import { table } from "../conformance/table.ts";

const chromium = Deno.env.get("KINDRED_CHROMIUM");

/** Scripts for a page, from files beside this one. */
async function bundled(file: string, folder: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--no-lock",
      "--platform",
      "browser",
      "-o",
      `${folder}/${file}.js`,
      `${import.meta.dirname}/${file}.ts`,
    ],
    stderr: "piped",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return await Deno.readTextFile(`${folder}/${file}.js`);
}

Deno.test({
  name: "every kernel is what its definition says on a page in Chromium",
  ignore: !chromium,
  fn: async () => {
    const folder = await Deno.makeTempDir();
    const page = `<!doctype html><script type="importmap">
      {"imports": {"node:assert/strict": "/page_assert.js"}}</script><script type="module" src="/page.js"></script>`;
    const files = new Map([["/", page]]);
    for (const file of ["page", "page_assert"]) files.set(`/${file}.js`, await bundled(file, folder));
    const done = Promise.withResolvers<{ adapter: string; passed: string[]; faults: string[] }>();
    const server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/done") done.resolve(await request.json());
      const body = files.get(pathname);
      const type = pathname === "/" ? "text/html" : "text/javascript";
      return new Response(body ?? "", { status: body === undefined ? 404 : 200, headers: { "content-type": type } });
    });
    const browser = new Deno.Command(chromium!, {
      args: [
        "--headless",
        "--no-sandbox",
        "--no-first-run",
        "--disable-background-networking",
        "--enable-unsafe-webgpu",
        "--use-webgpu-adapter=swiftshader",
        `--user-data-dir=${folder}/profile`,
        `http://localhost:${server.addr.port}/`,
      ],
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const ended = browser.status.then(() => {
        throw new Error("the browser ended before the suite did");
      });
      const { passed, faults } = await Promise.race([done.promise, ended]);
      assert.deepEqual(faults, []);
      assert.ok(passed.length > Object.keys(table).length);
    } finally {
      browser.kill();
      await browser.status.catch(() => {});
      await server.shutdown();
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    }
  },
});
