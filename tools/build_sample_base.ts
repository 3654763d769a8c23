/**
 * Remakes the sample's base model: a tiny BERT, pretrained by masked language modelling on the sample's sentences.
 * `deno run -A tools/build_sample_base.ts [STEPS]`
 *
 * @module
 */
import { Effect } from "effect";
import { fromFileUrl } from "../lib/data/sample/base.ts";
import { sampleTexts, sampleVocabulary } from "../lib/data/sample/mod.ts";
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { initMaskedLm, saveMaskedLm } from "../lib/model/masked_lm.ts";
import { tokenize, tokenizerFromVocabulary } from "../lib/text/tokenizer.ts";
import { maskedLmObjective } from "../lib/train/masked_lm_objective.ts";
import { train } from "../lib/train/trainer.ts";

const steps = Number(Deno.args[0] ?? 4000);
const vocabulary = sampleVocabulary();
const config = {
  model_type: "bert",
  vocab_size: vocabulary.length,
  hidden_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 512,
  hidden_act: "gelu",
  max_position_embeddings: 64,
  type_vocab_size: 2,
  layer_norm_eps: 1e-12,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  pad_token_id: 0,
};
const engine = createCpuEngine();
const tokenizer = tokenizerFromVocabulary(vocabulary);
const model = await initMaskedLm(engine, config, tokenizer, 1);
const texts = await tokenize(tokenizer, sampleTexts(), { maxLength: 64 });
const record = await Effect.runPromise(train(engine, maskedLmObjective(model, texts), {
  epochs: 100,
  maxSteps: steps,
  batchSize: 64,
  accumulate: 1,
  seed: 1,
  learningRate: 1e-3,
  schedule: "linear",
  warmupSteps: 200,
  optimizer: { weightDecay: 0.01 },
  loggingSteps: 200,
  saveSteps: 1e9,
}, {
  onStep: ({ step, loss }) =>
    Effect.sync(() => {
      if (step % 200 === 0) console.error(step, loss.toFixed(3));
    }),
}));
await saveMaskedLm(engine, model, fromFileUrl(new URL("../lib/data/sample/base_model", import.meta.url)), true);
console.error(record.loss.at(-1), `${Math.round(record.tokens / record.seconds)} tokens/s`);
engine.close();
