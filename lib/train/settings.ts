/**
 * Hyper-parameters: what they may be, and what they are where nothing is said. The library and the command line read them
 * here.
 *
 * @module
 */
import { Result, Schema, SchemaIssue } from "effect";
import { UsageError } from "../error.ts";
import { ADAMW_DEFAULTS, type AdamWSettings } from "./adamw.ts";
import { nearestName } from "../text/edits.ts";
import type { PlanSettings } from "./plan.ts";
import { type ScheduleKind, SCHEDULES } from "./schedule.ts";

/** Hyper-parameters of a training; whatever is left out has the default of sentence-transformers, or is named here. */
export interface TrainSettings extends AdamWSettings {
  /** Passes over the data. Default 1. */
  readonly epochs?: number | undefined;
  /** Updates, instead of epochs: stops after so many, and repeats the data until then. */
  readonly maxSteps?: number | undefined;
  /** Rows of a batch. Default 32. */
  readonly batchSize?: number | undefined;
  /** Batches of an update. Default 1. */
  readonly accumulate?: number | undefined;
  /** The run's seed. Default 42. */
  readonly seed?: number | undefined;
  /** Highest learning rate. Default 5e-5. */
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
  /** Updates between checkpoints. Default 500. */
  readonly saveSteps?: number | undefined;
  /** Keeps the weights with the highest value of this metric instead of the last ones. */
  readonly keepBest?: string | undefined;
  /** Stops after so many evaluations without a new best. */
  readonly patience?: number | undefined;
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
  /** Updates between checkpoints. */
  readonly saveSteps: number;
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

/** Kinds of numbers that settings and flags are. */
export type NumberKind = "whole" | "positive" | "number" | "above zero" | "rate";

const numberOf = (message: string, holds: (value: number) => boolean): Schema.Codec<number> =>
  Schema.Number.check(Schema.makeFilter(holds, { message })).annotate({ message });

/** What numbers of each kind are. */
export const NUMBERS: Readonly<Record<NumberKind, Schema.Codec<number>>> = {
  "whole": numberOf("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0),
  "positive": numberOf("a whole number from 1", (value) => Number.isSafeInteger(value) && value > 0),
  "number": numberOf("a number from 0", (value) => Number.isFinite(value) && value >= 0),
  "above zero": numberOf("a number above 0", (value) => Number.isFinite(value) && value > 0),
  "rate": numberOf("a number from 0 to 1", (value) => value >= 0 && value <= 1),
};

const SETTINGS: Schema.Codec<TrainSettings> = Schema.Struct({
  epochs: Schema.optional(NUMBERS["positive"]),
  maxSteps: Schema.optional(NUMBERS["positive"]),
  batchSize: Schema.optional(NUMBERS["positive"]),
  accumulate: Schema.optional(NUMBERS["positive"]),
  seed: Schema.optional(NUMBERS["whole"]),
  learningRate: Schema.optional(NUMBERS["above zero"]),
  schedule: Schema.optional(Schema.Literals(SCHEDULES)),
  warmupSteps: Schema.optional(NUMBERS["whole"]),
  warmupRatio: Schema.optional(NUMBERS["rate"]),
  weightDecay: Schema.optional(NUMBERS["number"]),
  beta1: Schema.optional(NUMBERS["rate"]),
  beta2: Schema.optional(NUMBERS["rate"]),
  epsilon: Schema.optional(NUMBERS["above zero"]),
  clip: Schema.optional(NUMBERS["number"]),
  loggingSteps: Schema.optional(NUMBERS["positive"]),
  evalSteps: Schema.optional(NUMBERS["positive"]),
  saveSteps: Schema.optional(NUMBERS["positive"]),
  keepBest: Schema.optional(Schema.NonEmptyString),
  patience: Schema.optional(NUMBERS["positive"]),
});

const decode = Schema.decodeUnknownResult(SETTINGS, { errors: "all", onExcessProperty: "error" });

/** Names of all settings. */
const NAMES = Object.keys((SETTINGS as unknown as { readonly fields: object }).fields);

/**
 * Settings, checked and complete.
 *
 * @param settings What is to differ from the defaults.
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
export function resolveSettings(settings: TrainSettings): ResolvedTrainSettings {
  const result = decode(settings);
  if (Result.isFailure(result)) {
    const [issue] = SchemaIssue.makeFormatterStandardSchemaV1()(result.failure.issue).issues;
    const name = String(issue!.path?.[0] ?? "settings");
    if (!NAMES.includes(name)) {
      const meant = nearestName(name, NAMES);
      throw new UsageError(`there is no setting ${name}`, {
        expected: NAMES.join(", "),
        found: name,
        ...(meant !== undefined && { hint: `did you mean ${meant}?` }),
      });
    }
    const value = settings[name as keyof TrainSettings];
    throw new UsageError(`the setting ${name} cannot be trained with`, {
      expected: issue!.message,
      found: typeof value === "number" ? String(value) : JSON.stringify(value) ?? "nothing", // JSON has no NaN
    });
  }
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const { warmupSteps, warmupRatio } = settings;
  if (warmupSteps !== undefined && warmupRatio !== undefined) {
    throw new UsageError("the warmup is given twice", {
      expected: "warmupSteps or warmupRatio",
      found: `${warmupSteps} and ${warmupRatio}`,
    });
  }
  const { warmupRatio: ratio, ...defaults } = TRAIN_DEFAULTS;
  return { ...defaults, ...(warmupSteps === undefined && { warmupRatio: ratio }), ...given };
}
