import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { checkOutput } from "../../lib/pipeline/output.ts";

Deno.test("an output without a name is refused: it would be the working folder", async () => {
  for (const output of ["", " ", undefined as unknown as string]) {
    await assert.rejects(checkOutput(output, true), UsageError);
  }
});

Deno.test("a folder with files in it that are not ours is refused without force, and a new one is not", async () => {
  const folder = await Deno.makeTempDir();
  await checkOutput(`${folder}/new`, false);
  await Deno.writeTextFile(`${folder}/precious.txt`, "mine");
  await assert.rejects(checkOutput(folder, false), UsageError);
  await checkOutput(folder, true);
  assert.equal(await Deno.readTextFile(`${folder}/precious.txt`), "mine");
  await Deno.remove(folder, { recursive: true });
});
