/**
 * What a person should know about a training that went through all the same.
 *
 * @module
 */
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { warmupOf } from "../train/schedule.ts";
import { type ResolvedTrainSettings, TRAIN_DEFAULTS } from "../train/settings.ts";

/** Settings with which a training hardly does what is wanted. */
export function settingsWarnings(
  { warmupSteps, warmupRatio, learningRate }: Pick<
    ResolvedTrainSettings,
    "warmupSteps" | "warmupRatio" | "learningRate"
  >,
  { steps }: Pick<TrainingRecord, "steps">,
  { own }: { readonly own: boolean },
): string[] {
  const usual = TRAIN_DEFAULTS.learningRate;
  const warmup = warmupOf(steps, { steps: warmupSteps, ratio: warmupSteps === undefined ? warmupRatio : undefined });
  return [
    ...(warmup >= steps && steps > 0 && warmup > 0
      ? [
        `the warmup of ${warmup} updates is not shorter than the training of ${steps}: the learning rate was never reached`,
      ]
      : []),
    ...(own && learningRate >= 10 * usual
      ? [
        `the learning rate ${learningRate} is ${
          Math.round(learningRate / usual)
        } times the usual one, ${usual}: a model may forget what it knew`,
      ]
      : []),
  ];
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
