/**
 * tsdae: a bi-encoder learns from plain texts, by writing them again from damaged ones.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { Dataset } from "../../data/dataset.ts";
import { deletion } from "../../data/noise.ts";
import type { PoolingMode } from "../../engine/engine.ts";
import { saveBiEncoder } from "../../model/bi_encoder.ts";
import { freeDenoisingDecoder, loadDenoisingDecoder, saveDenoisingDecoder } from "../../model/denoising_decoder.ts";
import { trainedBy } from "../../model/freeze.ts";
import { tokenize } from "../../text/tokenizer.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { denoisingObjective } from "../../train/denoising_objective.ts";
import type { TrainSettings } from "../../train/settings.ts";
import {
  datasetFormat,
  type ModelFolder,
  modelFormat,
  trainedFormat,
  type TrainedModel,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../stage/models.ts";
import { modelCard, shownSettings } from "../../train/model_card.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import type { Texts } from "./load.ts";
import { type Resolved, trainInto, withSettings } from "./train_into.ts";

/** Settings of {@linkcode trainDenoising}. */
export interface DenoisingParameters {
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** Default cls, as in the paper. Nothing follows the pooling: what normalises or projects in the folder is left out. */
  readonly pooling: PoolingMode;
  /** Share of words that are deleted. */
  readonly ratio: number;
  /** Damage every text once, as the chapter does, not afresh in each epoch. */
  readonly fixedNoise: boolean;
  /** Whether decoder and encoder share all that they have in common. */
  readonly tie: boolean;
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
}

/** Trains an encoder by TSDAE; the decoder is kept beside the model, for a training that goes on. */
export const trainDenoising: Stage<DenoisingParameters, { model: ModelFolder; texts: Dataset<Texts> }, TrainedModel> =
  withSettings(defineStage<Resolved<DenoisingParameters>, { model: ModelFolder; texts: Dataset<Texts> }, TrainedModel>({
    name: "tsdae",
    version: 10, // padding that stands in a text trains no row of a table
    inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
    output: trainedFormat,
    computes: true,
    how: ["settings.saveSteps", "settings.loggingSteps"],
    draws: true,
    run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
      const { settings, pooling, ratio, fixedNoise, tie, maxSeqLength, freeze } = parameters;
      yield* phase("training");
      const engine = yield* (yield* TensorEngine).open;
      const [{ folder }, { columns }] = yield* attempt(() => Promise.all([inputs.model.read(), inputs.texts.read()]));
      const model = yield* openBiEncoder(folder, { trained: true, pooling, pooledOnly: true, maxSeqLength, freeze });
      const trained = trainedBy(freeze, model.encoder.config);
      const decoder = yield* openOnEngine(
        (engine) => loadDenoisingDecoder(engine, model, folder, { tie, seed: settings.seed, trained }),
        freeDenoisingDecoder,
      );
      const targets = yield* attempt(() =>
        tokenize(decoder.tokenizer, columns.text, { maxLength: model.maxSeqLength })
      );
      const noise = deletion({ ratio, fixed: fixedNoise });
      const objective = denoisingObjective({ model, decoder, texts: columns.text, targets, noise });
      const card = modelCard({
        title: "A sentence-embedding model",
        story:
          `Trained by Kindred on ${counted(columns.text.length, "text")} without labels, by TSDAE (Wang et al. 2021, ` +
          "arXiv 2104.06979).",
        settings: shownSettings(settings),
      });
      yield* trainInto(scratch, engine, {
        objective,
        settings,
        warnings: emptyTextWarnings(columns),
        save: async (folder) => {
          await saveBiEncoder(engine, model, folder, card);
          await saveDenoisingDecoder(engine, decoder, join(scratch, "decoder.safetensors"));
        },
      });
    }),
  }));
