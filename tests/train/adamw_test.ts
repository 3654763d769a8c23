import assert from "node:assert/strict";
import { classificationHeadSpecs } from "../../lib/model/classification_head.ts";
import { familyOf, MODEL_TYPES, parseConfig } from "../../lib/model/families/mod.ts";
import { headSpecs } from "../../lib/model/masked_lm.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { softmax } from "../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { openOptimizer, update } from "../../lib/train/adamw.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { goldenPath } from "../golden/golden.ts";

/** The rule of transformers' trainer, which goes by names: `get_decay_parameter_names`. */
const decayedByName = (name: string) => !/bias|layernorm|rmsnorm|(^|\.)norm($|\.)|_norm($|\.)/.test(name.toLowerCase());

for (const type of MODEL_TYPES.filter((type) => type !== "static")) { // which is one table
  Deno.test(`${type}: matrices and tables are decayed, biases and normalisations not, as by transformers' trainer`, () => {
    const sizes = { vocab_size: 9, hidden_size: 4, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 8 };
    const names = { dim: 4, n_layers: 2, n_heads: 2, hidden_dim: 8 };
    const config = parseConfig({ model_type: type, max_position_embeddings: 12, ...sizes, ...names }, "config.json");
    const { tensors, classification, maskedLm } = familyOf(config);
    const heads = [
      ...(maskedLm === undefined ? [] : [headSpecs(config)]),
      ...(classification === undefined ? [] : [classificationHeadSpecs(classification, config, 3)]),
    ];
    let seen = 0;
    for (const [name, { kind }] of [tensors(config), ...heads].flatMap((specs) => [...specs])) {
      // Some families' files call their layer norms otherwise than the modules are called.
      const module = name.replace(/(emb|attn|mlp)_ln|norm[12]/, "layernorm");
      assert.equal(kind !== "bias" && kind !== "norm", decayedByName(module), `${name}, ${kind}`);
      seen++;
    }
    assert.ok(seen > 15);
  });
}

Deno.test("the norm that is clipped is that of all trained tensors, the loss's own among them", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const model = await loadBiEncoder(engine, goldenPath("training/model"), { trained: true, freeze: "embeddings" });
  const loss = softmax({ classes: 3 });
  const head: Record<string, Tensor> = {};
  for (const [name, { shape, data }] of Object.entries(loss.head!(model.width, 1))) {
    head[name] = parameter(engine, shape, data);
  }
  const texts = await Promise.all(
    [["a man", "the dog", "two"], ["the man", "a cat", "one"]].map((column) =>
      tokenize(model.tokenizer, column, { maxLength: 16 })
    ),
  );
  const objective = biEncoderObjective({ model, loss, head, texts, labels: Int32Array.of(0, 1, 2) });
  const trained = Object.entries(objective.parameters).filter(([, { needsGradient }]) => needsGradient);
  assert.ok(trained.some(([name]) => name === "classifier.weight"));
  assert.ok(trained.every(([name]) => !name.startsWith("embeddings.")));
  // With β₁ = 0 and ε large, a step is the clipped gradient times rate / ε, but for the second moment: its norm shows.
  const [epsilon, clip, rate] = [1e6, 0.01, 1e6];
  const optimizer = openOptimizer(engine, objective.parameters, { clip, epsilon, beta1: 0 });
  assert.deepEqual([...optimizer.moments.keys()].sort(), trained.map(([name]) => name).sort());
  await scopeAsync(engine, async () => {
    const rows = Int32Array.of(0, 1, 2);
    const value = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1);
    const before = new Map<string, Float32Array>();
    let [all, heads] = [0, 0];
    for (const [name, { value, gradient }] of trained) {
      before.set(name, (await engine.read(value)).slice() as Float32Array);
      const sum = (await engine.read(gradient!) as Float32Array).reduce((total, x) => total + x * x, 0);
      all += sum;
      if (name in head) heads += sum;
    }
    assert.ok(heads > 0.01 * all, "the head takes part");
    update(engine, optimizer, value, { rate, step: 1 });
    const norm = (await engine.read(optimizer.scalars))[STEP.gradientNorm]!;
    assert.ok(Math.abs(norm - Math.sqrt(all)) < 1e-5 * norm, `${norm} ${Math.sqrt(all)}`);
    let moved = 0;
    for (const [name, { value }] of trained) {
      const now = await engine.read(value);
      before.get(name)!.forEach((old, i) => moved += (now[i]! - old) ** 2);
    }
    assert.ok(Math.abs(Math.sqrt(moved) - clip) < 1e-3 * clip, `${Math.sqrt(moved)} instead of ${clip}`);
  });
  engine.close();
});
