import assert from "node:assert/strict";
import { join } from "node:path";
import { ownFiles, replaceFolder } from "../../lib/checkpoint/folder.ts";
import { withFolder } from "../folder.ts";

const write = (files: Readonly<Record<string, string>>) => async (folder: string) => {
  for (const [name, contents] of Object.entries(files)) {
    await Deno.mkdir(join(folder, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(folder, name), contents);
  }
};
const namesIn = async (folder: string) => (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();

Deno.test("a folder of ours is replaced whole; nothing is left beside it", () =>
  withFolder(async (folder) => {
    const to = join(folder, "model");
    await replaceFolder(to, write({ "config.json": "1", "1_Pooling/config.json": "1" }));
    assert.deepEqual([...(await ownFiles(to))!], [join("1_Pooling", "config.json"), "config.json"]);
    await replaceFolder(to, write({ "config.json": "2" }));
    assert.deepEqual(await namesIn(to), [".kindred.json", "config.json"]);
    assert.deepEqual(await namesIn(folder), ["model"]);
  }));

Deno.test("files of others stay, in a folder of theirs and in one of ours", () =>
  withFolder(async (folder) => {
    await write({ "thesis/chapter.tex": "mine", "config.json": "theirs" })(folder);
    await replaceFolder(folder, write({ "config.json": "1", "old.json": "1" }));
    await replaceFolder(folder, write({ "config.json": "2" }));
    assert.equal(await Deno.readTextFile(join(folder, "thesis", "chapter.tex")), "mine");
    assert.equal(await Deno.readTextFile(join(folder, "config.json")), "2");
    assert.deepEqual(await namesIn(folder), [".kindred.json", "config.json", "thesis"]);
  }));

Deno.test("a failure leaves everything as it was, and a file is no folder", () =>
  withFolder(async (folder) => {
    const to = join(folder, "model");
    await replaceFolder(to, write({ "config.json": "1" }));
    await assert.rejects(replaceFolder(to, () => Promise.reject(new Error("no room"))), /no room/);
    assert.equal(await Deno.readTextFile(join(to, "config.json")), "1");
    const file = join(folder, "notes");
    await Deno.writeTextFile(file, "mine");
    await assert.rejects(replaceFolder(file, write({ "config.json": "1" })), /this is a file/);
    assert.equal(await Deno.readTextFile(file), "mine");
    assert.deepEqual(await namesIn(folder), ["model", "notes"]);
  }));

Deno.test("a list that names files outside of the folder removes none of them", () =>
  withFolder(async (folder) => {
    await write({ "precious": "mine", "model/other": "theirs", "model/.kindred.json": '{"files":["../precious"]}' })(
      folder,
    );
    await replaceFolder(join(folder, "model"), write({ "config.json": "1" }));
    assert.equal(await Deno.readTextFile(join(folder, "precious")), "mine");
    assert.equal(await Deno.readTextFile(join(folder, "model", "other")), "theirs");
  }));
