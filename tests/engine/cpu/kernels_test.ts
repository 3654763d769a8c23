import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("the kernels in the repository are what their source compiles to", async () => {
  const build = fileURLToPath(new URL("../../../tools/kernels/build.ts", import.meta.url));
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", build, "--check"],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
});
