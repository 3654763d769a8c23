import assert from "node:assert/strict";
import { openWeights } from "../../lib/checkpoint/adapter.ts";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { type Engine, scopeAsync } from "../../lib/engine/engine.ts";
import { UsageError } from "../../lib/error.ts";
import { type DeviceBatch, type Encoder, uploadBatch } from "../../lib/model/batch.ts";
import { encode } from "../../lib/model/encoder.ts";
import { familyOf, parseConfig, prefixesOf } from "../../lib/model/families/mod.ts";
import { adaptedLayers, type LoraSettings, makeAdapters, mergedTensors, targetLayers } from "../../lib/model/lora.ts";
import { fromCheckpoint, makeParameters, readParameters } from "../../lib/model/parameters.ts";
import { mean, square, subtract } from "../../lib/tensor/ops.ts";
import { backward, inference, recording } from "../../lib/tensor/tape.ts";
import { constant, countTrained } from "../../lib/tensor/tensor.ts";
import { pack } from "../../lib/text/packed.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, below, goldenPath, goldenTensors } from "../golden/golden.ts";

/** What the golden script trained, by family: a list of ends, all layers, a regular expression. */
const TRAINED: Readonly<Record<string, LoraSettings>> = {
  bert: { rank: 3, alpha: 6, targets: ["query", "attention.self.value"] },
  modernbert: { rank: 2, alpha: 3 },
  qwen3: { rank: 4, alpha: 16, targets: String.raw`.*\.(q_proj|v_proj|gate_proj|down_proj)` },
};

async function specsOf(family: string) {
  const config = parseConfig(JSON.parse(await Deno.readTextFile(goldenPath(`encoders/${family}/config.json`))), family);
  return { config, specs: familyOf(config).tensors(config) };
}

async function loadEncoder(engine: Engine, family: string): Promise<Encoder> {
  const { config, specs } = await specsOf(family);
  const path = goldenPath(`encoders/${family}/model.safetensors`);
  const reader = await openTensors(path);
  const read = fromCheckpoint(reader, prefixesOf(config), path);
  const parameters = await makeParameters(engine, specs, read, () => false, familyOf(config).joined(config));
  reader.close();
  return { config, parameters };
}

async function batchOf(engine: Engine, family: string): Promise<DeviceBatch> {
  const given = await goldenTensors(`encoders/${family}/expected.safetensors`);
  const lengths = given.get("lengths")!;
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => offsets[i + 1] = offsets[i]! + length);
  const [ids, typeIds] = [Int32Array.from(given.get("ids")!), Int32Array.from(given.get("types")!)];
  return uploadBatch(engine, pack([{ texts: { ids, typeIds, offsets }, rows: [...lengths.keys()] }]));
}

for (const { name: engineName, create } of engines) {
  for (const [family, settings] of Object.entries(TRAINED)) {
    Deno.test(`${engineName}: adapters of ${family} train as PEFT's, and merge into the same model`, async () => {
      const engine = await create();
      const expected = await goldenTensors(`lora/${family}/expected.safetensors`);
      const plain = await loadEncoder(engine, family);
      const { specs } = await specsOf(family);
      const adapters = await makeAdapters(engine, { parameters: plain.parameters, specs }, settings, {
        seed: 1,
        wanted: () => true,
      });
      const start = below(expected, "start/");
      const names = (await readParameters(engine, adapters.parameters)).map(({ name }) => name);
      assert.deepEqual(names.toSorted(), [...start.keys()].sort());
      for (const [name, { value, parts = [{ name }] }] of Object.entries(adapters.parameters)) {
        let offset = 0;
        for (const part of parts) {
          engine.write(value, start.get(part.name)!, offset);
          offset += start.get(part.name)!.length;
        }
      }
      const parameters = { ...plain.parameters, ...adapters.parameters };
      assert.equal(countTrained(parameters).trained, [...start.values()].reduce((sum, { length }) => sum + length, 0));
      const optimizer = openOptimizer(engine, parameters, { weightDecay: 0.01, clip: 0 });
      assert.equal(optimizer.slots.length, 1); // frozen weights have no moments
      const batch = await batchOf(engine, family);
      const losses: number[] = [];
      for (let step = 1; step <= 10; step++) {
        await scopeAsync(engine, async () => {
          const tape = recording(engine);
          const tokens = encode(tape, { ...plain, adapters }, batch);
          const target = constant(engine.upload(expected.get("target")!, tokens.value.shape));
          const loss = mean(tape, square(tape, subtract(tape, tokens, target)));
          backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
          update(engine, optimizer, loss.value, { rate: 5e-3, step });
          losses.push((await engine.read(loss.value))[0]!);
        });
      }
      assertNear("losses", losses, expected.get("losses")!, 1e-5);
      closeOptimizer(engine, optimizer);
      const trained = await goldenTensors(`lora/${family}/adapter_model.safetensors`);
      for (const { name, data } of await readParameters(engine, adapters.parameters)) {
        assertNear(name, data, trained.get(`base_model.model.${name}`)!, 1e-4);
      }
      const tokens = encode(inference(engine), { ...plain, adapters }, batch);
      assertNear("with adapters", await engine.read(tokens.value), expected.get("tokens")!, 1e-4);
      const before = await readParameters(engine, plain.parameters);
      const merged = new Map(
        (await mergedTensors(engine, plain.parameters, adapters)).map(({ name, data }) => [name, data as Float32Array]),
      );
      assert.deepEqual(await readParameters(engine, plain.parameters), before); // merging leaves the model as it is
      const whole = await makeParameters(
        engine,
        specs,
        (name) => merged.get(name)!,
        () => false,
        familyOf(plain.config).joined(plain.config),
      );
      const after = encode(inference(engine), { config: plain.config, parameters: whole }, batch);
      assertNear("merged", await engine.read(after.value), expected.get("tokens")!, 1e-4);
      engine.close();
    });
  }
}

for (const family of Object.keys(TRAINED)) {
  Deno.test(`the adapter of ${family} that PEFT saved is merged as it is read`, async () => {
    const engine = await engines[0]!.create();
    const { config, specs } = await specsOf(family);
    const folder = goldenPath(`lora/${family}`);
    const reader = await openWeights(folder);
    const read = fromCheckpoint(reader, prefixesOf(config), folder);
    const parameters = await makeParameters(engine, specs, read, () => false, familyOf(config).joined(config));
    reader.close();
    const tokens = encode(inference(engine), { config, parameters }, await batchOf(engine, family));
    const expected = await goldenTensors(`lora/${family}/expected.safetensors`);
    assertNear("tokens", await engine.read(tokens.value), expected.get("tokens")!, 1e-5);
    engine.close();
  });
}

Deno.test("targets are ends of names, a regular expression of whole names, or all linear layers", async () => {
  const { specs } = await specsOf("bert");
  assert.equal(targetLayers(specs, "all-linear").length, 2 * 6);
  assert.deepEqual(targetLayers(specs, ["1.output.dense", "encoder.layer.0.attention.self.key"]), [
    "encoder.layer.0.attention.self.key",
    "encoder.layer.1.output.dense",
  ]);
  assert.equal(targetLayers(specs, ["dense"]).length, 2 * 3);
  assert.equal(targetLayers(specs, String.raw`encoder\.layer\.1\..*`).length, 6);
  const refused = (targets: string | string[], message: RegExp) =>
    assert.throws(() => targetLayers(specs, targets), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(`${error.message} ${error.expected} ${error.found}`, message);
      return true;
    });
  refused(["query", "Wqkv"], /self\.query.*Wqkv/s);
  refused([], /an empty list/);
  for (const targets of ["all-linear", ["query"], "q.*"]) {
    assert.throws(() => targetLayers(new Map(), targets), /has no linear layers/, "as static embeddings have none");
  }
  refused("query", /names no linear layer/); // a regular expression of whole names
  refused("(", /no regular expression/);
  refused(["embeddings.position_embeddings"], /names no linear layer/);
});

Deno.test("adapters begin as PEFT's: A uniform within 1/√K, B zero; frozen layers get none", async () => {
  const engine = await engines[0]!.create();
  const { parameters } = await loadEncoder(engine, "bert");
  const { specs } = await specsOf("bert");
  const make = (seed: number, wanted: (name: string) => boolean = () => true) =>
    makeAdapters(engine, { parameters, specs }, { rank: 4 }, { seed, wanted });
  const adapters = await make(1);
  for (const { name, data } of await readParameters(engine, adapters.parameters)) {
    if (name.endsWith("lora_B.weight")) assert.ok(data.every((value) => value === 0));
    else {
      const bound = 1 / Math.sqrt(data.length / 4);
      const most = Math.max(...data.map(Math.abs));
      assert.ok(most <= bound && most > 0.8 * bound, name);
    }
  }
  const values = async (seed: number) => (await readParameters(engine, (await make(seed)).parameters))[0]!.data;
  assert.deepEqual(await values(1), await values(1));
  assert.notDeepEqual(await values(1), await values(2));
  const upper = await make(1, (name) => name.startsWith("encoder.layer.1."));
  assert.ok(adaptedLayers(upper).every((layer) => layer.startsWith("encoder.layer.1.")));
  await assert.rejects(make(1, () => false), /frozen/);
  engine.close();
});
