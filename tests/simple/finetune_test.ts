import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleNli } from "../../lib/data/sample/mod.ts";
import { UsageError } from "../../lib/error.ts";
import { losses } from "../../lib/loss/mod.ts";
import { encode, evaluate, finetune, type FinetuneSettings, tsdae } from "../../lib/simple/mod.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

const nli = sampleNli({ rows: 60 }).columns;
const common = async (folder: string): Promise<FinetuneSettings> => ({
  model: await sampleBaseModel(),
  output: join(folder, "model"),
  cacheDir: join(folder, "cache"),
  maxSteps: 2,
});

Deno.test("finetune() holds rows out, and says before, after and what is worth knowing", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis };
    const { before, metrics, warnings } = await finetune({
      ...await common(folder),
      ...pairs,
      learningRate: 0.05,
      warmupSteps: 0,
    });
    assert.ok(before["cosine_ndcg@10"]! > 0 && metrics["cosine_ndcg@10"]! > 0);
    assert.match(warnings.join("\n"), /the learning rate 0.05 is 1000 times the usual one/);
    const card = await Deno.readTextFile(join(folder, "model", "README.md"));
    for (const warning of warnings) assert.ok(card.includes(`> **Warning:** ${warning}`), warning);
    assert.match(card, /On 6 rows that were held out:[^]*\| cosine_ndcg@10 \|/);
    assert.match(card, /multiple_negatives_ranking[^]*from 54 rows/);
    const all = await finetune({ ...await common(folder), ...pairs, holdOut: 0 });
    assert.deepEqual([all.before, all.metrics], [{}, {}]);
    assert.match(all.warnings.join("\n"), /no rows were held out/);
  }));

Deno.test("finetune() takes scored pairs and labelled texts, each under a loss of its kind", () =>
  withFolder(async (folder) => {
    const scored = {
      sentence1: nli.premise,
      sentence2: nli.hypothesis,
      score: Float64Array.from(nli.label, (label) => 1 - label / 2),
      loss: losses.cosent(),
      holdOut: 20,
    };
    const first = await finetune({ ...await common(folder), ...scored });
    assert.equal(Object.keys(first.metrics).length, 10);
    const labelled = { text: nli.premise, label: nli.premise.map((text) => text.length % 2 ? "odd" : "even") };
    const second = await finetune({ ...await common(folder), ...labelled, batchSize: 16, holdOut: 0.3 });
    assert.ok(second.metrics["knn_accuracy_cosine"]! >= 0);
  }));

Deno.test("finetune() by a Matryoshka loss measures every length of the rows held out, before and after", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis };
    const loss = losses.matryoshka(losses.multipleNegativesRanking(), { dimensions: [128, 16] });
    const { dimensions, before, metrics } = await finetune({ ...await common(folder), ...pairs, loss });
    assert.deepEqual(dimensions!.map(({ dimensions }) => dimensions), [128, 16]);
    assert.deepEqual(dimensions![0], { dimensions: 128, before, metrics });
    assert.notDeepEqual(dimensions![1]!.before, before);
  }));

Deno.test("finetune() learns from a guide, whatever its tokenizer is", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis, holdOut: 0 };
    const guided = { ...await common(folder), ...pairs, loss: losses.gistEmbed({ margin: 0.1 }) };
    const { steps } = await finetune({ ...guided, guide: goldenPath("folders/static") });
    assert.equal(steps, 2);
    await assert.rejects(finetune(guided), /learns from another model/);
  }));

Deno.test("finetune() trains adapters, and saves the model with them or them alone", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis, holdOut: 0 };
    const settings = { ...await common(folder), ...pairs, lora: { rank: 4, targets: ["query", "value"] } };
    const { trainedParameters, parameters } = await finetune(settings);
    assert.ok(trainedParameters < parameters / 20);
    const alone = join(folder, "alone");
    await finetune({ ...settings, output: alone, loraSave: "adapter" });
    const files = await Array.fromAsync(Deno.readDir(alone), ({ name }) => name);
    assert.ok(files.includes("adapter_model.safetensors") && !files.includes("model.safetensors"));
    const card = await Deno.readTextFile(join(alone, "README.md"));
    assert.match(card, /rank 4, alpha 8, on query, value/);
    assert.match(card, /\| learning rate \| 0.0002 \|/);
    const config = JSON.parse(await Deno.readTextFile(join(alone, "adapter_config.json")));
    assert.equal(config.base_model_name_or_path, settings.model);
    const texts = ["a boy eats", "the dog runs over a bridge"];
    const [merged, loaded, plain] = [
      await encode(settings.output, texts),
      await encode(alone, texts),
      await encode(settings.model, texts),
    ];
    const most = (a: Float32Array, b: Float32Array) => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
    assert.ok(most(merged.data, loaded.data) < 1e-5, `${most(merged.data, loaded.data)}`);
    assert.ok(most(merged.data, plain.data) > 1e-4);
    await assert.rejects(finetune({ ...settings, lora: undefined, loraSave: "adapter" }), /there are none/);
    // @ts-expect-error: a rank is a number
    await assert.rejects(finetune({ ...settings, lora: { rank: "4" } }), /lora.rank must be a whole number/);
    await assert.rejects(finetune({ ...settings, lora: { rank: 4, targets: ["Wqkv"] } }), /names no linear layer/);
    const tsdaeInput = { model: settings.model, texts: nli.premise, output: join(folder, "t"), lora: { rank: 4 } };
    await assert.rejects(tsdae({ ...tsdaeInput, cacheDir: settings.cacheDir }), /this training has no adapters/);
  }));

Deno.test("settings that cannot be trained with are refused, and a signal ends a training with its reason", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis };
    const settings = await common(folder);
    await assert.rejects(finetune({ ...settings, ...pairs, batchSize: 0 }), UsageError);
    // @ts-expect-error: a setting that there is not
    await assert.rejects(finetune({ ...settings, ...pairs, epoch: 3 }), /no setting epoch/);
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const long = { maxSteps: 100_000, signal: controller.signal };
    await assert.rejects(finetune({ ...settings, ...pairs, ...long }), { name: "AbortError" });
    await assert.rejects(encode(settings.model, ["the dog"], { signal: controller.signal }), { name: "AbortError" });
  }));

Deno.test("evaluate() measures pairs by retrieval", async () => {
  const pairs = {
    anchor: ["the boy runs", "a cat"],
    positive: ["the boy runs", "a cat"],
    negative: ["the sea", "a hill"],
  };
  const metrics = await evaluate(await sampleBaseModel(), pairs, { engine: { kernels: "wasm", threads: 1 } });
  assert.equal(metrics["cosine_accuracy@1"], 1);
});

Deno.test("finetune() puts a prompt before each column, and the new model has them by name", () =>
  withFolder(async (folder) => {
    const pairs = { anchor: nli.premise, positive: nli.hypothesis, holdOut: 10 };
    const plain = await finetune({ ...await common(folder), ...pairs });
    const prompts = { anchor: "find this: ", positive: "this was found: " };
    const { log } = await finetune({ ...await common(folder), ...pairs, prompts });
    assert.notEqual(log[0]!.loss, plain.log[0]!.loss);
    const model = join(folder, "model");
    const { prompts: saved } = JSON.parse(await Deno.readTextFile(join(model, "config_sentence_transformers.json")));
    assert.deepEqual([saved.query, saved.document], ["find this: ", "this was found: "]);
    const [named, written] = [
      await encode(model, ["the boy"], { promptName: "query" }),
      await encode(model, ["find this: the boy"], { prefix: "" }),
    ];
    assert.deepEqual(named.data, written.data);
    await assert.rejects(
      finetune({ ...await common(folder), ...pairs, prompts: { question: "q: " } }),
      /no column question/,
    );
  }));
