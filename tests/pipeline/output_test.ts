import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { checkOutput, writeOutput } from "../../lib/pipeline/output.ts";

Deno.test("an output without a name is refused: it would be the working folder", async () => {
  for (const output of ["", " ", undefined as unknown as string]) {
    await assert.rejects(checkOutput(output, true), UsageError);
  }
});

Deno.test("a folder that cannot be written is refused before anything is computed, and nothing is left of the trial", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/file`, "");
  await assert.rejects(checkOutput(`${folder}/file/output`, false), UsageError);
  if (Deno.build.os === "linux") {
    await assert.rejects(checkOutput("/proc/kindred/output", false), /cannot be written.*\/proc\/kindred\/output/s);
  }
  await checkOutput(`${folder}/a/b/c`, false);
  assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["file"]);
  await Deno.remove(folder, { recursive: true });
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

Deno.test("a folder whose writing was cut off is ours, and is written again; nothing stays of the first time", async () => {
  const folder = await Deno.makeTempDir();
  const output = `${folder}/output`;
  await Deno.mkdir(`${folder}/model`);
  await Deno.writeTextFile(`${folder}/model/weights`, "w");
  const report = { "report.json": JSON.stringify({ schema: "kindred-training@1" }) };
  // The second folder is not there: the writing ends after the first one.
  await assert.rejects(writeOutput(output, report, { model: `${folder}/model`, other: `${folder}/nosuch` }));
  await checkOutput(output, false);
  const left = `${output}/model.${crypto.randomUUID()}.tmp`;
  await Deno.mkdir(left);
  await Deno.utime(left, new Date(0), new Date(0));
  await writeOutput(output, report, { model: `${folder}/model` });
  const names = (await Array.fromAsync(Deno.readDir(output), ({ name }) => name)).sort();
  assert.deepEqual(names, [".kindred.json", "model", "report.json"]);
  await checkOutput(output, false);
  const fresh = `${folder}/fresh`;
  await writeOutput(fresh, report, { model: `${folder}/model` });
  assert.deepEqual((await Array.fromAsync(Deno.readDir(fresh), ({ name }) => name)).sort(), ["model", "report.json"]);
  await Deno.remove(folder, { recursive: true });
});
