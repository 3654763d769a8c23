import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { sampleBaseModel, samplePairModel } from "../../lib/data/sample/mod.ts";
import { withFolder } from "../folder.ts";

const namesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
const files = ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt"];

Deno.test("a model of the sample is laid down once, under a name that its contents give it", () =>
  withFolder(async (cacheDir) => {
    const folder = await sampleBaseModel({ cacheDir });
    assert.deepEqual(await namesIn(folder), files);
    const { ctime } = await Deno.stat(folder);
    assert.equal(await sampleBaseModel({ cacheDir }), folder);
    assert.deepEqual((await Deno.stat(folder)).ctime, ctime, "it was there already");
    assert.notEqual(await samplePairModel({ cacheDir }), folder);
    assert.equal((await namesIn(dirname(folder))).length, 2, "no temporary folder stays");
  }));

Deno.test("a model of the sample that was damaged is laid down again", () =>
  withFolder(async (cacheDir) => {
    const folder = await sampleBaseModel({ cacheDir });
    const weights = join(folder, "model.safetensors");
    const bytes = await Deno.readFile(weights);
    const damages = [
      () => Deno.truncate(weights, 100),
      () => Deno.writeFile(weights, bytes.map((byte, i) => i === 5000 ? byte ^ 1 : byte)),
      () => Deno.remove(join(folder, "vocab.txt")),
      async () => {
        await Deno.remove(folder, { recursive: true });
        await Deno.writeTextFile(folder, "a file");
      },
    ];
    for (const damage of damages) {
      await damage();
      assert.equal(await sampleBaseModel({ cacheDir }), folder);
      assert.deepEqual(await Deno.readFile(weights), bytes);
      assert.deepEqual(await namesIn(folder), files);
      assert.equal((await namesIn(dirname(folder))).length, 1);
    }
  }));

Deno.test("many that lay it down at once all get it whole", () =>
  withFolder(async (cacheDir) => {
    const folders = await Promise.all(Array.from({ length: 8 }, () => sampleBaseModel({ cacheDir })));
    assert.equal(new Set(folders).size, 1);
    assert.deepEqual(await namesIn(folders[0]!), files);
    assert.equal((await namesIn(dirname(folders[0]!))).length, 1);
  }));
