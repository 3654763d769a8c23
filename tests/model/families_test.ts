import assert from "node:assert/strict";
import { join } from "node:path";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine, PoolingMode } from "../../lib/engine/engine.ts";
import { scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { CheckpointError } from "../../lib/error.ts";
import { multipleNegativesRanking } from "../../lib/loss/mod.ts";
import type { BiEncoder } from "../../lib/model/bi_encoder.ts";
import { type Encoder, uploadBatch } from "../../lib/model/batch.ts";
import { classificationHeadSpecs, headOf } from "../../lib/model/classification_head.ts";
import { type CrossEncoder, loadCrossEncoder, score } from "../../lib/model/cross_encoder.ts";
import { encode, encodeRows } from "../../lib/model/encoder.ts";
import { tokenPooling } from "../../lib/model/token_pooling.ts";
import { withDropout } from "../../lib/model/dropout.ts";
import { familyOf, parseConfig } from "../../lib/model/families/mod.ts";
import type { DropoutAt } from "../../lib/model/layers.ts";
import { headSpecs, maskedLmLoss } from "../../lib/model/masked_lm.ts";
import { freeParameters, makeParameters } from "../../lib/model/parameters.ts";
import { pool, square, sum } from "../../lib/tensor/ops.ts";
import { backward, inference, recording } from "../../lib/tensor/tape.ts";
import { pack, type TokenizedTexts } from "../../lib/text/packed.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { rateAt } from "../../lib/train/schedule.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";
import { formula } from "../golden/formula.ts";
import { gradientsOf, tensorsOf } from "../tensors.ts";

type Json = Readonly<Record<string, unknown>>;
interface Golden {
  readonly ids: number[][];
  readonly fields: readonly { config: Json; isRefused?: boolean; mean: number[]; last: number[] }[];
  readonly endings: number[][];
  readonly heads: readonly {
    config: Json;
    logits1: number[];
    logits3: number[];
    masked?: number;
    tensors?: string[];
  }[];
  readonly padded: number[][];
  readonly padding: readonly { config: Json; rows: Record<string, number[]> }[];
  readonly dropout: readonly { config: Json; rate: string; mean: number[]; still: number[] }[];
  readonly training: {
    readonly batchSize: number;
    readonly learningRate: number;
    readonly weightDecay: number;
    readonly warmup: number;
    readonly pairs: number[][][];
    readonly cases: readonly {
      config: Json;
      pooling: PoolingMode;
      losses: number[];
      norms: number[];
      sums: Record<string, number[]>;
    }[];
  };
}
/** `KINDRED_FAMILIES` names another file of tests/golden/families.py: more configurations. */
const golden: Golden = JSON.parse(
  await Deno.readTextFile(Deno.env.get("KINDRED_FAMILIES") ?? goldenPath("families.json")),
);

const textsOf = (ids: readonly number[][]): TokenizedTexts => {
  const offsets = new Int32Array(ids.length + 1);
  ids.forEach((row, i) => offsets[i + 1] = offsets[i]! + row.length);
  return { ids: Int32Array.from(ids.flat()), typeIds: undefined, offsets };
};
const packed = (ids: readonly number[][]) => pack([{ texts: textsOf(ids), rows: [...ids.keys()] }]);

async function encoderOf(engine: Engine, json: Json, trained = false): Promise<Encoder> {
  const config = parseConfig(json, "config.json");
  const { tensors, joined } = familyOf(config);
  return { config, parameters: await makeParameters(engine, tensors(config), formula, () => trained, joined(config)) };
}

const named = (config: Json) => `${config["model_type"]} ${JSON.stringify(config)}`;

Deno.test("configurations at random are obeyed as transformers does, or refused", async (t) => {
  const engine = await engines[0]!.create();
  for (const { config, isRefused = false, mean, last } of golden.fields) {
    await t.step(named(config), async () => {
      if (isRefused) {
        await assert.rejects(encoderOf(engine, config), CheckpointError);
        return;
      }
      await scopeAsync(engine, async () => {
        const encoder = await encoderOf(engine, config);
        const batch = uploadBatch(engine, packed(golden.ids));
        const tape = inference(engine);
        const tokens = encode(tape, encoder, batch);
        assertNear("mean", await engine.read(pool(tape, tokens, batch.offsets, "mean").value), mean, 2e-5);
        assertNear("last", await engine.read(pool(tape, tokens, batch.offsets, "lasttoken").value), last, 2e-5);
      });
    });
  }
  engine.close();
});

Deno.test("tokens that are looked at alone have the bits that they have among all", async () => {
  const engine = await engines[0]!.create();
  for (const { config: json, isRefused = false } of golden.fields) {
    if (isRefused) continue;
    await scopeAsync(engine, async () => {
      const encoder = await encoderOf(engine, json);
      const batch = uploadBatch(engine, packed(golden.ids));
      const { offsets } = batch.packed;
      const all = await engine.read(encode(inference(engine), encoder, batch).value);
      const width = encoder.config.hiddenSize;
      const rows = [...offsets.subarray(0, -1), ...offsets.subarray(1).map((end) => end - 1)];
      const found = await engine.read(encodeRows(inference(engine), encoder, batch, Int32Array.from(rows)).value);
      const wanted = rows.flatMap((row) => [...all.subarray(row * width, (row + 1) * width)]);
      assert.deepEqual([...found], wanted, named(json));
      for (const [mode, skip] of [["cls", 0], ["cls", 1], ["lasttoken", 1]] as const) {
        const short = tokenPooling(inference(engine), encoder, batch).pool([mode], skip)[0]!;
        const long = tokenPooling(inference(engine), encoder, batch).pool([mode, "mean"], skip)[0]!;
        assert.deepEqual(
          await engine.read(short.value),
          await engine.read(long.value),
          `${mode} ${skip} ${named(json)}`,
        );
      }
      freeParameters(engine, encoder.parameters);
    });
  }
  engine.close();
});

Deno.test("tokens that are looked at alone are trained as among all, with the same dropout", async () => {
  const engine = await engines[0]!.create();
  const key = { seed: 7, step: 3 };
  /** The embeddings of a training step, and the gradients of all tensors where Σ x² is what is made small. */
  const trained = async (json: Json, mode: PoolingMode, modes: readonly PoolingMode[]) =>
    await scopeAsync(engine, async () => {
      const plain = await encoderOf(engine, json, true);
      const encoder = { ...plain, config: withDropout(plain.config, .2) };
      const tape = recording(engine);
      const pooled = tokenPooling(tape, encoder, uploadBatch(engine, packed(golden.ids)), key).pool(modes, 0);
      const x = pooled[modes.indexOf(mode)]!;
      backward(tape, sum(tape, square(tape, x)), engine.upload(Float32Array.of(1), [1]));
      const found = [[...await engine.read(x.value)]];
      for (const { gradient } of Object.values(encoder.parameters)) found.push([...await engine.read(gradient!)]);
      freeParameters(engine, encoder.parameters);
      return found;
    });
  for (const { config: json, isRefused = false } of golden.fields) {
    if (isRefused) continue;
    for (const mode of ["cls", "lasttoken"] as const) {
      const [embeddings, ...gradients] = await trained(json, mode, [mode]);
      const [wanted, ...others] = await trained(json, mode, [mode, "mean"]);
      assert.deepEqual(embeddings, wanted, `${mode} ${named(json)}`);
      for (const [i, gradient] of gradients.entries()) {
        const most = others[i]!.reduce((most, x) => Math.max(most, Math.abs(x)), 1e-3);
        assertNear(`${mode} ${named(json)}`, gradient, others[i]!, 2e-5 * most);
      }
    }
  }
  engine.close();
});

Deno.test("with layers of 8 bits every configuration stays near what transformers computes in floats", async () => {
  const engine = createCpuEngine({ threads: 1, precision: "int8" });
  for (const { config, isRefused = false, mean } of golden.fields) {
    if (isRefused) continue;
    await scopeAsync(engine, async () => {
      const encoder = await encoderOf(engine, config);
      assert.ok(Object.values(encoder.parameters).some(({ value }) => value.dtype === "i8"), named(config));
      const batch = uploadBatch(engine, packed(golden.ids));
      const tape = inference(engine);
      const found = await engine.read(pool(tape, encode(tape, encoder, batch), batch.offsets, "mean").value);
      const length = (values: readonly number[]) => Math.hypot(...values);
      const off = length(mean.map((value, i) => value - found[i]!)) / length(mean);
      assert.ok(off > 0 && off < 0.05, `${named(config)}: off by ${off}`);
      freeParameters(engine, encoder.parameters);
    });
  }
  await assert.rejects(encoderOf(engine, golden.training.cases[0]!.config, true), /int8 is for inference/);
  engine.close();
});

Deno.test("heads for scores and for masked tokens equal those of transformers", async (t) => {
  const engine = await engines[0]!.create();
  for (const { config: json, masked, tensors, ...logits } of golden.heads) {
    await t.step(named(json), async () => {
      const encoder = await encoderOf(engine, json);
      const { config } = encoder;
      const head = headOf(config, "config.json");
      for (const labels of [1, 3] as const) {
        const own = await makeParameters(engine, classificationHeadSpecs(head, config, labels), formula, () => false);
        const parameters = { ...encoder.parameters, ...own };
        const model = { encoder, parameters, labels, head, dropout: 0 } as unknown as CrossEncoder;
        await scopeAsync(engine, async () => {
          const { value } = score(inference(engine), model, uploadBatch(engine, packed(golden.endings)));
          assertNear(`${labels} labels`, await engine.read(value), logits[`logits${labels}`], 2e-5);
        });
      }
      if (masked === undefined) return;
      const specs = headSpecs(config);
      assert.deepEqual([...familyOf(config).tensors(config).keys(), ...specs.keys()].sort(), tensors);
      const own = await makeParameters(engine, specs, formula, () => false);
      const batch = packed(golden.ids);
      const targets = golden.ids.flatMap((row) => row.map((id, i) => i % 3 === 0 ? (id * 7 + i) % 40 : -1));
      const chosen = [...targets.keys()].filter((i) => targets[i]! >= 0);
      await scopeAsync(engine, async () => {
        const tape = inference(engine);
        const ids = (values: number[]) => engine.upload(Int32Array.from(values), [values.length]);
        const model = { encoder, parameters: { ...encoder.parameters, ...own } };
        const tokens = encode(tape, encoder, uploadBatch(engine, batch));
        const loss = maskedLmLoss(tape, model, tokens, ids(chosen), ids(chosen.map((i) => targets[i]!)));
        assertNear("masked", await engine.read(loss.value), [masked], 2e-5);
      });
    });
  }
  engine.close();
});

Deno.test("padding that stands in a text leaves its rows of the tables without a gradient, as transformers does", async (t) => {
  const engine = await engines[0]!.create();
  for (const { config, rows } of golden.padding) {
    await t.step(named(config), async () => {
      const { parameters, ...encoder } = await encoderOf(engine, config, true);
      await scopeAsync(engine, () => {
        const tape = recording(engine);
        const batch = uploadBatch(engine, packed(golden.padded));
        const tokens = encode(tape, { ...encoder, parameters }, batch);
        const loss = sum(tape, square(tape, pool(tape, tokens, batch.offsets, "mean")));
        backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
        return Promise.resolve();
      });
      const found = await gradientsOf(engine, parameters);
      for (const [name, sizes] of Object.entries(rows)) {
        const gradient = found.get(name)!;
        const width = gradient.length / sizes.length;
        const sizeOf = (row: number) =>
          gradient.subarray(row * width, (row + 1) * width).reduce((s, x) => s + Math.abs(x), 0);
        assertNear(name, sizes.map((_, row) => sizeOf(row)), sizes, 1e-4);
      }
      freeParameters(engine, parameters);
    });
  }
  engine.close();
});

/** Whose threshold leaves one value in 65,536, and none of so few; transformers' own rate is 1 there. */
const ALMOST_ALL = 0.99999;

Deno.test("dropout is where transformers has it, in training alone", async (t) => {
  const engine = await engines[0]!.create();
  for (const { config, rate, mean, still } of golden.dropout) {
    await t.step(`${config["model_type"]} ${rate}`, async () => {
      const encoder = await encoderOf(engine, { ...config, [rate]: ALMOST_ALL });
      await scopeAsync(engine, async () => {
        const batch = uploadBatch(engine, packed(golden.ids));
        for (const [training, expected] of [[{ seed: 1, step: 1 }, mean], [undefined, still]] as const) {
          const tape = inference(engine);
          const { value } = pool(tape, encode(tape, encoder, batch, training), batch.offsets, "mean");
          assertNear(training === undefined ? "inference" : "training", await engine.read(value), expected, 2e-5);
        }
        assert.notDeepEqual(mean, still);
      });
    });
  }
  engine.close();
});

/**
 * Places of dropout by family, and the rate that holds at each. Where all is dropped, one of two places behind each other
 * hides the other one; so they are counted as well.
 */
const bertPlaces = { "embedding-dropout": "h", "attention-dropout": "a", "hidden-dropout": "h", "ffn-dropout": "h" };
const PLACES: Readonly<Record<string, Json>> = {
  bert: bertPlaces,
  roberta: bertPlaces,
  mpnet: bertPlaces,
  nomic_bert: bertPlaces,
  jina_embeddings_v3: bertPlaces,
  distilbert: { "embedding-dropout": "h", "attention-dropout": "a", "ffn-dropout": "h" },
  gte: { ...bertPlaces, "gate-dropout": "h" },
  // The projection behind attention is dropped at the rate of the probabilities, the inside of the gated product alone.
  modernbert: { "embedding-dropout": "e", "attention-dropout": "a", "hidden-dropout": "a", "ffn-dropout": "m" },
  eurobert: { "attention-dropout": "a" },
  qwen3: { "attention-dropout": "a" },
  llama: { "attention-dropout": "a" },
  gemma3_text: { "attention-dropout": "a" },
};
const RATES = { h: 0.1, a: 0.2, e: 0.3, m: 0.4 };

Deno.test("every place of dropout has its own masks, layer by layer, and its own rate", async (t) => {
  const engine = await engines[0]!.create();
  for (const [family, places] of Object.entries(PLACES)) {
    await t.step(family, async () => {
      const { config } = golden.heads.find(({ config }) => config["model_type"] === family)!;
      const rates = {
        ...(family === "modernbert"
          ? { mlp_dropout: RATES.m, embedding_dropout: RATES.e, attention_dropout: RATES.a }
          : "hidden_dropout_prob" in config
          ? { hidden_dropout_prob: RATES.h, attention_probs_dropout_prob: RATES.a }
          : { dropout: RATES.h, attention_dropout: RATES.a }),
      };
      const encoder = await encoderOf(engine, { ...config, ...rates });
      const found: string[] = [];
      const drop: DropoutAt = (rate, purpose, layer = 0) => void found.push(`${purpose} ${layer} ${rate}`);
      await scopeAsync(engine, () => {
        const tape = inference(engine);
        const batch = uploadBatch(engine, packed(golden.ids));
        let x = familyOf(encoder.config).embed(tape, encoder, batch, drop);
        const layer = familyOf(encoder.config).layers(tape, encoder, batch, drop);
        for (let i = 0; i < encoder.config.layers; i++) x = layer(x, i);
        return Promise.resolve();
      });
      const expected = Object.entries(places).flatMap(([place, rate]) =>
        (place === "embedding-dropout" ? [0] : [0, 1]).map((i) => `${place} ${i} ${RATES[rate as keyof typeof RATES]}`)
      );
      assert.deepEqual(found.sort(), expected.sort());
    });
  }
  engine.close();
});

Deno.test("a new head on the last token knows the padding of its tokenizer, so that transformers takes its pairs", async () => {
  const engine = await engines[0]!.create();
  await withFolder(async (folder) => {
    const from = goldenPath("folders/qwen3");
    for (const name of ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"]) {
      await Deno.copyFile(join(from, name), join(folder, name));
    }
    const json = JSON.parse(await Deno.readTextFile(join(folder, "config.json")));
    await Deno.writeTextFile(join(folder, "config.json"), JSON.stringify({ ...json, pad_token_id: null }));
    const { config, tokenizer, encoder } = await loadCrossEncoder(engine, folder);
    assert.ok(tokenizer.special.pad !== undefined);
    assert.deepEqual([config["pad_token_id"], encoder.config.padId], [tokenizer.special.pad, tokenizer.special.pad]);
  });
  engine.close();
});

const sizes = {
  vocab_size: 40,
  hidden_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 24,
  max_position_embeddings: 8192,
};

Deno.test("GTE's own files turn positions by the fixed NTK scaling of their code", () => {
  const json = {
    ...sizes,
    model_type: "new",
    position_embedding_type: "rope",
    rope_theta: 20000,
    rope_scaling: { type: "ntk", factor: 8 },
  };
  const { frequencies } = parseConfig(json, "config.json") as unknown as { readonly frequencies: Float32Array };
  assert.equal(frequencies.length, 32);
  for (const [i, frequency] of frequencies.entries()) {
    const expected = 1 / (20000 * 8) ** (2 * i / 64) / 8 ** (2 / 64);
    assert.ok(Math.abs(frequency / expected - 1) < 1e-6, `${frequency} instead of ${expected}`);
  }
  const plain = parseConfig({ ...json, rope_theta: undefined, rope_scaling: null }, "config.json");
  assert.ok(Math.abs((plain as unknown as typeof json & { frequencies: number[] }).frequencies[16]! - 0.01) < 1e-6);
});

Deno.test("what changes numbers and is not supported is refused by name", () => {
  const refused = (type: string, change: Json, names: RegExp) =>
    assert.throws(
      () => parseConfig({ ...sizes, model_type: type, ...change }, "config.json"),
      (error) => error instanceof CheckpointError && names.test(`${error.summary}; ${error.expected}; ${error.found}`),
      `${type} ${JSON.stringify(change)}`,
    );
  refused("bert", { pruned_heads: { 0: [1] } }, /pruned_heads/);
  refused("qwen3", { quantization_config: { quant_method: "fp8" } }, /quantization_config.*fp8/);
  refused("modernbert", { per_layer_config: { 0: { num_attention_heads: 1 } } }, /per_layer_config/);
  refused("modernbert", { layer_types: ["full_attention", "chunked_attention"] }, /layer_types.*chunked_attention/);
  refused("modernbert", { layer_types: ["full_attention"] }, /layer_types of 2 layers/);
  refused("modernbert", { classifier_pooling: "max" }, /classifier_pooling.*max/);
  refused("eurobert", { classifier_pooling: "last" }, /classifier_pooling.*last/);
  refused("qwen3", { rope_scaling: { type: "ntk", factor: 8 } }, /of the type ntk/);
  refused("llama", { rope_scaling: { rope_type: "longrope", factor: 8 } }, /of the type longrope/);
  refused("llama", { rope_scaling: { rope_type: "linear" } }, /factor missing/);
  refused("llama", { rope_scaling: { rope_type: "llama3", factor: 8 } }, /low_freq_factor missing/);
  refused("llama", { rope_parameters: { full_attention: { rope_theta: 5 } } }, /each kind of layers/);
  refused("llama", { partial_rotary_factor: 0.5 }, /a part of each head/);
  refused("qwen3", { layer_types: ["sliding_attention", "full_attention"] }, /without sliding_window/);
  refused("gemma3_text", { sliding_window: null }, /without sliding_window/);
  refused("gemma3_text", { attn_logit_softcapping: 50 }, /attn_logit_softcapping.*50/);
  refused("gemma3_text", { is_causal: false }, /is_causal/);
  refused("mpnet", { relative_attention_num_buckets: 16 }, /fewer than 32 buckets/);
  refused("new", { position_embedding_type: "absolute" }, /position_embedding_type.*absolute/);
  refused("new", { logn_attention_clip1: true }, /logn_attention_clip1/);
  refused("gte", { head_dim: 32 }, /head_dim.*32/);
  for (const name of ["num_experts", "moe_top_k"]) refused("nomic_bert", { [name]: 8 }, new RegExp(name));
  for (const name of ["parallel_block", "use_rms_norm", "causal", "mlp_fc2_bias", "prenorm"]) {
    refused("nomic_bert", { [name]: true }, new RegExp(name));
  }
});

const { training } = golden;
/** Softmax does not see a bias of keys: what is there is rounding, which Adam scales up to full steps. */
const isBlind = (name: string) => /(self\.key|k_lin|attn\.k)\.bias$/.test(name);
/** Slow on TensorFlow.js, so only what may be otherwise there: windows, fewer heads of keys, rotations, gates. */
const isSlow = (engine: string) => engine.startsWith("tfjs:");
const isQuick = (engine: string, config: Json, pooling: PoolingMode) =>
  !isSlow(engine) ||
  ["modernbert mean", "gemma3_text mean", "qwen3 lasttoken"].includes(`${config["model_type"]} ${pooling}`);

for (const { name: engineName, create } of engines) {
  Deno.test(`${engineName}: ten steps of AdamW of every family equal PyTorch's`, async (t) => {
    const engine = await create();
    for (const { config, pooling, losses, norms, sums } of training.cases) {
      if (!isQuick(engineName, config, pooling)) continue;
      await t.step(`${pooling} of ${named(config)}`, async () => {
        const encoder = await encoderOf(engine, config, true);
        const { hiddenSize: width } = encoder.config;
        const modules = [{ type: "pooling", modes: [pooling], includePrompt: true, width }] as const;
        const model = { encoder, modules, parameters: encoder.parameters, width } as unknown as BiEncoder;
        const texts = [0, 1].map((column) => textsOf(training.pairs.map((pair) => pair[column]!)));
        const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
        const optimizer = openOptimizer(engine, objective.parameters, { weightDecay: training.weightDecay });
        const { learningRate, warmup: warmupSteps, batchSize } = training;
        const schedule = { kind: "linear", learningRate, totalSteps: losses.length, warmupSteps } as const;
        const [foundLosses, foundNorms]: [number[], number[]] = [[], []];
        const count = isSlow(engineName) ? 3 : losses.length;
        for (let step = 0; step < count; step++) {
          await scopeAsync(engine, async () => {
            const rows = Int32Array.from({ length: batchSize }, (_, i) => step * batchSize + i);
            const value = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: step + 1 }, 1);
            update(engine, optimizer, value, { rate: rateAt(schedule, step), step: step + 1 });
            foundLosses.push((await engine.read(value))[0]!);
            foundNorms.push((await engine.read(optimizer.scalars))[STEP.gradientNorm]!);
          });
        }
        assertNear("losses", foundLosses, losses.slice(0, count), 1e-3);
        assertNear("norms", foundNorms, norms.slice(0, count), 1e-3);
        if (count < losses.length) return closeOptimizer(engine, optimizer);
        const found = await tensorsOf(engine, model.parameters);
        assert.deepEqual([...found.keys()].sort(), Object.keys(sums).sort());
        for (const [name, [sum, size, ...some]] of Object.entries(sums)) {
          if (isBlind(name)) continue;
          const values = found.get(name)!;
          assertNear(name, [values[0]!, values[values.length >> 1]!, values.at(-1)!], some, 1e-3, 1);
          const total = (of: (value: number) => number) => values.reduce((all, value) => all + of(value), 0);
          assertNear(`sum of ${name}`, [total((value) => value), total(Math.abs)], [sum!, size!], 1e-4, size!);
        }
        closeOptimizer(engine, optimizer);
      });
    }
    engine.close();
  });
}
