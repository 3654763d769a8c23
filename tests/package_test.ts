import assert from "node:assert/strict";
import { join } from "node:path";
import { config, here, newUser, readmeExamples, servePackage } from "./package.ts";

const effect = { effect: config.imports["effect"]! };

Deno.test("over HTTP, as from a registry: the README's examples, a pipeline, and a bundle of a user's script", async (t) => {
  await using served = servePackage();
  await using user = await newUser({ ...served.imports, ...effect });
  const examples = await readmeExamples();
  assert.ok(examples.length >= 2, "there are examples");
  for (const [i, code] of examples.entries()) await user.write(`example${i}.ts`, code);
  const all = examples.map((_, i) => `await import("./example${i}.ts");`);
  await user.write("all.ts", [...all, `console.log("all done");`].join("\n"));

  await t.step("the examples", async () => {
    const { code, output } = await user.deno("run", "-A", "all.ts");
    assert.ok(code === 0 && output.includes("all done"), output);
    assert.ok(served.asked.has("lib/simple/finetune.ts"), "the library came over HTTP");
  });
  await t.step("the default pipeline", async () => {
    const pipeline = `${served.address}pipelines/multiple_negatives_ranking.ts`;
    const { code, output } = await user.deno("run", "-A", pipeline, "--preset", "test", "--output", "out");
    assert.equal(code, 0, output);
    const report = JSON.parse(await Deno.readTextFile(join(user.folder, "out/report.json")));
    assert.equal(report.pipeline, "multiple_negatives_ranking");
    assert.ok((await Deno.stat(join(user.folder, "out/model/model.safetensors"))).size > 1e5);
  });
  await t.step("a bundle, which runs alone", async () => {
    await user.write("script.ts", `${examples[0]}\nconsole.log("bundle done", rows, width);`);
    const made = await user.deno("bundle", "--allow-import", "--output", "bundle.js", "script.ts");
    assert.equal(made.code, 0, made.output);
    const alone = ["--no-config", "--no-remote", "--no-npm", "--cached-only"];
    const { code, output } = await user.deno("run", "-A", ...alone, "bundle.js");
    assert.ok(code === 0 && output.includes("bundle done 1 128"), output);
  });
});

Deno.test("nothing is downloaded that is not used: what is named is imported, and what is locked is named", async () => {
  const { specifiers, workspace } = JSON.parse(await Deno.readTextFile(new URL("deno.lock", here)));
  const hint = "tests have a lock of their own: deno task test, or deno test --lock=tests/deno.lock";
  assert.deepEqual(Object.keys(specifiers).sort(), workspace.dependencies.toSorted(), hint);
  assert.equal(workspace.dependencies.length, Object.keys(config.imports).length);
  const sources: string[] = [];
  const read = async (folder: URL) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      if (isDirectory) await read(new URL(`${name}/`, folder));
      else if (name.endsWith(".ts")) sources.push(await Deno.readTextFile(new URL(name, folder)));
    }
  };
  await read(new URL("lib/", here));
  for (const name of Object.keys(config.imports)) {
    const imported = new RegExp(`(from|import) "${name}["/]`);
    assert.ok(sources.some((source) => imported.test(source)), `${name} is imported nowhere`);
  }
});
