/**
 * What a person should know about a training that went through all the same.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { warmupOf } from "../train/schedule.ts";
import type { ResolvedTrainSettings } from "../train/settings.ts";
import type { Flag, Invocation } from "./flags.ts";
import { trainSettings } from "./settings.ts";

/** Settings with which a training hardly does what is wanted; `usual`: the learning rate of its recipe. */
export function settingsWarnings(
  { warmupSteps, warmupRatio, learningRate }: Pick<
    ResolvedTrainSettings,
    "warmupSteps" | "warmupRatio" | "learningRate"
  >,
  { steps }: Pick<TrainingRecord, "steps">,
  { usual }: { readonly usual?: number | undefined } = {},
): string[] {
  const warmup = warmupOf(steps, { steps: warmupSteps, ratio: warmupSteps === undefined ? warmupRatio : undefined });
  return [
    ...(warmup >= steps && steps > 0 && warmup > 0
      ? [
        `the warmup of ${
          counted(warmup, "update")
        } is not shorter than the training of ${steps}: the learning rate was never reached`,
      ]
      : []),
    ...(usual === undefined ? [] : rateWarning("the learning rate", learningRate, usual)),
  ];
}

/** Which weights were kept, where some were chosen by the rows that the report is about. */
export const bestWarning = ({ best, steps }: Pick<TrainingRecord, "best" | "steps">): string[] =>
  best === undefined
    ? []
    : [`the best checkpoint, update ${best.step} of ${steps}, was chosen on the same rows that the report is about`];

/** Whether a learning rate is ten times the one that its recipe has. */
function rateWarning(what: string, rate: number, usual: number): string[] {
  if (rate < 10 * usual) return [];
  return [
    `${what} ${rate} is ${Math.round(rate / usual)} times the usual one, ${usual}: a model may forget what it knew`,
  ];
}

/** The learning rates of a command, and what they are of. */
const RATES = {
  "learning-rate": "the learning rate",
  "adapt-learning-rate": "the adaptation's learning rate",
  "cross-learning-rate": "the cross-encoder's learning rate",
} as const satisfies Partial<Record<Flag, string>>;

/**
 * Settings with which a command hardly does what is wanted. A model of one's own is trained with a rate near the recipe's:
 * that which the command has for it where nothing is said.
 */
export function invocationWarnings(
  { values, usual = {} }: Pick<Invocation, "values" | "usual">,
  record: Pick<TrainingRecord, "steps">,
): string[] {
  const rates = Object.entries(RATES).flatMap(([flag, what]) => {
    const [rate, recipe] = [values[flag as Flag], usual[flag as Flag]];
    const known = values["model"] !== undefined && typeof rate === "number" && typeof recipe === "number";
    return known ? rateWarning(what, rate, recipe) : [];
  });
  return [...settingsWarnings(trainSettings(values), record), ...rates];
}

/** A model of one's own that is trained without rows of one's own learns the sample's, which are made up. */
export function sampleWarning(
  { values, preset }: Pick<Invocation, "values" | "preset">,
  flags: readonly Flag[],
): string[] {
  const has = (flag: Flag) => values[flag] !== undefined;
  const trains = flags.includes("epochs") && flags.includes("train");
  // Where vectors can be had without a training, there is none without rows of one's own.
  if (flags.includes("no-training") && (preset === "own" || values["no-training"] === true)) return [];
  if (!trains || preset === "chapter" || !has("model") || has("train") || has("gold")) return [];
  return ["there is no --train: the model is trained on the sample's rows, which are made up"];
}

/** Whether a model is worse after training, by the metric that stands for the evaluation. */
export function worseWarning(
  metric: string,
  before: Metrics,
  after: Metrics,
  { where, lower = false }: { readonly where: string; readonly lower?: boolean },
): string[] {
  const [was, is] = [before[metric], after[metric]];
  if (was === undefined || is === undefined || (lower ? is <= was : is >= was)) return [];
  return [`training made the model worse ${where}: ${metric} ${was.toFixed(4)} before, ${is.toFixed(4)} after`];
}
