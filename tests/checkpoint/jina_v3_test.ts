import { Effect } from "effect";
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { attempt } from "../../lib/attempt.ts";
import { openWeights } from "../../lib/checkpoint/adapter.ts";
import { locateNamed } from "../../lib/checkpoint/named_adapter.ts";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { readFolder } from "../../lib/checkpoint/sentence_transformers.ts";
import { datasetOf } from "../../lib/data/rows.ts";
import { tokenEmbeddings } from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/mod.ts";
import { KindredError } from "../../lib/error.ts";
import { losses } from "../../lib/loss/mod.ts";
import { loadBiEncoder, saveBiEncoder } from "../../lib/model/bi_encoder.ts";
import { originOf } from "../../lib/pipeline/card.ts";
import { copyFolder } from "../../lib/pipeline/output.ts";
import { savedModel } from "../../lib/pipeline/saved_model.ts";
import { trainBiEncoder } from "../../lib/pipeline/stages/train.ts";
import { model as modelOf } from "../../lib/stage/roots.ts";
import { given, runStages } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";
import { commit, contents, withHub } from "../hub/server.ts";
import { assertNear, goldenPath, goldenTensors } from "../golden/golden.ts";

const TEXTS = ["A man is playing a guitar.", "Someone plays music.", "Zürich 42!"];
/** Names of the adapters, and of their tasks in the expected features. */
const LAYOUTS = {
  hf: { retrieval_query: "retrieval.query", retrieval_passage: "retrieval.passage", text_matching: "text-matching" },
  original: {
    "retrieval.query": "retrieval.query",
    "retrieval.passage": "retrieval.passage",
    "text-matching": "text-matching",
  },
};

/** A published layout with its tokenizer, and a cache. */
async function withLayout(
  layout: keyof typeof LAYOUTS,
  body: (model: string, cache: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const model = join(folder, "jina#v3"); // a folder may be called so
    await copyFolder(goldenPath(`jina_tasks/${layout}`), model);
    for (const name of ["tokenizer.json", "tokenizer_config.json"]) {
      await Deno.copyFile(goldenPath(`tokenizers/xlm_roberta/${name}`), join(model, name));
    }
    await body(model, join(folder, "cache"));
  });
}

const changed = (file: string, change: (config: Record<string, unknown>) => object) =>
  Deno.readTextFile(file).then((text) => Deno.writeTextFile(file, JSON.stringify(change(JSON.parse(text)))));

for (const [layout, adapters] of Object.entries(LAYOUTS)) {
  Deno.test(`jina v3 in the layout ${layout}: each task by name as in Python, and saved as a model`, () =>
    withLayout(layout as keyof typeof LAYOUTS, async (model, cache) => {
      const expected = await goldenTensors("jina_tasks/expected.safetensors");
      const engine = createCpuEngine({ threads: 1 });
      const features = async (folder: string, prompt?: string) => {
        const loaded = await loadBiEncoder(engine, folder);
        return {
          ...await tokenEmbeddings(engine, loaded, TEXTS, prompt === undefined ? {} : { prefix: prompt }),
          loaded,
        };
      };
      const plain = await features(model);
      assertNear("without a task", plain.data, expected.get("none")!, 1e-6);
      assert.deepEqual([plain.loaded.defaultPromptName, plain.loaded.encoder.config.family], [
        undefined,
        "jina_embeddings_v3",
      ]);
      for (const [name, task] of Object.entries(adapters)) {
        const { folder, within } = await locateNamed(`${model}#${name}`, cache);
        assert.deepEqual([within, basename(folder)], [{ folder: model, adapter: name }, name]);
        const { data, loaded } = await features(folder, "");
        assertNear(task, data, expected.get(task)!, 1e-6);
        // The instruction of the task goes before its texts, as the model's own code puts it there.
        assert.equal(loaded.defaultPromptName, task === "text-matching" ? undefined : task);
        assert.deepEqual(loaded.prompts, {
          "retrieval.query": "a query: ",
          "retrieval.passage": "a passage: ",
          "text-matching": "",
        });
        // It is saved with the adapter in its weights, as what transformers knows, and is a model alone.
        const saved = join(cache, "saved", task);
        await saveBiEncoder(engine, loaded, saved, "# A model\n");
        assert.deepEqual((await features(saved, "")).data, data);
        const config = JSON.parse(await Deno.readTextFile(join(saved, "config.json")));
        assert.deepEqual(Object.keys(config).filter((key) => /lora|adapt|auto_map|task/.test(key)), []);
        assert.deepEqual([config.model_type, config.architectures], ["jina_embeddings_v3", ["JinaEmbeddingsV3Model"]]);
        const reader = await openTensors(saved);
        assert.ok([...reader.tensors.keys()].every((each) => !/lora|parametrizations/.test(each)));
        reader.close();
        const { defaultPromptName, modules } = await readFolder(saved);
        assert.equal(defaultPromptName, loaded.defaultPromptName);
        assert.equal(modules.length, layout === "original" ? 2 : 1);
      }
      engine.close();
    }));
}

Deno.test("a task that a model does not have is refused with those that it has; so is any other model's own code", () =>
  withLayout("original", async (model, cache) => {
    const refused = (promise: Promise<unknown>, message: RegExp) =>
      assert.rejects(promise, (error) => {
        assert.ok(error instanceof KindredError, String(error));
        assert.match([error.message, error.expected, error.found].join(" "), message);
        return true;
      });
    const none = /no adapter of this name/;
    await refused(
      locateNamed(`${model}#retrieval_query`, cache),
      /retrieval\.query, retrieval\.passage, text-matching/,
    );
    await refused(locateNamed(`${goldenPath("jina_tasks/hf")}#text-matching`, cache), /retrieval_query, text_matching/);
    await refused(locateNamed(`${goldenPath("encoders/bert")}#query`, cache), none);
    await refused(locateNamed(`${model}#../cache`, cache), /no such model/);
    await refused(locateNamed(`${model}-gone#query`, cache), /no such model/);

    // What is kept of a task is made anew where the model has changed.
    const before = await locateNamed(`${model}#text-matching`, cache);
    assert.equal((await locateNamed(`${model}#text-matching`, cache)).folder, before.folder);
    const config = join(model, "config.json");
    await changed(config, (json) => ({ ...json, lora_alpha: 30 }));
    const after = await locateNamed(`${model}#text-matching`, cache);
    assert.notEqual(after.folder, before.folder);
    await changed(config, (json) => ({ ...json, lora_rank: 3 }));
    await refused(locateNamed(`${model}#text-matching`, cache), /adapters of the tasks are damaged.*lora_A \[3,/s);
    await changed(config, (json) => ({ ...json, lora_rank: "2" }));
    await refused(locateNamed(`${model}#text-matching`, cache), /numbers for lora_rank/);

    await changed(config, (json) => ({ ...json, architectures: ["JinaEmbeddingsV5Model"] }));
    await refused(readFolder(model), /custom_st\.Transformer/);
    await changed(config, (json) => ({ ...json, architectures: ["XLMRobertaLoRA"] }));
    await readFolder(model);
    await changed(join(model, "modules.json"), (list) => Object.values(list).reverse());
    await refused(readFolder(model), /custom_st\.Transformer/);
  }));

Deno.test("an adapter of a model of the hub is fetched with it, and no other one", async () => {
  for (const name of Object.keys(contents)) delete contents[name];
  const files = ["config.json", "model.safetensors"];
  for (const adapter of Object.keys(LAYOUTS.hf)) {
    files.push(`${adapter}/adapter_config.json`, `${adapter}/adapter_model.safetensors`);
  }
  for (const file of files) contents[file] = await Deno.readFile(goldenPath(`jina_tasks/hf/${file}`));
  await withHub(() => undefined, async ({ environment }) => {
    const located = await locateNamed("owner/jina#text_matching", environment.cache, environment);
    const folder = join(environment.cache, "models--owner--jina", "snapshots", commit);
    assert.deepEqual(located, {
      folder: join(folder, "text_matching"),
      within: { folder, commit, adapter: "text_matching" },
    });
    const { config, weights } = await readFolder(located.folder);
    assert.deepEqual([config["model_type"], weights], ["jina_embeddings_v3", located.folder]);
    const isThere = (file: string) => Deno.stat(join(folder, file)).then(() => true, () => false);
    assert.equal(await isThere("text_matching/adapter_model.safetensors"), true);
    assert.equal(await isThere("retrieval_query/adapter_model.safetensors"), false);
    const offline = { ...environment, offline: true };
    assert.deepEqual(await locateNamed("owner/jina@main#text_matching", environment.cache, offline), located);
    await assert.rejects(locateNamed("owner/jina#text-matching", environment.cache, environment), /text_matching/);
  });
});

Deno.test("the key of a task is that of the model and of the task, wherever the model lies", () =>
  withLayout("original", async (folder, cacheDir) => {
    const keyOf = (source: string) => runStages(Effect.map(modelOf(source), ({ key }) => key), { cacheDir });
    const key = await keyOf(`${folder}#text-matching`);
    await withLayout("original", async (copy) => assert.equal(await keyOf(`${copy}#text-matching`), key));
    assert.equal(new Set([key, await keyOf(folder), await keyOf(`${folder}#retrieval.query`)]).size, 3);
  }));

Deno.test("a training starts from a task, and adapters of its own lie upon the task's", () =>
  withLayout("hf", async (folder, cacheDir) => {
    const data = datasetOf({ anchor: ["the boy eats", "the dog runs"], positive: ["the lad eats", "a hound runs"] });
    const source = `${folder}#retrieval_query`;
    const trained = await runStages(
      Effect.gen(function* () {
        const [model, rows] = [yield* modelOf(source), yield* given(data)];
        const [loss, settings] = [losses.multipleNegativesRanking(), { epochs: 1, lora: { rank: 2 } }];
        const made = yield* trainBiEncoder({ model, data: rows, loss, settings });
        return yield* attempt(() => made.read());
      }),
      { cacheDir, engine: { kernels: "wasm", threads: 1 } },
    );
    const { config, defaultPromptName } = await readFolder(trained.folder);
    assert.deepEqual([config["model_type"], defaultPromptName], ["jina_embeddings_v3", "retrieval.query"]);
    const adapter = await savedModel(trained, "adapter", source);
    const own = join(cacheDir, "own");
    await copyFolder(adapter.folder, own);
    for (const [name, text] of Object.entries(adapter.texts)) await Deno.writeTextFile(join(own, name), text);
    assert.equal(JSON.parse(adapter.texts["adapter_config.json"]!)["base_model_name_or_path"], source);
    const [merged, whole] = [await openWeights(own), await openWeights(trained.folder)];
    const name = [...merged.tensors.keys()].find((each) => each.endsWith("Wqkv.weight"))!;
    const found = [...whole.tensors.keys()].find((each) => each.endsWith(name))!;
    assertNear(name, await merged.readF32(name), await whole.readF32(found), 1e-6);
    for (const reader of [merged, whole]) reader.close();
    assert.deepEqual(await originOf(source), { name: "jina#v3#retrieval_query", license: undefined });
    assert.deepEqual(await originOf("owner/name#task"), { name: "owner/name#task", baseModel: "owner/name" });
  }));
