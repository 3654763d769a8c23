import assert from "node:assert/strict";
import { decays } from "../../lib/model/parameters.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { softmax } from "../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { openOptimizer, update } from "../../lib/train/adamw.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { goldenPath } from "../golden/golden.ts";

Deno.test("biases and normalisations are not decayed, by the rule of transformers' trainer", () => {
  const names = {
    true: [
      "embeddings.word_embeddings.weight",
      "encoder.layer.0.attention.self.query.weight",
      "encoder.layer.11.output.dense.weight",
      "transformer.layer.0.ffn.lin1.weight",
      "pooler.dense.weight",
      "2_Dense/linear.weight",
      "classifier.weight",
      "cls.predictions.transform.dense.weight",
      "lm_head.dense.weight",
    ],
    false: [
      "embeddings.LayerNorm.weight",
      "encoder.layer.0.attention.output.LayerNorm.bias",
      "encoder.layer.0.output.dense.bias",
      "encoder.relative_attention_bias.weight", // as there: the word is in its name
      "transformer.layer.0.sa_layer_norm.weight",
      "transformer.layer.5.output_layer_norm.weight",
      "vocab_layer_norm.weight",
      "lm_head.layer_norm.weight",
      "final.norm.weight",
      "classifier.bias",
      "cls.predictions.bias",
    ],
  };
  for (const [wanted, list] of Object.entries(names)) {
    for (const name of list) assert.equal(`${decays(name)}`, wanted, name);
  }
});

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
