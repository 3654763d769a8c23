// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Memory of a step of masked language modelling: a model of BERT-base's shape, random weights, 64 texts of 128 tokens.
 *
 * `deno run -A bench/masked_lm_memory.ts [--texts 64] [--tokens 128] [--layers 12] [--hidden 768] [--vocabulary 30522]`
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { initMaskedLm } from "../lib/model/masked_lm.ts";
import { tokenizerFromVocabulary } from "../lib/text/tokenizer.ts";
import { maskedLmObjective } from "../lib/train/masked_lm_objective.ts";
import { train } from "../lib/train/trainer.ts";

const { values } = parseArgs({
  options: {
    texts: { type: "string", default: "64" },
    tokens: { type: "string", default: "128" },
    layers: { type: "string", default: "12" },
    hidden: { type: "string", default: "768" },
    vocabulary: { type: "string", default: "30522" },
  },
});
const [count, length, hidden, vocabulary] = [values.texts, values.tokens, values.hidden, values.vocabulary].map(Number);
const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const words = Array.from({ length: vocabulary! - special.length }, (_, i) => `w${i}`);
const engine = createCpuEngine({});
const model = await initMaskedLm(
  engine,
  {
    model_type: "bert",
    vocab_size: vocabulary!,
    hidden_size: hidden!,
    num_hidden_layers: Number(values.layers),
    num_attention_heads: hidden! / 64,
    intermediate_size: 4 * hidden!,
    max_position_embeddings: 512,
  },
  tokenizerFromVocabulary([...special, ...words]),
  1,
);
const ids = Int32Array.from({ length: count! * length! }, (_, i) => 5 + (i * 7919) % words.length);
const offsets = Int32Array.from({ length: count! + 1 }, (_, i) => i * length!);
const objective = maskedLmObjective(model, { ids, typeIds: undefined, offsets });
const { activationBudget, live } = engine.memory();
const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
const record = await Effect.runPromise(
  train(engine, objective, { batchSize: count!, maxSteps: 1, loggingSteps: 1, learningRate: 1e-4 }),
);
const peak = engine.memory().peak;
console.log(`weights and gradients ${gib(live)}, activations may take ${gib(activationBudget)}`);
console.log(`peak ${gib(peak)}, of the process ${gib(Deno.memoryUsage().rss)}; loss ${record.log[0]!.loss.toFixed(3)}`);
engine.close();
