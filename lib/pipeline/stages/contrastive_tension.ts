/**
 * contrastive-tension: a bi-encoder learns from plain texts, by agreeing with a second one on each of them and on no others.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../../attempt.ts";
import type { Dataset } from "../../data/dataset.ts";
import { contrastiveTensionInBatch } from "../../loss/contrastive_tension.ts";
import { saveBiEncoder } from "../../model/bi_encoder.ts";
import { freeParameters } from "../../model/parameters.ts";
import { promptLength, promptOf } from "../../model/prompts.ts";
import { tokenize } from "../../text/tokenizer.ts";
import {
  contrastiveTensionObjective,
  POS_NEG_RATIO,
  type Tension,
  textsOfPairs,
} from "../../train/contrastive_tension_objective.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { makeHead } from "../../train/head.ts";
import { modelCard, shownSettings } from "../../train/model_card.ts";
import type { TrainSettings } from "../../train/settings.ts";
import {
  datasetFormat,
  type ModelFolder,
  modelFormat,
  type ModelShape,
  trainedFormat,
  type TrainedModel,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import type { Texts } from "./load.ts";
import { type Resolved, trainInto, withSettings } from "./train_into.ts";

/** Settings of {@linkcode trainContrastiveTension}. */
export interface ContrastiveTensionParameters extends ModelShape {
  /** Hyper-parameters; the batch size is in pairs for `pairs`, in texts for `in-batch`. */
  readonly settings: TrainSettings;
  /** Where negatives come from. */
  readonly tension: Tension;
  /** Of `pairs`: every so many pairs one is of equal texts. Default 8. */
  readonly posNegRatio?: number | undefined;
  /** Of `in-batch`: what cosines are multiplied by at first; it is trained. Default 20. */
  readonly scale?: number | undefined;
  /** See `trainedBy`; it holds for both models. */
  readonly freeze?: string | undefined;
}

/** What {@linkcode trainContrastiveTension} takes. */
export interface ContrastiveTensionInputs {
  /** Model to start from. */
  readonly model: ModelFolder;
  /** Plain texts. */
  readonly texts: Dataset<Texts>;
}

/** Dot products of embeddings of length 1 stay between −1 and 1: no pair can be told from another for sure. */
const NORMALISED =
  "the model's embeddings have length 1, so that their dot products, which Contrastive Tension with pairs compares, say " +
  "little: --tension in-batch compares cosines";

/**
 * Trains a bi-encoder by Contrastive Tension (Carlsson et al. 2021). Two models begin with the same weights and are both
 * trained, so that it takes twice the memory; the one that embeds the second text of a pair is kept, as in
 * sentence-transformers.
 */
export const trainContrastiveTension: Stage<ContrastiveTensionParameters, ContrastiveTensionInputs, TrainedModel> =
  withSettings(
    defineStage<Resolved<ContrastiveTensionParameters>, ContrastiveTensionInputs, TrainedModel>({
      name: "contrastive-tension",
      version: 6, // padding that stands in a text trains no row of a table
      inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
      output: trainedFormat,
      computes: true,
      how: ["settings.saveSteps", "settings.loggingSteps"],
      draws: true,
      run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
        const { settings, tension, posNegRatio = POS_NEG_RATIO, scale, pooling, maxSeqLength, freeze } = parameters;
        const byPairs = tension === "pairs";
        const batchSize = byPairs
          ? yield* attemptSync(() => textsOfPairs(settings.batchSize, posNegRatio))
          : settings.batchSize;
        yield* phase("training");
        const engine = yield* (yield* TensorEngine).open;
        const { columns } = yield* attempt(() => inputs.texts.read());
        const options = { trained: true, pooling, maxSeqLength, freeze } as const;
        const [model, first] = [
          yield* openBiEncoder(inputs.model, options),
          yield* openBiEncoder(inputs.model, options),
        ];
        const inBatch = contrastiveTensionInBatch(scale === undefined ? {} : { scale });
        const head = byPairs
          ? {}
          : yield* openOnEngine((engine) => makeHead(engine, inBatch, model.width, settings.seed), freeParameters);
        const prompt = promptOf(model);
        const objective = yield* attempt(async () =>
          contrastiveTensionObjective({
            model,
            first,
            texts: await tokenize(model.tokenizer, columns.text, { maxLength: model.maxSeqLength, prompt }),
            tension,
            posNegRatio,
            head,
            ...(!byPairs && { distinct: columns.text }),
            skip: promptLength(model.tokenizer, prompt, model.maxSeqLength),
          })
        );
        const card = modelCard({
          title: "A sentence-embedding model",
          story:
            `Trained by Kindred on ${counted(columns.text.length, "text")} without labels, by Contrastive Tension ` +
            "(Carlsson et al. 2021).",
          settings: shownSettings(settings),
        });
        const isNormalised = model.modules.at(-1)?.type === "normalize";
        yield* trainInto(scratch, engine, {
          objective,
          settings: { ...settings, batchSize },
          warnings: [...emptyTextWarnings(columns), ...(byPairs && isNormalised ? [NORMALISED] : [])],
          save: (folder) => saveBiEncoder(engine, model, folder, card),
        });
      }),
    }),
  );
