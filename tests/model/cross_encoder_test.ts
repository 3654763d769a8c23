import assert from "node:assert/strict";
import { readParameters } from "../../lib/model/parameters.ts";
import { join } from "node:path";
import { writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { type Engine, scopeAsync } from "../../lib/engine/engine.ts";
import { CheckpointError, UsageError } from "../../lib/error.ts";
import {
  type CrossEncoder,
  freeCrossEncoder,
  loadCrossEncoder,
  saveCrossEncoder,
  score,
} from "../../lib/model/cross_encoder.ts";
import { type TrainingKey, uploadBatch } from "../../lib/model/batch.ts";
import { inference } from "../../lib/tensor/tape.ts";
import { packPairs, tokenizeBare } from "../../lib/text/pairs.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder/expected.json")));
const pairs: [string, string][] = golden.pairs;
const folderOf = (name: string) => goldenPath(`cross_encoder/${name}`);

async function logits(engine: Engine, model: CrossEncoder, training?: TrainingKey, rows = [...pairs.keys()]) {
  const [first, second] = [0, 1].map((i) => tokenizeBare(model.tokenizer, pairs.map((pair) => pair[i]!)));
  const [a, b] = [{ texts: await first!, rows }, { texts: await second!, rows }];
  const packed = packPairs(model.pair, a, b, { maxLength: model.maxSeqLength, streams: rows });
  return await scopeAsync(
    engine,
    async () => await engine.read(score(inference(engine), model, uploadBatch(engine, packed), training).value),
  );
}

function deviationOf(weights: Iterable<number>): number {
  const squares = Array.from(weights, (w) => w * w);
  return Math.sqrt(squares.reduce((a, b) => a + b) / squares.length);
}

for (const { name: engineName, create } of engines) {
  for (const [name, expected] of Object.entries<Record<string, number & number[]>>(golden.predictions)) {
    Deno.test(`${engineName}: ${name} has the logits of sentence-transformers, and keeps them when saved`, async () => {
      const engine = await create();
      const path = await Deno.makeTempDir();
      const model = await loadCrossEncoder(engine, folderOf(name));
      assert.equal(model.labels, expected["labels"]);
      assert.equal(model.maxSeqLength, expected["maxSeqLength"]);
      assert.equal(model.activation, { bert_score: "tanh" }[name] ?? (model.labels === 1 ? "sigmoid" : "identity"));
      const found = await logits(engine, model);
      assertNear("logits", found, expected["logits"]!, 1e-5);
      await saveCrossEncoder(engine, model, join(path, "saved"), "# A model\n");
      freeCrossEncoder(engine, model);
      const { live } = engine.memory();
      const again = await loadCrossEncoder(engine, join(path, "saved"), { labels: expected["labels"]! });
      for (const key of ["activation", "maxSeqLength", "pair", "prompts", "defaultPromptName"] as const) {
        assert.deepEqual(again[key], model[key], key);
      }
      assert.deepEqual(await logits(engine, again), found);
      freeCrossEncoder(engine, again);
      assert.equal(engine.memory().live, live);
      engine.close();
      await Deno.remove(path, { recursive: true });
    });
  }
}

Deno.test("a saved cross-encoder is the classic folder, and names what a reader of any version looks for", async () => {
  const engine = await engines[0]!.create();
  const path = await Deno.makeTempDir();
  const model = await loadCrossEncoder(engine, folderOf("bert_classes"));
  const half = { ...model, config: { ...model.config, torch_dtype: "float16", num_labels: 3 } };
  await saveCrossEncoder(engine, half, path, "# A model\n");
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  assert.deepEqual(names, [
    ".kindred.json",
    "README.md",
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
  ]);
  const config = JSON.parse(await Deno.readTextFile(join(path, "config.json")));
  assert.deepEqual(config.architectures, ["BertForSequenceClassification"]);
  assert.deepEqual(config.id2label, { 0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2" });
  assert.equal(config.sentence_transformers.activation_fn, "torch.nn.modules.linear.Identity");
  assert.equal(config.sbert_ce_default_activation_function, "torch.nn.modules.linear.Identity");
  assert.deepEqual([config.torch_dtype, config.dtype, config.num_labels], [undefined, undefined, undefined]);
  engine.close();
  await Deno.remove(path, { recursive: true });
});

Deno.test("prompts are kept, in the files of version 6", async () => {
  const engine = await engines[0]!.create();
  const path = await Deno.makeTempDir();
  const model = await loadCrossEncoder(engine, folderOf("roberta_score"));
  assert.deepEqual(model.prompts, { query: "the fast " });
  await saveCrossEncoder(engine, model, path, "# A model\n");
  const general = JSON.parse(await Deno.readTextFile(join(path, "config_sentence_transformers.json")));
  assert.deepEqual([general.model_type, general.prompts], ["CrossEncoder", { query: "the fast " }]);
  assert.deepEqual((await loadCrossEncoder(engine, path)).prompts, model.prompts);
  engine.close();
  await Deno.remove(path, { recursive: true });
});

Deno.test("a bi-encoder's folder is a model to start from: its pooler stays, the head follows the seed", async () => {
  const engine = await engines[0]!.create();
  const folder = goldenPath("training/model");
  const [one, same, other] = [
    await loadCrossEncoder(engine, folder, { labels: 3, seed: 1, trained: true }),
    await loadCrossEncoder(engine, folder, { labels: 3, seed: 1 }),
    await loadCrossEncoder(engine, folder, { labels: 3, seed: 2, freeze: "embeddings", trained: true }),
  ];
  const read = async (model: CrossEncoder, name: string) => await engine.read(model.parameters[name]!.value);
  assert.deepEqual(await read(one, "classifier.weight"), await read(same, "classifier.weight"));
  assert.notDeepEqual(await read(one, "classifier.weight"), await read(other, "classifier.weight"));
  assert.deepEqual(await read(one, "pooler.dense.weight"), await read(other, "pooler.dense.weight"));
  assert.deepEqual([...await read(one, "classifier.bias")], [0, 0, 0]);
  const weights = await read(one, "classifier.weight");
  const deviation = deviationOf(weights);
  assert.ok(deviation > 0.012 && deviation < 0.028, `${deviation}`);
  assert.deepEqual([one.labels, one.activation], [3, "identity"]);
  assert.ok(Object.values(one.parameters).every(({ gradient }) => gradient !== undefined));
  assert.ok(Object.values(same.parameters).every(({ gradient }) => gradient === undefined));
  const frozen = Object.keys(other.parameters).filter((name) => !other.parameters[name]!.needsGradient);
  assert.ok(frozen.length > 0 && frozen.every((name) => name.startsWith("embeddings.")));
  const plain = await loadCrossEncoder(engine, folder);
  assert.deepEqual([plain.labels, plain.activation], [1, "sigmoid"]);
  engine.close();
});

Deno.test("a checkpoint without a pooler gets a new one", async () => {
  const engine = await engines[0]!.create();
  const { sampleBaseModel } = await import("../../lib/data/sample/models.ts");
  const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 2, seed: 5 });
  const weights = await engine.read(model.parameters["pooler.dense.weight"]!.value);
  const deviation = deviationOf(weights);
  assert.ok(Math.abs(deviation - 0.02) < 0.001, `${deviation}`);
  engine.close();
});

Deno.test("dropout of the head follows row and step, not the place in the batch; without training there is none", async () => {
  const engine = await engines[0]!.create();
  for (const name of ["bert_classes", "roberta_classes"]) {
    const model = { ...await loadCrossEncoder(engine, folderOf(name)), dropout: 0.5 };
    const [key, next] = [{ seed: 1, step: 1 }, { seed: 1, step: 2 }];
    const [plain, dropped] = [await logits(engine, model), await logits(engine, model, key)];
    assert.notDeepEqual(dropped, plain);
    assert.notDeepEqual(await logits(engine, model, next), dropped);
    const alone = await logits(engine, model, key, [4, 2]);
    assertNear(name, alone, [...dropped.slice(12, 15), ...dropped.slice(6, 9)], 1e-5);
  }
  engine.close();
});

Deno.test("checkpoints that do not fit are refused", async (t) => {
  const engine = await engines[0]!.create();
  const cases: Record<string, (folder: string) => Promise<void>> = {
    "cut short": async (folder) => {
      const bytes = await Deno.readFile(join(folder, "model.safetensors"));
      await Deno.writeFile(join(folder, "model.safetensors"), bytes.subarray(0, bytes.length - 40));
    },
    "another number of labels in the configuration": async (folder) => {
      const config = JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
      await Deno.writeTextFile(
        join(folder, "config.json"),
        JSON.stringify({ ...config, id2label: { 0: "a", 1: "b" } }),
      );
    },
    "no classifier in the weights": async (folder) => {
      const model = await loadCrossEncoder(engine, folder);
      const tensors = await readParameters(engine, model.encoder.parameters);
      await writeSafetensors(join(folder, "model.safetensors"), tensors);
    },
    "an unknown activation": async (folder) => {
      const path = join(folder, "config_sentence_transformers.json");
      const general = JSON.parse(await Deno.readTextFile(path));
      await Deno.writeTextFile(path, JSON.stringify({ ...general, activation_fn: "my.module.Square" }));
    },
    "several modules": async (folder) => {
      const path = join(folder, "modules.json");
      const modules = JSON.parse(await Deno.readTextFile(path));
      const dense = { idx: 1, name: "1", path: "1_Dense", type: "sentence_transformers.base.modules.dense.Dense" };
      await Deno.writeTextFile(path, JSON.stringify([...modules, dense]));
    },
  };
  for (const [name, damage] of Object.entries(cases)) {
    await t.step(name, async () => {
      const folder = await Deno.makeTempDir();
      for (const { name } of Deno.readDirSync(folderOf("bert_classes"))) {
        await Deno.copyFile(join(folderOf("bert_classes"), name), join(folder, name));
      }
      await damage(folder);
      await assert.rejects(loadCrossEncoder(engine, folder), CheckpointError);
      if (name === "an unknown activation") {
        assert.equal((await loadCrossEncoder(engine, folder, { activation: "identity" })).activation, "identity");
      }
      await Deno.remove(folder, { recursive: true });
    });
  }
  await t.step("another number of labels than wanted", async () => {
    await assert.rejects(loadCrossEncoder(engine, folderOf("bert_classes"), { labels: 2 }), (error) => {
      assert.ok(error instanceof CheckpointError);
      assert.deepEqual([error.expected, error.found], ["2", "3"]);
      return true;
    });
    await assert.rejects(loadCrossEncoder(engine, folderOf("bert_classes"), { labels: 0 }), UsageError);
  });
  engine.close();
});
