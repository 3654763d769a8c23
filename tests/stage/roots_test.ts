import assert from "node:assert/strict";
import { join } from "node:path";
import { CheckpointError, UsageError } from "../../lib/error.ts";
import { filesOf } from "../../lib/stage/digest.ts";
import { model, modelFolder } from "../../lib/stage/roots.ts";
import { runStages } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";

Deno.test("a folder of something else is no model, which is known before all that is in it is read", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "letter.txt"), "Dear Anna");
    const cacheDir = join(folder, "cache");
    await assert.rejects(runStages(model(folder), { cacheDir }), (error) => {
      assert.ok(error instanceof CheckpointError);
      assert.deepEqual([error.summary, error.expected], ["a file of the model is missing", "config.json"]);
      return true;
    });
  }));

Deno.test("links to files are files, what is behind a link to a folder counts; one back to where it stands leads nowhere", () =>
  withFolder(async (folder) => {
    const [model, elsewhere] = [join(folder, "model"), join(folder, "elsewhere")];
    for (const each of [model, elsewhere]) await Deno.mkdir(each);
    await Deno.writeTextFile(join(elsewhere, "weights"), "1");
    await Deno.writeTextFile(join(model, "text"), "text");
    await Deno.symlink("text", join(model, "link"), { type: "file" });
    for (const name of ["first", "second"]) await Deno.symlink("../elsewhere", join(model, name), { type: "dir" });
    await Deno.symlink("../model", join(elsewhere, "back"), { type: "dir" });
    const wanted = ["first/weights", "link", "second/weights", "text"];
    assert.deepEqual(await filesOf(model), wanted.map((name) => join(model, name)));
  }));

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
