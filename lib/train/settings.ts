/**
 * Hyper-parameters: what they may be, and what they are where nothing is said. The library and the command line read them
 * here.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { ADAMW_DEFAULTS, type AdamWSettings } from "./adamw.ts";
import { type LoraSettings, type ResolvedLora, resolveLora } from "../model/lora.ts";
import { aText, checkFields, type Fields, NUMBERS, oneOf, wrong } from "./fields.ts";
import type { PlanSettings } from "./plan.ts";
import { type ScheduleKind, SCHEDULES } from "./schedule.ts";

/** Hyper-parameters of a training; whatever is left out has the default of sentence-transformers, or is named here. */
export interface TrainSettings extends AdamWSettings {
  /** Passes over the data. Default 1. */
  readonly epochs?: number | undefined;
  /** Updates, instead of epochs: stops after so many, and repeats the data until then. */
  readonly maxSteps?: number | undefined;
  /** Rows of a batch. Default 32; of static embeddings under a loss of in-batch negatives up to 2048, see `recipeOf`. */
  readonly batchSize?: number | undefined;
  /** Batches of an update. Default 1. */
  readonly accumulate?: number | undefined;
  /** The run's seed. Default 42. */
  readonly seed?: number | undefined;
  /** Highest learning rate. Default 5e-5; of static embeddings 0.2 from random vectors, 0.01 from others. */
  readonly learningRate?: number | undefined;
  /** Decay after the warmup. Default linear. */
  readonly schedule?: ScheduleKind | undefined;
  /** Warmup in updates. */
  readonly warmupSteps?: number | undefined;
  /** Warmup as a share of all updates, where `warmupSteps` is not given. Default .1 */
  readonly warmupRatio?: number | undefined;
  /** Updates between entries of the loss curve. Default 100. */
  readonly loggingSteps?: number | undefined;
  /** Updates between evaluations. Default: none during training; with `keepBest`, a tenth of all. */
  readonly evalSteps?: number | undefined;
  /** Updates between checkpoints; five minutes are the most. Default 500. */
  readonly saveSteps?: number | undefined;
  /** Keeps the weights with the highest value of this metric instead of the last ones. */
  readonly keepBest?: string | undefined;
  /** Stops after so many evaluations without a new best. */
  readonly patience?: number | undefined;
  /** Trains adapters of low rank instead of the weights (LoRA). The default learning rate is 2e-4 then. */
  readonly lora?: LoraSettings | undefined;
}

/** Hyper-parameters, complete. */
export interface ResolvedTrainSettings
  extends
    PlanSettings,
    AdamWSettings,
    Pick<TrainSettings, "warmupSteps" | "warmupRatio" | "evalSteps" | "keepBest" | "patience"> {
  /** The run's seed. */
  readonly seed: number;
  /** Highest learning rate. */
  readonly learningRate: number;
  /** Decay after the warmup. */
  readonly schedule: ScheduleKind;
  /** Updates between entries of the loss curve. */
  readonly loggingSteps: number;
  /** Updates between checkpoints; five minutes are the most. */
  readonly saveSteps: number;
  /** Adapters that are trained instead of the weights. */
  readonly lora?: ResolvedLora | undefined;
}

/** The defaults of every training. */
export const TRAIN_DEFAULTS: ResolvedTrainSettings = {
  epochs: 1,
  batchSize: 32,
  accumulate: 1,
  seed: 42,
  learningRate: 5e-5,
  schedule: "linear",
  warmupRatio: 0.1,
  weightDecay: ADAMW_DEFAULTS.weightDecay,
  clip: ADAMW_DEFAULTS.clip,
  loggingSteps: 100,
  saveSteps: 500,
};

/** What TSDAE trains with where nothing is said: the paper's (Wang et al. 2021, arXiv 2104.06979). */
export const DENOISING_DEFAULTS: { readonly batchSize: number; readonly learningRate: number } = {
  batchSize: 16,
  learningRate: 3e-5,
};

/** What unsupervised SimCSE trains with where nothing is said: the paper's (Gao et al. 2021, arXiv 2104.08821). */
export const SIMCSE_DEFAULTS: { readonly batchSize: number; readonly learningRate: number } = {
  batchSize: 64,
  learningRate: 3e-5,
};

/**
 * What Contrastive Tension trains with where nothing is said, by where negatives come from: sentence-transformers' examples'.
 * The batch size of `pairs` is in pairs, that of `in-batch` in texts.
 */
export const TENSION_DEFAULTS: Readonly<
  Record<"pairs" | "in-batch", { readonly batchSize: number; readonly learningRate: number }>
> = {
  "pairs": { batchSize: 16, learningRate: 5e-5 },
  "in-batch": { batchSize: 128, learningRate: 5e-5 },
};

/** Learning rates of static embeddings where nothing is said. */
export const STATIC_RATES: {
  /** Of vectors at random, as sentence-transformers' own static models were trained. */
  readonly random: number;
  /** Of vectors that know something already: the other rate would wipe it out. */
  readonly taught: number;
} = { random: 0.2, taught: 0.01 };

/** What a cross-encoder trains with where nothing is said. */
export const CROSS_ENCODER_DEFAULTS: { readonly learningRate: number; readonly weightDecay: number } = {
  learningRate: 2e-5,
  weightDecay: 0.01,
};

/**
 * What adapters are trained with where nothing is said: Hu et al. (2021, arXiv 2106.09685) took 2e-4 to 5e-4, PEFT's examples
 * 1e-4 to 1e-3. All of them are more than weights take, since adapters begin with nothing.
 */
export const LORA_DEFAULTS: { readonly learningRate: number } = { learningRate: 2e-4 };

/** The learning rate that trainings of this kind usually have; `recipe`: that of their weights. */
export function usualRate({ lora }: Pick<TrainSettings, "lora">, recipe: number = TRAIN_DEFAULTS.learningRate): number {
  return lora === undefined ? recipe : LORA_DEFAULTS.learningRate;
}

const isTargets = (value: unknown) => {
  const texts = Array.isArray(value) ? value : [value];
  return texts.length > 0 && texts.every((text) => typeof text === "string" && text !== "");
};

/** What each setting of adapters may be. */
const LORA_FIELDS: Fields<LoraSettings> = {
  rank: NUMBERS["positive"],
  alpha: NUMBERS["above zero"],
  targets: { expected: "all-linear, a list of names, or a regular expression", is: isTargets },
  dropout: NUMBERS["below one"],
};

/** What each setting may be. */
export const TRAIN_FIELDS: Fields<TrainSettings> = {
  epochs: NUMBERS["positive"],
  maxSteps: NUMBERS["positive"],
  batchSize: NUMBERS["positive"],
  accumulate: NUMBERS["positive"],
  seed: NUMBERS["whole"],
  learningRate: NUMBERS["above zero"],
  schedule: oneOf(SCHEDULES),
  warmupSteps: NUMBERS["whole"],
  warmupRatio: NUMBERS["rate"],
  weightDecay: NUMBERS["number"],
  beta1: NUMBERS["below one"],
  beta2: NUMBERS["below one"],
  epsilon: NUMBERS["above zero"],
  clip: NUMBERS["number"],
  loggingSteps: NUMBERS["positive"],
  evalSteps: NUMBERS["positive"],
  saveSteps: NUMBERS["positive"],
  keepBest: aText("the name of a metric, or auto"),
  patience: NUMBERS["positive"],
  lora: { expected: "an object, such as { rank: 16 }", is: (value) => typeof value === "object" && value !== null },
};

/**
 * Settings, checked and complete.
 *
 * @param settings What is to differ from the defaults.
 * @param recipe Defaults of a recipe, in place of those of every training. Default: none.
 * @returns Either `warmupSteps` or `warmupRatio` is set, never both.
 * @throws {UsageError} A value that cannot be trained with, or a setting that there is not.
 *
 * @example
 * ```ts
 * import { resolveSettings } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * assert.equal(resolveSettings({ epochs: 2 }).learningRate, 5e-5);
 * assert.throws(() => resolveSettings({ batchSize: 0 }), /batchSize/);
 * ```
 */
export function resolveSettings(
  settings: TrainSettings,
  recipe: Partial<ResolvedTrainSettings> = {},
): ResolvedTrainSettings {
  checkFields(settings, TRAIN_FIELDS);
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const { warmupSteps, warmupRatio } = settings;
  if (warmupSteps !== undefined && warmupRatio !== undefined) {
    throw new UsageError("the warmup is given twice", {
      expected: "warmupSteps or warmupRatio",
      found: `${warmupSteps} and ${warmupRatio}`,
    });
  }
  const { warmupRatio: ratio, ...defaults } = TRAIN_DEFAULTS;
  const complete = { ...defaults, ...(warmupSteps === undefined && { warmupRatio: ratio }), ...recipe };
  if (settings.lora === undefined) return { ...complete, ...given };
  checkFields(settings.lora, LORA_FIELDS, "lora");
  if (settings.lora.rank === undefined) throw wrong("lora.rank", LORA_FIELDS.rank.expected, undefined);
  return { ...complete, ...LORA_DEFAULTS, ...given, lora: resolveLora(settings.lora) };
}
