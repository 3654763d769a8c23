import assert from "node:assert/strict";
import { locateModel } from "../../lib/hub/named_model.ts";

Deno.test({
  name: "a folder that may not be read is no missing model",
  permissions: { read: false, env: true },
  fn: () => assert.rejects(locateModel("/tmp/a/model"), Deno.errors.NotCapable),
});

Deno.test("a folder that is not there is", () => assert.rejects(locateModel("/nowhere/model"), /no such model/));
