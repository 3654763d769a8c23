// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Trains models of real sizes for some steps, with random weights on random tokens, and says how much memory that takes:
 *
 *     deno run -A tools/check_memory.ts bert-base|xlm-roberta-base|modernbert-base|embeddinggemma [--rows 32] [--tokens 256]
 *
 * A row is a pair of texts, each of so many tokens, under multiple-negatives ranking.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { selectEngine } from "../lib/engine/select.ts";
import { train } from "../lib/train/trainer.ts";
import { randomObjective } from "./random_model.ts";

const BASE = { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 };
const SHAPES: Readonly<Record<string, Record<string, unknown>>> = {
  "bert-base": { ...BASE, model_type: "bert", vocab_size: 30_522, max_position_embeddings: 512 },
  "xlm-roberta-base": {
    ...BASE,
    model_type: "xlm-roberta",
    vocab_size: 250_002,
    max_position_embeddings: 514,
    type_vocab_size: 1,
  },
  "modernbert-base": {
    model_type: "modernbert",
    hidden_size: 768,
    num_hidden_layers: 22,
    num_attention_heads: 12,
    intermediate_size: 1152,
    vocab_size: 50_368,
    max_position_embeddings: 8192,
  },
  embeddinggemma: {
    model_type: "gemma3_text",
    hidden_size: 768,
    num_hidden_layers: 24,
    num_attention_heads: 3,
    num_key_value_heads: 1,
    head_dim: 256,
    intermediate_size: 1152,
    vocab_size: 262_144,
    max_position_embeddings: 2048,
    sliding_window: 512,
    use_bidirectional_attention: true,
    hidden_activation: "gelu_pytorch_tanh",
  },
};

const { values, positionals: [name = "bert-base"] } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "32" },
    tokens: { type: "string", default: "256" },
    steps: { type: "string", default: "2" },
    kernels: { type: "string", default: "auto" },
    threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
  },
});
const [rows, tokens, steps] = [values.rows, values.tokens, values.steps].map(Number) as [number, number, number];
const { engine, reason } = await selectEngine({ kernels: values.kernels as "auto", threads: Number(values.threads) });
console.log(reason);
const objective = await randomObjective(engine, { shape: SHAPES[name]!, rows: rows * steps, tokens });
const settings = {
  epochs: 1,
  batchSize: rows,
  accumulate: 1,
  seed: 1,
  learningRate: 1e-5,
  schedule: "constant",
  warmupSteps: 0,
  loggingSteps: 1,
  saveSteps: 1000,
} as const;
const record = await Effect.runPromise(train(engine, objective, settings, {
  onStep: ({ step, loss, gradientNorm }) =>
    Effect.sync(() => console.log(`step ${step}: loss ${loss.toFixed(6)}, gradient norm ${gradientNorm.toFixed(6)}`)),
}));
const { live, peak, activationBudget } = engine.memory();
const megabytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
console.log(
  `${name}, ${rows} pairs of 2 × ${tokens} tokens: ${record.steps} steps in ${record.seconds.toFixed(1)} s; engine ` +
    `${megabytes(live)} live, ${megabytes(peak)} at most, ${megabytes(activationBudget)} for activations`,
);
engine.close();
const resident = await Deno.readTextFile("/proc/self/status").catch(() => "");
console.log(`resident at most: ${/VmHWM:\s*(\d+)/.exec(resident)?.[1] ?? "unknown"} KiB`);
