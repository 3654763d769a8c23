import assert from "node:assert/strict";
import { gradientsOf as checkpointGradients } from "../tensors.ts";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import type { Engine, PoolingMode } from "../../lib/engine/engine.ts";
import { CheckpointError, EngineError } from "../../lib/error.ts";
import { familyOf, MODEL_TYPES, parseConfig } from "../../lib/model/families/mod.ts";
import { relativeBucket } from "../../lib/model/families/mpnet.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { encode } from "../../lib/model/encoder.ts";
import { headSpecs, maskedLmLoss, readMaskedLmParameters } from "../../lib/model/masked_lm.ts";
import { fromCheckpoint, makeParameters } from "../../lib/model/parameters.ts";
import { pool } from "../../lib/tensor/ops.ts";
import { backward, inference, recording } from "../../lib/tensor/tape.ts";
import type { Parameters } from "../../lib/tensor/tensor.ts";
import { pack, type PackedBatch } from "../../lib/text/packed.ts";
import { engines } from "../engine/engines.ts";
import { assertGradients, assertNear, below, goldenPath, goldenTensors } from "../golden/golden.ts";

const MODES: readonly PoolingMode[] = ["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"];

async function readConfig(family: string): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(goldenPath(`encoders/${family}/config.json`)));
}

async function loadGolden(engine: Engine, family: string) {
  const config = parseConfig(await readConfig(family), family);
  const path = goldenPath(`encoders/${family}/model.safetensors`);
  const reader = await openTensors(path);
  const { maskedLm, tensors, joined, prefix } = familyOf(config);
  const all = () => true;
  const encoderAlone = async () => {
    const read = fromCheckpoint(reader, [prefix], path);
    const parameters = await makeParameters(engine, tensors(config), read, all, joined(config));
    return { encoder: { config, parameters }, parameters };
  };
  const model = maskedLm === undefined
    ? await encoderAlone()
    : await readMaskedLmParameters(engine, config, reader, path, { seed: 0, trained: all });
  reader.close();
  return { model, expected: await goldenTensors(`encoders/${family}/expected.safetensors`) };
}

function batchOf(expected: ReadonlyMap<string, Float32Array>): PackedBatch {
  const lengths = expected.get("lengths")!;
  const offsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => offsets[i + 1] = offsets[i]! + length);
  const [ids, typeIds] = [Int32Array.from(expected.get("ids")!), Int32Array.from(expected.get("types")!)];
  return pack([{ texts: { ids, typeIds, offsets }, rows: [...lengths.keys()] }]);
}

/** Gradients by the names of the checkpoint. */
async function gradientsOf(engine: Engine, parameters: Parameters, prefix: string, head: ReadonlySet<string>) {
  const found = new Map<string, ArrayLike<number>>();
  for (const [name, gradient] of await checkpointGradients(engine, parameters)) {
    found.set(head.has(name) ? name : prefix + name, gradient);
  }
  return found;
}

for (const { name: engineName, create } of engines) {
  for (const family of MODEL_TYPES.filter((type) => !["camembert", "new", "static"].includes(type))) { // RoBERTa and GTE by other names, and a table
    const { prefix } = familyOf({ family });
    Deno.test(`${engineName}: ${family} equals transformers: features, pooling, gradients`, async () => {
      const engine = await create();
      const { model: { encoder }, expected } = await loadGolden(engine, family);
      const batch = uploadBatch(engine, batchOf(expected));
      const tape = recording(engine);
      const tokens = encode(tape, encoder, batch);
      assertNear("tokens", await engine.read(tokens.value), expected.get("tokens")!, 1e-5);
      for (const mode of MODES) {
        const { value } = pool(inference(engine), tokens, batch.offsets, mode);
        assertNear(mode, await engine.read(value), expected.get(`pooled/${mode}`)!, 1e-5);
      }
      backward(tape, tokens, engine.upload(expected.get("direction")!, tokens.value.shape));
      assertGradients(
        await gradientsOf(engine, encoder.parameters, prefix, new Set()),
        below(expected, "gradient/"),
      );
      engine.close();
    });

    if (familyOf({ family }).maskedLm === undefined) continue;
    Deno.test(`${engineName}: the masked ${family} equals transformers: loss, gradients`, async () => {
      const engine = await create();
      const { model, expected } = await loadGolden(engine, family);
      const tape = recording(engine);
      const labels = Int32Array.from(expected.get("labels")!); // −1 where there is nothing to guess
      const positions = Int32Array.from([...labels.keys()].filter((t) => labels[t]! >= 0));
      const count = [positions.length];
      const tokens = encode(tape, model.encoder, uploadBatch(engine, batchOf(expected)));
      const targets = engine.upload(positions.map((t) => labels[t]!), count);
      const loss = maskedLmLoss(tape, model, tokens, engine.upload(positions, count), targets);
      assertNear("loss", await engine.read(loss.value), expected.get("loss")!, 1e-5);
      backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
      const head = new Set(headSpecs(model.encoder.config).keys());
      assertGradients(await gradientsOf(engine, model.parameters, prefix, head), below(expected, "masked/"));
      engine.close();
    });
  }

  Deno.test(`${engineName}: dropout depends on seed, step, row and position, not on how rows are packed`, async () => {
    const engine = await create();
    const { model: { encoder }, expected } = await loadGolden(engine, "bert");
    const dropping = { ...encoder, config: { ...encoder.config, hiddenDropout: 0.2, attentionDropout: 0.2 } };
    const lengths = expected.get("lengths")!;
    const offsets = batchOf(expected).offsets;
    const texts = { ids: Int32Array.from(expected.get("ids")!), typeIds: undefined, offsets };
    const features = async (rows: number[], step: number) => {
      const batch = uploadBatch(engine, pack([{ texts, rows }], rows));
      return await engine.read(encode(inference(engine), dropping, batch, { seed: 5, step }).value);
    };
    const all = await features([...lengths.keys()], 1);
    const third = all.slice(offsets[2]! * 20, offsets[3]! * 20);
    assertNear("row 2 by itself", await features([2], 1), third, 1e-5);
    const otherStep = await features([2], 2);
    assert.ok(otherStep.some((value, i) => Math.abs(value - third[i]!) > 0.1), "another step, the same mask");
    const still = await engine.read(
      encode(inference(engine), dropping, uploadBatch(engine, pack([{ texts, rows: [2] }]))).value,
    );
    assertNear(
      "no dropout without training",
      still,
      expected.get("tokens")!.slice(offsets[2]! * 20, offsets[3]! * 20),
      2,
    );
    assert.ok(still.some((value, i) => Math.abs(value - third[i]!) > 0.1), "training without dropout");
    engine.close();
  });
}

Deno.test("relative positions fall into transformers' buckets", async () => {
  const { from, buckets } = JSON.parse(await Deno.readTextFile(goldenPath("encoders/relative_buckets.json")));
  const found = buckets.map((_: number, i: number) => relativeBucket(from + i, 32));
  assert.deepEqual(found, buckets);
});

Deno.test("configurations of other architectures, and incomplete ones, are refused by name", async () => {
  const bert = await readConfig("bert");
  const refused = (change: Record<string, unknown>, message: RegExp) =>
    assert.throws(
      () => parseConfig({ ...bert, ...change }, "config.json"),
      (error) => error instanceof CheckpointError && message.test(`${error.summary} ${error.expected} ${error.found}`),
    );
  refused({ model_type: "t5" }, /t5/);
  refused({ model_type: undefined }, /bert, distilbert/);
  refused({ num_hidden_layers: "two" }, /num_hidden_layers .* "two"/);
  refused({ vocab_size: undefined }, /vocab_size nothing/);
  refused({ num_attention_heads: 3 }, /20 features, 3 heads/);
  refused({ num_hidden_layers: 1.5 }, /num_hidden_layers.* 1\.5/);
  refused({ num_attention_heads: 0 }, /num_attention_heads.* 0/);
  refused({ hidden_dropout_prob: 1 }, /hidden_dropout_prob.* 1/);
  refused({ is_decoder: true }, /decoder/);
  refused({ hidden_act: "mish" }, /mish/);
  refused({ position_embedding_type: "relative_key" }, /relative_key/);
});

Deno.test("a weight that is missing, misshapen or not a number is refused with its name", async () => {
  const engine = await engines[0]!.create();
  const config = parseConfig(await readConfig("bert"), "bert");
  const path = goldenPath("encoders/bert/model.safetensors");
  const reader = await openTensors(path);
  const name = "bert.encoder.layer.1.output.dense.weight";
  const load = (changed: typeof reader, shape = config) =>
    makeParameters(engine, familyOf(shape).tensors(shape), fromCheckpoint(changed, ["bert."], path), () => false);
  const rejects = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(
      promise,
      (error) => error instanceof CheckpointError && message.test(`${error.summary} ${error.where} ${error.expected}`),
    );
  async function* withNaN(wanted: string) {
    const values = await reader.readF32(wanted);
    if (wanted === name) values[27] = NaN;
    yield values.subarray(0, 20);
    yield values.subarray(20);
  }
  await rejects(load({ ...reader, piecesF32: withNaN }), /encoder\.layer\.1\.output\.dense\.weight, element 27/);
  await rejects(load(reader, { ...config, layers: 3 }), /missing.*encoder\.layer\.2/s);
  await rejects(load(reader, { ...config, vocabSize: 41 }), /wrong shape.*word_embeddings.*41,20/s);
  reader.close();
  engine.close();
});

Deno.test("a sequence longer than the table of positions is refused", async () => {
  const engine = await engines[0]!.create();
  const { model } = await loadGolden(engine, "roberta");
  const ids = new Int32Array(31).fill(5); // 32 positions, of which RoBERTa never uses the first two
  const batch = uploadBatch(
    engine,
    pack([{ texts: { ids, typeIds: undefined, offsets: Int32Array.of(0, 31) }, rows: [0] }]),
  );
  assert.throws(() => encode(inference(engine), model.encoder, batch), (error) => {
    return error instanceof EngineError && error.expected === "at most 30 tokens";
  });
  engine.close();
});

const counted: {
  readonly ids: number[][];
  readonly models: Record<string, { readonly family: string; readonly pad: number; readonly features: number[][] }>;
} = JSON.parse(await Deno.readTextFile(goldenPath("positions.json")));

for (const [name, { family, pad, features }] of Object.entries(counted.models)) {
  Deno.test(`${name}: positions are counted as transformers does, with the padding token within a text`, async () => {
    const engine = await engines[0]!.create();
    const config = parseConfig({ ...await readConfig(family), pad_token_id: pad }, family);
    const path = goldenPath(`encoders/${family}/model.safetensors`);
    const reader = await openTensors(path);
    const { encoder } = await readMaskedLmParameters(engine, config, reader, path, { seed: 0, trained: () => false });
    reader.close();
    const offsets = new Int32Array(counted.ids.length + 1);
    counted.ids.forEach((ids, i) => offsets[i + 1] = offsets[i]! + ids.length);
    const texts = { ids: Int32Array.from(counted.ids.flat()), typeIds: undefined, offsets };
    const batch = uploadBatch(engine, pack([{ texts, rows: [2, 0, 1] }]));
    const { value } = encode(inference(engine), encoder, batch);
    assertNear(
      "features",
      await engine.read(value),
      Float32Array.from([2, 0, 1].flatMap((row) => features[row]!)),
      1e-5,
    );
    engine.close();
  });
}
