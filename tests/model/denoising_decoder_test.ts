import assert from "node:assert/strict";
import { gradientsOf, tensorsOf } from "../tensors.ts";
import { join } from "node:path";
import { type Engine, scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { CheckpointError } from "../../lib/error.ts";
import { embed, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import {
  crossAttentionSpecs,
  denoisingLoss,
  freeDenoisingDecoder,
  loadDenoisingDecoder,
  saveDenoisingDecoder,
} from "../../lib/model/denoising_decoder.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { headSpecs } from "../../lib/model/masked_lm.ts";
import { constant } from "../../lib/tensor/tensor.ts";
import { inference } from "../../lib/tensor/tape.ts";
import { nextTokens, pack } from "../../lib/text/packed.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { denoisingObjective } from "../../lib/train/denoising_objective.ts";
import { engines } from "../engine/engines.ts";
import { assertGradients, assertNear, below, goldenPath, goldenTensors } from "../golden/golden.ts";
import { values } from "../tensor/differences.ts";
import { denoisingFolder, loadDenoising, tokenized } from "./denoising.ts";

for (const { name: engineName, create } of engines) {
  for (
    const name of [
      "bert-tied",
      "bert-untied",
      "roberta-tied",
      "roberta-untied",
      "xlm-roberta-tied",
    ]
  ) {
    Deno.test(`${engineName}: TSDAE of ${name} has sentence-transformers' losses, gradients and steps of AdamW`, async () => {
      const engine = await create();
      const golden = JSON.parse(await Deno.readTextFile(goldenPath(`tsdae/${name}.json`)));
      const expected = await goldenTensors(`tsdae/${name}.safetensors`);
      const [family, tied] = [name.replace(/-(un)?tied$/, ""), !name.endsWith("untied")];
      const { model, decoder } = await loadDenoising(engine, family, { tie: tied });
      const initial = await tensorsOf(engine, decoder.parameters);
      for (const [own, data] of below(expected, "initial/")) {
        if (own.includes("crossattention")) engine.write(decoder.parameters[own]!.value, data);
        else assert.deepEqual(initial.get(own), data, `${own} is that of the checkpoint`);
      }
      const { pairs, batchSize, learningRate, weightDecay, losses, gradientNorms } = golden;
      const texts = pairs.map(([, target]: number[][]) => target!.join(" "));
      const noise = (_: string, { row }: { row: number }) => pairs[row][0].join(" ");
      const objective = denoisingObjective({ model, decoder, texts, targets: tokenized(texts), noise });
      const optimizer = openOptimizer(engine, objective.parameters, { weightDecay });
      const [foundLosses, foundNorms]: [number[], number[]] = [[], []];
      for (let step = 0; step < losses.length; step++) {
        await scopeAsync(engine, async () => {
          const rows = Int32Array.from({ length: batchSize }, (_, i) => step * batchSize + i);
          const loss = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: step + 1 }, 1);
          if (step === 0) {
            assertGradients(await gradientsOf(engine, objective.parameters), below(expected, "gradient/"));
          }
          update(engine, optimizer, loss, { rate: learningRate, step: step + 1 });
          foundLosses.push((await engine.read(loss))[0]!);
          foundNorms.push((await engine.read(optimizer.scalars))[STEP.gradientNorm]!);
        });
      }
      assertNear("first loss", foundLosses.slice(0, 1), losses.slice(0, 1), 1e-5);
      assertNear("losses", foundLosses, losses, 1e-3);
      assertNear("norms", foundNorms, gradientNorms, 1e-3);
      const trained = await tensorsOf(engine, objective.parameters);
      for (const [own, data] of below(expected, "trained/")) {
        if (own.endsWith("key.bias")) continue; // its gradient is rounding, which Adam scales up; softmax does not see it
        assertNear(own, trained.get(own)!, data, 1e-3);
      }
      closeOptimizer(engine, optimizer);
      engine.close();
    });
  }
}

/** A batch of one family under dropout: its gradients, and the loss as a function of the weights on the device. */
async function smallBatch(engine: Engine, family: string, dropout: number) {
  const change = { activation: "gelu", hiddenDropout: dropout, attentionDropout: dropout } as const; // no kinks
  const { model, decoder } = await loadDenoising(engine, family, { change, seed: 5 });
  // The new tensors are so small that they hardly matter: larger ones.
  for (const [i, [name, { value }]] of Object.entries(decoder.parameters).entries()) {
    if (!name.includes("LayerNorm")) engine.write(value, values(value.shape, i).map((v) => 0.3 * v));
  }
  const texts = ["5 6 7 8 9 10", "11 12", "13 14 15", "16 17 18 19"];
  const noise = (text: string) => text.split(" ").filter((_, i) => i % 2 === 0).join(" ");
  const objective = denoisingObjective({ model, decoder, texts, targets: tokenized(texts), noise });
  const batch = { rows: Int32Array.of(0, 1, 2, 3), streams: Int32Array.of(3, 2, 1, 0), seed: 7, step: 3 };
  const lossNow = () =>
    scopeAsync(engine, async () => (await engine.read(objective.differentiate(engine, batch, 1)))[0]!);
  await lossNow();
  return { parameters: objective.parameters, lossNow, found: await gradients(engine, objective.parameters) };
}

for (const family of ["distilbert", "mpnet"]) {
  for (const dropout of [0, 0.2]) {
    const how = dropout === 0 ? "" : ", with dropout";
    Deno.test(`TSDAE of ${family} has the gradients of finite differences, on every engine${how}`, async () => {
      const engine = await engines[0]!.create();
      const { parameters, lossNow, found } = await smallBatch(engine, family, dropout);
      const most = Math.max(...[...found.values()].map(norm));
      for (const [i, [name, { value }]] of Object.entries(parameters).entries()) {
        const [data, random, gradient] = [await engine.read(value), values(value.shape, i), found.get(name)!];
        // Where there is a gradient its sign is taken, so that the parts of the derivative do not cancel out.
        const direction = random.map((v, j) => gradient[j] === 0 ? v : Math.abs(v) * Math.sign(gradient[j]!));
        const along = async (by: number) => {
          engine.write(value, data.map((v, j) => v + by * direction[j]! / norm(direction)));
          return await lossNow();
        };
        const h = 2 ** -7;
        const expected = (await along(h) - await along(-h)) / (2 * h);
        engine.write(value, data);
        const derivative = gradient.reduce((sum, g, j) => sum + g * direction[j]! / norm(direction), 0);
        const difference = Math.abs(derivative - expected);
        assert.ok(difference < 0.01 * derivative + 1e-4 * most, `${name}: ${derivative} instead of ${expected}`);
      }
      engine.close();
      for (const { create } of engines.slice(1)) {
        const other = await create();
        assertGradients((await smallBatch(other, family, dropout)).found, found);
        other.close();
      }
    });
  }
}

async function gradients(engine: Engine, parameters: Record<string, { gradient: unknown }>) {
  const found = new Map<string, Float32Array>();
  for (const [name, { gradient }] of Object.entries(parameters)) {
    found.set(name, await engine.read(gradient as Parameters<Engine["read"]>[0]) as Float32Array);
  }
  return found;
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

Deno.test("a decoder sees the embedding of its own text and the tokens before, and nothing else", async () => {
  const engine = await engines[0]!.create();
  const { model, decoder } = await loadDenoising(engine, "mpnet", { seed: 2 });
  for (const [i, { value }] of Object.values(decoder.parameters).entries()) engine.write(value, values(value.shape, i));
  const texts = ["5 6 7 8 9", "10 11 12 13"];
  const embedding = (seed: number) => values([2, model.width], seed);
  // The loss of token `only` of the first text.
  const lossOf = async (texts: readonly string[], embeddings: Float32Array, only: number) => {
    const next = nextTokens(pack([{ texts: tokenized(texts), rows: [0, 1] }]), 1);
    const targets = next.targets.map((id, t) => t === only ? id : -1);
    const r = constant(engine.upload(embeddings, [2, model.width]));
    const at = engine.upload(targets, [targets.length]);
    return (await engine.read(denoisingLoss(inference(engine), decoder, r, uploadBatch(engine, next.input), at).value))[
      0
    ]!;
  };
  const loss = await lossOf(texts, embedding(1), 2);
  assert.ok(loss > 0.1);
  assert.equal(await lossOf(["5 6 7 8 30", "20 21 22 23"], embedding(1), 2), loss, "later tokens, other texts");
  const second = embedding(1).map((v, i) => i < model.width ? v : -v);
  assert.equal(await lossOf(texts, second, 2), loss, "the other text's embedding");
  assert.notEqual(await lossOf(["5 9 7 8 9", "10 11 12 13"], embedding(1), 2), loss, "an earlier token");
  assert.notEqual(await lossOf(texts, embedding(2), 2), loss, "its own embedding");
  engine.close();
});

Deno.test("a decoder without a head in the checkpoint gets a new one; its tensors are saved and loaded", async () => {
  const engine = await engines[0]!.create();
  const folder = await Deno.makeTempDir();
  const path = goldenPath("training/model"); // a BertModel: two pooling modes and a dense layer
  const wide = await loadBiEncoder(engine, path, { trained: true });
  await assert.rejects(loadDenoisingDecoder(engine, wide, path), (error) => {
    return error instanceof CheckpointError && error.expected === "20 features" && error.found === "12";
  });
  const model = { ...wide, modules: [{ ...wide.modules[0]!, modes: ["cls"] }] as typeof wide.modules, width: 20 };
  for (const tie of [true, false]) {
    const decoder = await loadDenoisingDecoder(engine, model, path, { tie, seed: 4 });
    const { config } = decoder;
    const added = [...crossAttentionSpecs(config, "").keys(), ...headSpecs(config).keys()].map((name) =>
      `decoder/${name}`
    );
    const copied = Object.keys(model.encoder.parameters).map((name) => `decoder/${name}`);
    assert.deepEqual(Object.keys(decoder.parameters), tie ? added : [...copied, ...added]);
    assert.equal(
      decoder.tensors["embeddings.LayerNorm.bias"] === model.encoder.parameters["embeddings.LayerNorm.bias"],
      tie,
    );
    const gamma = await engine.read(decoder.tensors["cls.predictions.transform.LayerNorm.weight"]!.value);
    assert.ok(gamma.every((value) => value === 1));
    const weight = decoder.parameters["decoder/encoder.layer.1.crossattention.self.value.weight"]!;
    const deviation = norm(await engine.read(weight.value)) / 20;
    assert.ok(deviation > 0.015 && deviation < 0.025, `${deviation}`);
    const file = join(folder, `${tie}.safetensors`);
    await saveDenoisingDecoder(engine, decoder, file);
    const again = await loadDenoisingDecoder(engine, model, path, { tie, seed: 5, saved: file, trained: () => false });
    assert.deepEqual(Object.keys(again.parameters), Object.keys(decoder.parameters));
    for (const [name, { value, gradient }] of Object.entries(again.parameters)) {
      assert.deepEqual(await engine.read(value), await engine.read(decoder.parameters[name]!.value), name);
      assert.equal(gradient !== undefined, name.includes("crossattention"), `${name}: new tensors are never frozen`);
    }
    freeDenoisingDecoder(engine, decoder);
    freeDenoisingDecoder(engine, again);
  }
  await assert.rejects(
    loadDenoisingDecoder(engine, model, path, { tie: false, saved: join(folder, "true.safetensors") }),
    /a tensor is missing/,
  );
  engine.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an encoder of another family can be the decoder if nothing is tied", async () => {
  const engine = await engines[0]!.create();
  const folder = await denoisingFolder("distilbert");
  const { model } = await loadDenoising(engine, "mpnet");
  const decoder = await loadDenoisingDecoder(engine, model, folder, { tie: false });
  const packed = pack([{ texts: tokenized(["5 6 7", "8 9"]), rows: [0, 1] }]);
  const { input, targets } = nextTokens(packed, 0);
  const tape = inference(engine);
  const embeddings = embed(tape, model, uploadBatch(engine, packed));
  const at = engine.upload(targets, [targets.length]);
  const loss = await engine.read(denoisingLoss(tape, decoder, embeddings, uploadBatch(engine, input), at).value);
  assert.ok(loss[0]! > 1 && loss[0]! < 20);
  engine.close();
  await Deno.remove(folder, { recursive: true });
});
