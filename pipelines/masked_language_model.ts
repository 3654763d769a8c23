/**
 * Masked language modelling: a small BERT from nothing on the sample's sentences, or an existing one on your texts.
 *
 * @module
 */
import { Effect } from "effect";
import { join, resolve } from "node:path";
import { attempt } from "../lib/attempt.ts";
import { texts as textsOf } from "../lib/data/columns.ts";
import { sampleTexts, sampleVocabulary } from "../lib/data/sample/mod.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable } from "../lib/data/table.ts";
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { openNativeGemm } from "../lib/engine/cpu/native_gemm.ts";
import { initMaskedLm, loadMaskedLm, saveMaskedLm } from "../lib/model/masked_lm.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TRAINING } from "../lib/pipeline/flags.ts";
import { Progress } from "../lib/pipeline/progress.ts";
import { modelFolder } from "../lib/pipeline/source.ts";
import { trainSettings } from "../lib/pipeline/training.ts";
import { tokenize, tokenizerFromVocabulary } from "../lib/text/tokenizer.ts";
import { maskedLmObjective } from "../lib/train/masked_lm_objective.ts";
import { train } from "../lib/train/trainer.ts";

/** The shape of the sample's base model. */
const TINY = {
  model_type: "bert",
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
const DEFAULTS = {
  "seed": 1,
  "epochs": 100,
  "max-steps": 3000,
  "batch-size": 64,
  "accumulate": 1,
  "learning-rate": 1e-3,
  "schedule": "linear",
  "warmup-steps": 200,
  "weight-decay": 0.01,
  "clip": 1,
  "logging-steps": 100,
  "save-steps": 500,
  "max-seq-length": 64,
};

/** The command. */
export const command: Command = {
  name: "masked_language_model",
  summary: "pretrains a BERT by predicting masked tokens",
  flags: TRAINING.filter((flag) =>
    !["eval", "eval-steps", "keep-best", "patience", "freeze", "pooling", "columns", "engine", "precision"].includes(
      flag,
    )
  ),
  presets: {
    sample: DEFAULTS,
    test: { ...DEFAULTS, "max-steps": 5, "limit": 500 },
    chapter: { ...DEFAULTS, "learning-rate": 5e-5 },
  },
  run: (values) =>
    Effect.gen(function* () {
      const progress = yield* Progress;
      const output = resolve(String(values["output"] ?? join("kindred", "masked_language_model")));
      const threads = Number(values["threads"] ?? navigator.hardwareConcurrency);
      const { gemm } = openNativeGemm({ gemm: (values["gemm"] ?? "auto") as "auto", threads });
      const engine = createCpuEngine({ threads, gemm });
      return yield* Effect.gen(function* () {
        const model = yield* attempt(async () => {
          if (values["model"] !== undefined) {
            return await loadMaskedLm(engine, await modelFolder(String(values["model"])), {
              trained: true,
              seed: Number(values["seed"]),
            });
          }
          const vocabulary = sampleVocabulary();
          const config = { ...TINY, vocab_size: vocabulary.length };
          return await initMaskedLm(engine, config, tokenizerFromVocabulary(vocabulary), Number(values["seed"]));
        });
        const texts = yield* attempt(async () => {
          const limit = values["limit"] as number | undefined;
          const all = values["train"] === undefined
            ? sampleTexts(limit === undefined ? {} : { rows: limit })
            : textsOf(await readTable((await resolveSource(String(values["train"]))).paths[0]!, { limit }), "text");
          return await tokenize(model.tokenizer, all, { maxLength: Number(values["max-seq-length"]) });
        });
        const record = yield* train(engine, maskedLmObjective(model, texts), trainSettings(values), {
          folder: join(output, "checkpoint"),
          onStep: (step) => Effect.sync(() => progress.step(step)),
        });
        yield* attempt(async () => {
          await saveMaskedLm(engine, model, join(output, "model"), values["model"] === undefined);
          await Deno.remove(join(output, "checkpoint"), { recursive: true });
        });
        return { schema: "kindred-masked-lm/1", training: record, model: join(output, "model") };
      }).pipe(Effect.ensuring(Effect.sync(() => engine.close())));
    }),
  print: ({ training, model }: { training: { steps: number; loss: [number, number][] }; model: string }) =>
    `${training.steps} steps, loss ${training.loss.at(-1)?.[1].toFixed(4)}\nmodel: ${model}`,
};

if (import.meta.main) await main(command);
