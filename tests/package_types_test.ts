import assert from "node:assert/strict";
import { config, exportsAt, here, newUser } from "./package.ts";

Deno.test("every export type-checks with a user's own compiler options, which are Deno's", async () => {
  const imports = exportsAt(here);
  await using user = await newUser({ ...imports, ...config.imports });
  await user.write("use.ts", Object.keys(imports).map((name, i) => `export * as m${i} from "${name}";\n`).join(""));
  const { code, output } = await user.deno("check", "use.ts");
  assert.equal(code, 0, output);
});
