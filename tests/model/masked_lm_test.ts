import assert from "node:assert/strict";
import { scopeAsync } from "../../lib/engine/engine.ts";
import { initMaskedLm } from "../../lib/model/masked_lm.ts";
import { tokenize, tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { maskedLmObjective } from "../../lib/train/masked_lm_objective.ts";
import { engines } from "../engine/engines.ts";

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
      update(engine, optimizer, loss, 3e-3, step);
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
