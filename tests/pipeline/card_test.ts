import assert from "node:assert/strict";
import { join } from "node:path";
import { folderFacts, originOf, promptNames, sourceName } from "../../lib/pipeline/card.ts";
import { copyFolder } from "../../lib/pipeline/output.ts";
import { modelCard } from "../../lib/train/model_card.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";

Deno.test("a card holds no path of this machine, no markup of a user's, and what was measured", async () => {
  assert.equal(await sourceName("/home/ann/secret/pairs.csv"), "pairs.csv");
  assert.equal(await sourceName("./a/gold.csv + nyu-mll/glue/mnli#train"), "gold.csv + nyu-mll/glue/mnli#train");
  const text = modelCard({
    title: "A model",
    story: "A story.",
    baseModel: "owner/name",
    license: "apache-2.0",
    facts: { "trained on": await sourceName("./<script>alert(1)</script>|x.csv"), left: undefined },
    evaluation: { on: "rows held out", before: { "cosine_ndcg@10": 0.5 }, after: { "cosine_ndcg@10": 0.75 } },
    settings: { epochs: 1 },
    warnings: ["it became <worse>"],
  });
  assert.ok(!/<script|<worse>|left/.test(text), text);
  assert.match(text, /^---\n[\s\S]*base_model: "owner\/name"\nlicense: "apache-2.0"\n---\n/);
  assert.match(text, /\| cosine_ndcg@10 \| 0\.5000 \| 0\.7500 \|/);
  assert.match(text, /```ts\nimport[\s\S]*```python\n/);
});

Deno.test("a model with prompts is used with them on its card", async () => {
  const folder = join(await Deno.makeTempDir(), "model");
  await copyFolder(await sampleBaseModel(), folder);
  const file = join(folder, "config_sentence_transformers.json");
  const withPrompts = async (more: object) => {
    await Deno.writeTextFile(file, JSON.stringify(more));
    return await promptNames(folder);
  };
  const prompts = { query: "query: ", document: "" };
  assert.deepEqual(await withPrompts({ prompts, default_prompt_name: null }), ["query", "document"]);
  assert.deepEqual(await withPrompts({ prompts, default_prompt_name: "query" }), []);
  assert.deepEqual(await withPrompts({ prompts: { query: "", document: "" } }), []);
  const card = modelCard({ title: "A model", story: "", settings: {}, prompts: ["query", "document"] });
  for (const use of [/promptName: "query"/, /promptName: "document"/, /prompt_name="document"/]) {
    assert.match(card, use);
  }
  await Deno.remove(join(folder, ".."), { recursive: true });
});

Deno.test("the origin of a model: its id on the hub, or the name and licence of a folder", async () => {
  assert.deepEqual(await originOf("owner/name"), { name: "owner/name", baseModel: "owner/name" });
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "README.md"), "---\ntags: [a]\nlicense: mit\n---\n# A model\n");
    assert.deepEqual(await originOf(folder), { name: folder.split(/[/\\]/).at(-1), license: "mit" });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const facts = await folderFacts(await sampleBaseModel());
  assert.deepEqual([facts["pooling"], facts["features of an embedding"]], ["mean", 128]);
});
