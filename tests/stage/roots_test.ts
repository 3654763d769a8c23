import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { modelFolder } from "../../lib/stage/roots.ts";

Deno.test("what can be no name of the hub is a folder that is not there: nobody is asked for it", async () => {
  for (
    const name of ["./nosuch", "../nosuch", "nosuch", "/nosuch/model", "~/models/mine", "a/b/c", "./a/b", ".hidden/x"]
  ) {
    await assert.rejects(modelFolder(name), (error) => {
      assert.ok(error instanceof UsageError, `${name}: ${error}`);
      assert.equal(error.summary, "there is no such model");
      return true;
    });
  }
});
