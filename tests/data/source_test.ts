import assert from "node:assert/strict";
import { join } from "node:path";
import { parseSource, resolveSource } from "../../lib/data/source.ts";

Deno.test("a source is a path or a dataset of the hub", async () => {
  const hub = { kind: "hub", config: undefined, revision: "main", split: undefined };
  assert.deepEqual(await parseSource("owner/name"), { ...hub, id: "owner/name" });
  assert.deepEqual(await parseSource("nyu-mll/glue/mnli#train"), {
    ...hub,
    id: "nyu-mll/glue",
    config: "mnli",
    split: "train",
  });
  assert.deepEqual(await parseSource("owner/name@v1.0#test"), {
    ...hub,
    id: "owner/name",
    revision: "v1.0",
    split: "test",
  });
  for (const path of ["./owner/name", "/owner/name", "../a/b", "a.csv", "data/a.parquet", "lib/data"]) {
    assert.deepEqual(await parseSource(path), { kind: "path", path });
  }
  assert.deepEqual(await parseSource("hub:lib/data"), { ...hub, id: "lib/data" });
});

Deno.test("files of one configuration and split are found in the cache, in order", async () => {
  const cache = await Deno.makeTempDir();
  try {
    const repo = join(cache, "datasets--owner--name");
    const commit = "c".repeat(40);
    await Deno.mkdir(join(repo, "refs"), { recursive: true });
    await Deno.writeTextFile(join(repo, "refs", "main"), commit);
    const files = [
      "mnli/train-00001-of-00002.parquet",
      "mnli/train-00000-of-00002.parquet",
      "mnli/validation_matched-00000-of-00001.parquet",
      "stsb/train-00000-of-00001.parquet",
      "README.md",
    ];
    for (const file of files) {
      const path = join(repo, "snapshots", commit, ...file.split("/"));
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.writeTextFile(path, "x");
    }
    const environment = { endpoint: "http://127.0.0.1:1", token: undefined, cache, offline: true };
    const { paths, version } = await resolveSource("owner/name/mnli#train", { environment });
    assert.deepEqual(paths.map((path) => path.replaceAll("\\", "/").split("/").slice(-2).join("/")), [
      "mnli/train-00000-of-00002.parquet",
      "mnli/train-00001-of-00002.parquet",
    ]);
    assert.equal(version, commit);
    await assert.rejects(resolveSource("owner/name#train", { environment }), { _tag: "DatasetError" });
    await assert.rejects(resolveSource("owner/name/mnli#test", { environment }), { _tag: "HubError" });
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
