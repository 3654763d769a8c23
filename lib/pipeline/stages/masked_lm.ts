/**
 * train-masked-lm, evaluate-masked-lm: language modelling on texts.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { Dataset } from "../../data/dataset.ts";
import { sampleVocabulary } from "../../data/sample/mod.ts";
import { scopeAsync } from "../../engine/engine.ts";
import { EvaluationError, UsageError } from "../../error.ts";
import { uploadBatch } from "../../model/batch.ts";
import { encode } from "../../model/encoder.ts";
import { initMaskedLm, loadMaskedLm, type MaskedLm, maskedLmLoss, saveMaskedLm } from "../../model/masked_lm.ts";
import { freeParameters } from "../../model/parameters.ts";
import { inference } from "../../tensor/tape.ts";
import { maskTokens, wordStartsOf } from "../../text/masking.ts";
import { pack } from "../../text/packed.ts";
import { tokenize, tokenizerFromVocabulary } from "../../text/tokenizer.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { maskedLmObjective } from "../../train/masked_lm_objective.ts";
import type { Metrics } from "../../train/record.ts";
import type { TrainSettings } from "../../train/settings.ts";
import {
  datasetFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  trainedFormat,
  type TrainedModel,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { type Opened, openOnEngine } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import type { Texts } from "./load.ts";
import { type Resolved, trainInto, withSettings } from "./train_into.ts";

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

/** What both stages take: texts, and a model. Without one, a new tiny BERT with the sample's vocabulary. */
export interface MaskedLmInputs {
  /** A masked language model, or any encoder. */
  readonly model?: ModelFolder;
  /** Texts. */
  readonly texts: Dataset<Texts>;
}

/** Settings of {@linkcode trainMaskedLm}. */
export interface MaskedLmParameters {
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** Longest sequence in tokens; default: the model's own. */
  readonly maxSeqLength?: number | undefined;
  /** Mask whole words, not pieces. */
  readonly wholeWords?: boolean | undefined;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
}

function openModel(
  model: { readonly read: () => Promise<ModelFolder> } | undefined,
  options: { readonly seed: number; readonly trained: boolean; readonly freeze?: string | undefined },
): Opened<MaskedLm> {
  return openOnEngine(async (engine) => {
    if (model !== undefined) return await loadMaskedLm(engine, (await model.read()).folder, options);
    if (options.freeze !== undefined) {
      throw new UsageError("--freeze would keep values at random: the model is a new one", { found: options.freeze });
    }
    const vocabulary = sampleVocabulary();
    const config = { ...TINY, vocab_size: vocabulary.length };
    return await initMaskedLm(engine, config, tokenizerFromVocabulary(vocabulary), options.seed);
  }, (engine, { parameters }) => freeParameters(engine, parameters));
}

/** Trains a model to guess masked tokens; it is saved as transformers saves one, a new one in 16 bits. */
export const trainMaskedLm: Stage<MaskedLmParameters, MaskedLmInputs, TrainedModel> = withSettings(defineStage<
  Resolved<MaskedLmParameters>,
  MaskedLmInputs,
  TrainedModel
>({
  name: "train-masked-lm",
  version: 10, // padding that stands in a text trains no row of a table
  inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
  output: trainedFormat,
  computes: true,
  how: ["settings.saveSteps", "settings.loggingSteps"],
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { settings, wholeWords = false, freeze } = parameters;
    yield* phase("training");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openModel(inputs.model, { seed: settings.seed, trained: true, freeze });
    const { texts, wordStarts, warnings } = yield* attempt(async () => {
      const maxLength = Math.min(parameters.maxSeqLength ?? Infinity, model.maxSeqLength);
      const { text } = (await inputs.texts.read()).columns;
      return {
        texts: await tokenize(model.tokenizer, text, { maxLength }),
        wordStarts: wholeWords ? await wordStartsOf(model.tokenizer, text, maxLength) : undefined,
        warnings: emptyTextWarnings({ text }),
      };
    });
    yield* trainInto(scratch, engine, {
      objective: maskedLmObjective(model, texts, { wordStarts }),
      settings,
      warnings,
      save: (folder) => saveMaskedLm(engine, model, folder, inputs.model === undefined),
    });
  }),
}));

/** Settings of {@linkcode evaluateMaskedLm}. */
export interface EvaluateMaskedLmParameters {
  /** Which tokens are masked, and the start of a new model. */
  readonly seed: number;
  /** Longest sequence in tokens; default: the model's own. */
  readonly maxSeqLength?: number | undefined;
}

/** Texts that go through the model at once. */
const BATCH = 64;

/** `masked_loss`, the mean cross-entropy of masked tokens of texts that were not trained on, and `perplexity`, its exp. */
export const evaluateMaskedLm: Stage<EvaluateMaskedLmParameters, MaskedLmInputs, Metrics> = defineStage<
  EvaluateMaskedLmParameters,
  MaskedLmInputs,
  Metrics
>({
  name: "evaluate-masked-lm",
  version: 5, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
  output: jsonFormat<Metrics>("metrics.json"),
  computes: true,
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    yield* phase("evaluating");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openModel(inputs.model, { seed: parameters.seed, trained: false });
    yield* attempt(async () => {
      const maxLength = Math.min(parameters.maxSeqLength ?? Infinity, model.maxSeqLength);
      const texts = await tokenize(model.tokenizer, (await inputs.texts.read()).columns.text, { maxLength });
      const rows = texts.offsets.length - 1;
      let [sum, count] = [0, 0];
      for (let start = 0; start < rows; start += BATCH) {
        const batch = Int32Array.from({ length: Math.min(BATCH, rows - start) }, (_, i) => start + i);
        const packed = pack([{ texts, rows: batch }], batch);
        const { ids, positions, targets } = maskTokens(packed, model.tokenizer, { seed: parameters.seed, step: 0 });
        if (positions.length === 0) continue;
        await scopeAsync(engine, async () => {
          const tape = inference(engine);
          const tokens = encode(tape, model.encoder, uploadBatch(engine, { ...packed, ids }));
          const at = engine.upload(positions, [positions.length]);
          const loss = maskedLmLoss(tape, model, tokens, at, engine.upload(targets, [targets.length]));
          sum += (await engine.read(loss.value))[0]! * positions.length;
        });
        count += positions.length;
      }
      if (count === 0) {
        throw new EvaluationError("the texts have no token that could be masked", {
          found: counted(rows, "text"),
        });
      }
      await writeJson(join(scratch, "metrics.json"), { masked_loss: sum / count, perplexity: Math.exp(sum / count) });
    });
  }),
});
