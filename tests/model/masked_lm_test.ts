import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { scopeAsync } from "../../lib/engine/engine.ts";
import { initMaskedLm, loadMaskedLm } from "../../lib/model/masked_lm.ts";
import { tokenize, tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { maskedLmObjective } from "../../lib/train/masked_lm_objective.ts";
import { engines } from "../engine/engines.ts";
import { goldenPath } from "../golden/golden.ts";

Deno.test("a new masked language model learns which word follows which", async () => {
  const words = ["red", "green", "blue", "rose", "leaf", "sky"];
  const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...words]);
  const config = {
    model_type: "bert",
    vocab_size: 11,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 32,
    max_position_embeddings: 8,
    hidden_dropout_prob: 0,
    attention_probs_dropout_prob: 0,
  };
  const engine = await engines[0]!.create();
  const model = await initMaskedLm(engine, config, tokenizer, 1);
  const texts = await tokenize(tokenizer, ["red rose", "green leaf", "blue sky"], { maxLength: 8 });
  const objective = maskedLmObjective(model, texts, { rate: 0.5 });
  const optimizer = openOptimizer(engine, objective.parameters);
  const rows = Int32Array.from({ length: 24 }, (_, i) => i % 3);
  const losses: number[] = [];
  for (let step = 1; step <= 300; step++) {
    await scopeAsync(engine, async () => {
      const streams = rows.map((_, i) => i);
      const loss = objective.differentiate(engine, { rows, streams, seed: 1, step }, 1);
      update(engine, optimizer, loss, { rate: 3e-3, step });
      losses.push((await engine.read(loss))[0]!);
    });
  }
  const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
  assert.ok(Math.abs(losses[0]! - Math.log(11)) < 0.1, `the first guess is blind: ${losses[0]}`);
  // One that knows the side but not the other word stays near ln 3 = 1.1; where both are hidden nobody knows.
  assert.ok(mean(losses.slice(-20)) < 0.7, `${mean(losses.slice(-20))}`);
  closeOptimizer(engine, optimizer);
  engine.close();
});

Deno.test("a checkpoint that calls γ and β by their old names, as bert-base-uncased does, keeps its head", async () => {
  const engine = await engines[0]!.create();
  const folder = await Deno.makeTempDir();
  const source = goldenPath("encoders/bert");
  await Deno.copyFile(join(source, "config.json"), join(folder, "config.json"));
  await Deno.writeTextFile(join(folder, "vocab.txt"), "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n");
  await Deno.writeTextFile(join(folder, "tokenizer_config.json"), JSON.stringify({ tokenizer_class: "BertTokenizer" }));
  const reader = await openTensors(source);
  const tensors = [];
  for (const [name, { shape }] of reader.tensors) {
    const old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
    tensors.push({ name: old, shape, data: await reader.readF32(name) });
  }
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  const model = await loadMaskedLm(engine, folder);
  const head = "cls.predictions.transform.LayerNorm.bias";
  assert.deepEqual(await engine.read(model.parameters[head]!.value), await reader.readF32(head));
  reader.close();
  engine.close();
  await Deno.remove(folder, { recursive: true });
});
