import assert from "node:assert/strict";
import { readParameters } from "../../lib/model/parameters.ts";
import { gradientsOf, tensorsOf } from "../tensors.ts";
import { join } from "node:path";
import { writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { encodeTexts } from "../../lib/embed/encode.ts";
import { type Engine, scope, scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { CheckpointError, UsageError } from "../../lib/error.ts";
import { multipleNegativesRanking } from "../../lib/loss/mod.ts";
import { type BiEncoder, embed, freeBiEncoder, loadBiEncoder, saveBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { loadMaskedLm, saveMaskedLm } from "../../lib/model/masked_lm.ts";
import { columnPrompt, promptLength } from "../../lib/model/prompts.ts";
import { inference } from "../../lib/tensor/tape.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { pack } from "../../lib/text/packed.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { rateAt } from "../../lib/train/schedule.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, goldenPath, goldenTensors } from "../golden/golden.ts";

const folder = goldenPath("training/model");
const golden = JSON.parse(await Deno.readTextFile(goldenPath("training/expected.json")));

async function embeddings(engine: Engine, model: BiEncoder, texts: readonly string[], promptName?: string) {
  const prompt = promptName === undefined ? undefined : model.prompts[promptName];
  const tokens = await tokenize(model.tokenizer, texts, { maxLength: model.maxSeqLength, prompt });
  const batch = uploadBatch(engine, pack([{ texts: tokens, rows: [...texts.keys()] }]));
  return await engine.read(embed(inference(engine), model, batch).value);
}

for (const { name: engineName, create } of engines) {
  Deno.test(`${engineName}: a sentence-transformers folder is read, and its embeddings are equal`, async () => {
    const engine = await create();
    const model = await loadBiEncoder(engine, folder);
    assert.equal(model.maxSeqLength, 16);
    assert.equal(model.width, 12);
    assertNear("plain", await embeddings(engine, model, golden.texts), golden.embeddings, 1e-5);
    assertNear("with prompt", await embeddings(engine, model, golden.texts, "query"), golden.queries, 1e-5);
    engine.close();
  });

  Deno.test(`${engineName}: a model that is not trained has the same bits as one that is, and is saved as it was read`, async () => {
    const engine = await create();
    const [still, trained] = [
      await loadBiEncoder(engine, folder),
      await loadBiEncoder(engine, folder, { trained: true }),
    ];
    assert.deepEqual(await embeddings(engine, still, golden.texts), await embeddings(engine, trained, golden.texts));
    const of = (model: BiEncoder) => readParameters(engine, model.parameters);
    assert.deepEqual(await of(still), await of(trained));
    engine.close();
  });

  // The weights of a key's bias do not count: their gradient is 0 but for rounding, which Adam scales up to full steps,
  // and softmax does not see them.
  for (const tokenBudget of [undefined, 40]) {
    const how = tokenBudget === undefined ? "" : ", with a cached gradient";
    Deno.test(`${engineName}: ten steps of AdamW equal PyTorch's${how}`, async () => {
      const engine = await create();
      const model = await loadBiEncoder(engine, folder, { trained: true });
      const { pairs, batchSize, learningRate, warmup, losses, gradientNorms } = golden;
      const texts = await Promise.all(
        [0, 1].map((column) =>
          tokenize(model.tokenizer, pairs.map((pair: string[]) => pair[column]), { maxLength: model.maxSeqLength })
        ),
      );
      const loss = multipleNegativesRanking();
      const objective = biEncoderObjective({ model, loss, head: {}, texts, tokenBudget });
      const optimizer = openOptimizer(engine, objective.parameters, { weightDecay: golden.weightDecay });
      const schedule = { kind: "linear", learningRate, totalSteps: losses.length, warmupSteps: warmup } as const;
      const [foundLosses, foundNorms]: [number[], number[]] = [[], []];
      for (let step = 0; step < losses.length; step++) {
        await scopeAsync(engine, async () => {
          const rows = Int32Array.from({ length: batchSize }, (_, i) => step * batchSize + i);
          const value = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: step + 1 }, 1);
          update(engine, optimizer, value, { rate: rateAt(schedule, step), step: step + 1 });
          foundLosses.push((await engine.read(value))[0]!);
          foundNorms.push((await engine.read(optimizer.scalars))[STEP.gradientNorm]!);
        });
      }
      assertNear("losses", foundLosses, losses, 1e-3);
      assertNear("norms", foundNorms, gradientNorms, 1e-3);
      assertNear("embeddings", await embeddings(engine, model, golden.texts), golden.trained, 1e-3);
      const expected = await goldenTensors("training/expected.safetensors");
      const found = await tensorsOf(engine, model.parameters);
      const seen = new Set<string>();
      for (const [name, values] of expected) {
        const own = name.replace(/^0\.\w+\./, "").replace(/^2\./, "2_Dense/");
        seen.add(own);
        if (own.endsWith("key.bias")) continue;
        assertNear(own, found.get(own)!, values, 1e-3);
      }
      assert.deepEqual([...seen].sort(), [...found.keys()].sort());
      closeOptimizer(engine, optimizer);
      engine.close();
    });
  }
}

Deno.test("a saved bi-encoder loads again with the same embeddings, and keeps what it did not use", async () => {
  const engine = await engines[0]!.create();
  const path = await Deno.makeTempDir();
  const model = await loadBiEncoder(engine, folder);
  await saveBiEncoder(engine, model, join(path, "saved"), "# A model\n");
  const again = await loadBiEncoder(engine, join(path, "saved"));
  assert.deepEqual(await embeddings(engine, again, golden.texts), await embeddings(engine, model, golden.texts));
  assert.deepEqual(again.modules, model.modules);
  assert.deepEqual(again.prompts, model.prompts);
  assert.deepEqual(again.unused, model.unused);
  assert.equal(again.unused.length, 2, "weight and bias of the pooler");
  assert.equal(again.maxSeqLength, 16);
  freeBiEncoder(engine, model);
  freeBiEncoder(engine, again);
  engine.close();
  await Deno.remove(path, { recursive: true });
});

Deno.test("a folder's truncate_dim cuts embeddings after the last module, and is saved again", async () => {
  const engine = await engines[0]!.create();
  const path = await Deno.makeTempDir();
  try {
    const whole = await loadBiEncoder(engine, folder);
    await saveBiEncoder(engine, { ...whole, truncateDim: 3 }, path, "# A model\n");
    const cut = await loadBiEncoder(engine, path);
    assert.equal(cut.truncateDim, 3);
    const [all, some] = [await encodeTexts(engine, whole, golden.texts), await encodeTexts(engine, cut, golden.texts)];
    assert.deepEqual([some.width, some.rows], [3, all.rows]);
    for (let row = 0; row < all.rows; row++) {
      assert.deepEqual(some.data.slice(3 * row, 3 * row + 3), all.data.slice(all.width * row, all.width * row + 3));
    }
  } finally {
    engine.close();
    await Deno.remove(path, { recursive: true });
  }
});

Deno.test("lengths that no text and no embedding can have are refused before anything is read", async () => {
  const engine = await engines[0]!.create();
  for (const length of [0, -1, 1.5, NaN]) {
    await assert.rejects(loadBiEncoder(engine, folder, { truncateDim: length }), /truncateDim must be a whole number/);
    for (const load of [loadBiEncoder, loadCrossEncoder]) {
      const loading: Promise<unknown> = load(engine, folder, { maxSeqLength: length });
      await assert.rejects(loading, /maxSeqLength must be a whole number/);
    }
  }
  engine.close();
});

Deno.test("freezing leaves exactly the named tensors without a gradient", async () => {
  const engine = await engines[0]!.create();
  const trained = async (freeze: string) => {
    const model = await loadBiEncoder(engine, folder, { trained: true, freeze });
    return Object.keys(model.parameters).filter((name) => model.parameters[name]!.needsGradient);
  };
  const all = await trained("");
  assert.ok(all.includes("2_Dense/linear.weight") && all.includes("embeddings.LayerNorm.weight"));
  assert.deepEqual(await trained("embeddings"), all.filter((name) => !name.startsWith("embeddings.")));
  assert.deepEqual(
    await trained("layers:-1"),
    all.filter((name) => name.startsWith("encoder.layer.1.") || name.startsWith("2_Dense/")),
  );
  assert.deepEqual(await trained("*.bias, 2_Dense/*"), all.filter((n) => !n.endsWith(".bias") && !n.startsWith("2_")));
  const refused = (freeze: string, says: RegExp) =>
    assert.rejects(
      trained(freeze),
      (error) => error instanceof UsageError && says.test(`${error.summary}: ${error.found}; ${error.expected}`),
    );
  await refused("encoder.layer.0", /names no tensor.*: encoder\.layer\.0; .*encoder\.layer\.0\.\*/);
  await refused("embeddings,bert.encoder.*", /names no tensor.*: bert\.encoder\.\*;/);
  await refused("layers:-3", /names no tensor.*layers:-3.*from 1 to 2/);
  await refused("*", /leaves nothing to train/);
  engine.close();
});

Deno.test("a masked language model starts from an encoder, is saved as transformers does, and is an encoder", async () => {
  const engine = await engines[0]!.create();
  const path = await Deno.makeTempDir();
  const model = await loadMaskedLm(engine, folder, { seed: 3 });
  const norm = await engine.read(model.parameters["cls.predictions.transform.LayerNorm.weight"]!.value);
  assert.ok(norm.every((value) => value === 1));
  await saveMaskedLm(engine, model, join(path, "masked"));
  const config = JSON.parse(await Deno.readTextFile(join(path, "masked", "config.json")));
  assert.deepEqual(config.architectures, ["BertForMaskedLM"]);

  const again = await loadMaskedLm(engine, join(path, "masked"), { seed: 4 });
  assert.deepEqual(Object.keys(again.parameters), Object.keys(model.parameters));
  for (const name of Object.keys(model.parameters)) {
    const [a, b] = [model.parameters[name]!.value, again.parameters[name]!.value];
    assert.deepEqual(await engine.read(b), await engine.read(a), name);
  }
  const encoder = await loadBiEncoder(engine, join(path, "masked"), { maxSeqLength: 16 });
  const original = await loadBiEncoder(engine, folder);
  const plain = { ...original, modules: encoder.modules };
  assert.deepEqual(encoder.modules.map(({ type }) => type), ["pooling"]);
  assert.deepEqual(await embeddings(engine, encoder, golden.texts), await embeddings(engine, plain, golden.texts));

  const partial = [{ name: "cls.predictions.bias", shape: [2], data: Float32Array.of(1, 2) }];
  const tensors = await readParameters(engine, original.encoder.parameters);
  await writeSafetensors(join(path, "masked", "model.safetensors"), [...tensors, ...partial]);
  await assert.rejects(loadMaskedLm(engine, join(path, "masked")), (error) => {
    return error instanceof CheckpointError && error.message.includes("incomplete");
  });
  engine.close();
  await Deno.remove(path, { recursive: true });
});

const pooled = JSON.parse(await Deno.readTextFile(goldenPath("prompt_pooling.json")));
for (const { name: engineName, create } of engines) {
  for (const [how, tokenBudget] of [["at once", undefined], ["with a cached gradient", 20]] as const) {
    Deno.test(`${engineName}: training leaves a prompt out of the pooling where the model does, ${how}`, async () => {
      const engine = await create();
      for (const include of [true, false]) {
        const loaded = await loadBiEncoder(engine, folder, { trained: true });
        const modules = loaded.modules.map((spec) =>
          spec.type === "pooling" ? { ...spec, includePrompt: include } : spec
        );
        const model = { ...loaded, modules };
        const { prompt } = pooled;
        const { skip, loss: value, gradients } = pooled[include ? "with" : "without"];
        assert.equal(promptLength(model.tokenizer, prompt, model.maxSeqLength), skip);
        const texts = await Promise.all(
          pooled.columns.map((column: string[]) =>
            tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength, prompt })
          ),
        );
        const loss = multipleNegativesRanking();
        const objective = biEncoderObjective({ model, loss, head: {}, texts, skip, tokenBudget });
        const rows = Int32Array.of(0, 1, 2);
        const found = scope(
          engine,
          () => objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1),
        );
        assertNear("loss", await engine.read(found), [value], 1e-5);
        const computed = await gradientsOf(engine, model.parameters);
        for (const [name, expected] of Object.entries<number[]>(gradients)) {
          assertNear(name, computed.get(name)!, expected, 1e-4);
        }
        freeBiEncoder(engine, loaded);
      }
      engine.close();
    });
  }
}

const prompted = JSON.parse(await Deno.readTextFile(goldenPath("column_prompts.json")));
for (const { name: engineName, create } of engines) {
  for (const [how, tokenBudget] of [["at once", undefined], ["with a cached gradient", 24]] as const) {
    Deno.test(`${engineName}: every column has its prompt, as sentence-transformers' trainer puts them, ${how}`, async () => {
      const engine = await create();
      for (const include of [true, false]) {
        const loaded = await loadBiEncoder(engine, folder, { trained: true });
        const modules = loaded.modules.map((spec) =>
          spec.type === "pooling" ? { ...spec, includePrompt: include } : spec
        );
        const model = { ...loaded, modules };
        const { tokens, loss: value, gradients } = prompted[include ? "with" : "without"];
        const names = Object.keys(prompted.columns);
        const texts = await Promise.all(names.map((name) =>
          tokenize(model.tokenizer, prompted.columns[name], {
            maxLength: model.maxSeqLength,
            prompt: columnPrompt(name, prompted.prompts),
          })
        ));
        const lengths = texts.map(({ offsets }) => [1, 2, 3].map((end) => offsets[end]! - offsets[end - 1]!));
        assert.deepEqual(lengths, tokens);
        const skip = names.map((name) =>
          promptLength(model.tokenizer, columnPrompt(name, prompted.prompts), model.maxSeqLength)
        );
        const loss = multipleNegativesRanking();
        const objective = biEncoderObjective({ model, loss, head: {}, texts, skip, tokenBudget });
        const rows = Int32Array.of(0, 1, 2);
        const found = scope(
          engine,
          () => objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1),
        );
        assertNear("loss", await engine.read(found), [value], 1e-5);
        const computed = await gradientsOf(engine, model.parameters);
        for (const [name, expected] of Object.entries<number[]>(gradients)) {
          assertNear(name, computed.get(name)!, expected, 1e-4);
        }
        freeBiEncoder(engine, loaded);
      }
      engine.close();
    });
  }
}
