/**
 * Trainings on plain texts in one call each, awaited: TSDAE, SimCSE, Contrastive Tension.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import type { Dataset } from "../data/dataset.ts";
import { datasetOf } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { poolingOf } from "../pipeline/adapting.ts";
import { FLAGS } from "../pipeline/flags.ts";
import { trainContrastiveTension } from "../pipeline/stages/contrastive_tension.ts";
import { trainDenoising } from "../pipeline/stages/denoise.ts";
import type { Texts } from "../pipeline/stages/load.ts";
import { trainSimcse } from "../pipeline/stages/simcse.ts";
import { settingsWarnings } from "../pipeline/warnings.ts";
import type { ModelFolder, TrainedModel } from "../stage/artifact.ts";
import { given, type RunOptions } from "../stage/run.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Tension } from "../train/contrastive_tension_objective.ts";
import { NUMBERS, oneOf } from "../train/fields.ts";
import { recipeOf } from "../train/recipe.ts";
import type { TrainingRecord } from "../train/record.ts";
import {
  DENOISING_DEFAULTS,
  type ResolvedTrainSettings,
  resolveSettings,
  SIMCSE_DEFAULTS,
  TENSION_DEFAULTS,
  TRAIN_FIELDS,
  type TrainSettings,
  usualRate,
} from "../train/settings.ts";
import { cardText } from "./card.ts";
import { A_LIST, A_MODEL, A_SHARE, checkTraining } from "./fields.ts";
import { type OutputOptions, runTraining, startingModel } from "./training.ts";

/** What trainings on plain texts take. */
export interface PlainTextsInput extends TrainSettings, RunOptions, OutputOptions {
  /** Encoder to start from: a folder or a model of the hub. */
  readonly model: string;
  /** Plain texts. */
  readonly texts: readonly string[];
}

/** A way of learning from plain texts. */
interface Method {
  /** Its name and paper, for the card, behind "on plain texts, by". */
  readonly name: string;
  /** Hyper-parameters where nothing is said. */
  readonly recipe: { readonly batchSize: number; readonly learningRate: number };
  /** Trains. */
  readonly train: (
    inputs: { readonly model: Artifact<ModelFolder>; readonly texts: Artifact<Dataset<Texts>> },
    settings: ResolvedTrainSettings,
  ) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services>;
}

/** Trains on the distinct texts, and saves the model with a card that tells how. */
async function learn(
  { model, texts: plain, output, force = false, loraSave, cacheDir, engine, progress, signal, ...chosen }:
    PlainTextsInput,
  { name, recipe, train }: Method,
): Promise<TrainingRecord> {
  const work = Effect.gen(function* () {
    const texts = yield* given(datasetOf({ text: [...new Set(plain)] }));
    const base = yield* startingModel(model);
    const { folder } = yield* valueOf(base);
    const usual = { ...recipe, ...yield* attempt(() => recipeOf(folder)) }; // static embeddings want another rate
    const settings = yield* attemptSync(() => resolveSettings(chosen, usual));
    const trained = yield* train({ model: base, texts }, settings);
    const done = yield* valueOf(trained);
    const warnings = [
      ...done.record.warnings,
      ...settingsWarnings(settings, done.record, { usual: usualRate(settings, usual.learningRate) }),
    ];
    const record = { ...done.record, warnings };
    const how = `on plain texts, by ${name}`;
    const card = yield* attempt(() => cardText({ source: model, folder: done.folder, how, record, settings }));
    return { model: trained, record, card };
  });
  const { record } = await runTraining(work, {
    output,
    force,
    loraSave,
    source: model,
    cacheDir,
    engine,
    progress,
    signal,
  });
  return record;
}

/** What {@linkcode tsdae} takes. The batch size is 16 and the learning rate 3e-5, as in the paper, where nothing is said. */
export interface TsdaeInput extends PlainTextsInput {
  /** Share of words that are deleted. Default .6 */
  readonly ratio?: number;
}

/**
 * Trains an encoder on plain texts by denoising, and saves it. A model with a pooling of its own keeps it; any other gets the
 * paper's, cls.
 *
 * @param input The model, the texts, where to save, and the settings of the training.
 * @returns Losses, and what the training took.
 * @throws {DatasetError} Texts that cannot be used.
 * @throws {TrainingError} The loss is not finite.
 */
export async function tsdae(input: TsdaeInput): Promise<TrainingRecord> {
  checkTraining(input, { model: A_MODEL, texts: A_LIST, ratio: A_SHARE, ...TRAIN_FIELDS });
  const { ratio = 0.6, ...rest } = input;
  return await learn(rest, {
    name: "TSDAE (Wang et al. 2021, arXiv 2104.06979)",
    recipe: DENOISING_DEFAULTS,
    train: Effect.fnUntraced(function* (inputs, settings) {
      const { folder } = yield* valueOf(inputs.model);
      const pooling = (yield* attempt(() => poolingOf(folder))) ?? "cls";
      return yield* trainDenoising(inputs, { settings, pooling, ratio, fixedNoise: false, tie: true });
    }),
  });
}

/** What {@linkcode simcse} takes. The batch size is 64 and the learning rate 3e-5, as in the paper, where nothing is said. */
export interface SimcseInput extends PlainTextsInput {
  /** What cosines are multiplied by: 1 / temperature. Default 20. */
  readonly scale?: number;
  /** Rate of dropout, wherever the model has a place for it. Default: the model's own rates. */
  readonly dropout?: number;
}

/**
 * Trains an encoder on plain texts by SimCSE, and saves it: each text shall be known again under another dropout mask. The
 * supervised kind is {@linkcode finetune} with a column of negatives.
 *
 * @param input The model, the texts, where to save, and the settings of the training.
 * @returns Losses, and what the training took.
 * @throws {DatasetError} Texts that cannot be used.
 * @throws {TrainingError} The model has no dropout, or the loss is not finite.
 *
 * @example
 * ```ts
 * import { simcse } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const { steps } = await simcse({
 *   model: await sampleBaseModel(),
 *   texts: ["the boy opens the door", "the cook slices the bread", "the dog chases the cat"],
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal(steps, 1);
 * ```
 */
export async function simcse(input: SimcseInput): Promise<TrainingRecord> {
  const own = { scale: NUMBERS["above zero"], dropout: NUMBERS["rate"] };
  checkTraining(input, { model: A_MODEL, texts: A_LIST, ...own, ...TRAIN_FIELDS });
  const { scale, dropout, ...rest } = input;
  return await learn(rest, {
    name: "SimCSE (Gao et al. 2021, arXiv 2104.08821)",
    recipe: SIMCSE_DEFAULTS,
    train: (inputs, settings) => trainSimcse(inputs, { settings, scale, dropout }),
  });
}

/**
 * What {@linkcode contrastiveTension} takes. The learning rate is 5e-5 and the batch size 128 texts, or 16 pairs, as in
 * sentence-transformers' examples, where nothing is said.
 */
export interface ContrastiveTensionInput extends PlainTextsInput {
  /** What a text is told from: all others of the batch, or one other text in each pair. Default in-batch. */
  readonly tension?: Tension;
  /** Of `pairs`: every so many pairs one is of equal texts. Default 8. */
  readonly posNegRatio?: number;
  /** Of `in-batch`: what cosines are multiplied by at first. Default 20. */
  readonly scale?: number;
}

/**
 * Trains two encoders on plain texts by Contrastive Tension, in twice the memory, and saves one of them: both shall agree on
 * each text and on no two different ones.
 *
 * @param input The model, the texts, where to save, and the settings of the training.
 * @returns Losses, and what the training took.
 * @throws {UsageError} A batch of pairs that cannot be shared out.
 * @throws {DatasetError} Texts that cannot be used.
 * @throws {TrainingError} The loss is not finite.
 *
 * @example
 * ```ts
 * import { contrastiveTension } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const { steps } = await contrastiveTension({
 *   model: await sampleBaseModel(),
 *   texts: ["the boy opens the door", "the cook slices the bread", "the dog chases the cat"],
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal(steps, 1);
 * ```
 */
export async function contrastiveTension(input: ContrastiveTensionInput): Promise<TrainingRecord> {
  const own = {
    tension: oneOf(FLAGS["tension"][0]),
    posNegRatio: NUMBERS["positive"],
    scale: NUMBERS["above zero"],
  };
  checkTraining(input, { model: A_MODEL, texts: A_LIST, ...own, ...TRAIN_FIELDS });
  const { tension = "in-batch", posNegRatio, scale, ...rest } = input;
  return await learn(rest, {
    name: "Contrastive Tension (Carlsson et al. 2021)",
    recipe: TENSION_DEFAULTS[tension],
    train: (inputs, settings) => trainContrastiveTension(inputs, { settings, tension, posNegRatio, scale }),
  });
}
