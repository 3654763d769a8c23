/**
 * Hyper-parameters with the defaults of sentence-transformers' trainer and a warmup of a tenth.
 *
 * @module
 */
import type { TrainSettings } from "../train/trainer.ts";

/** Hyper-parameters of a training that have a default. */
export interface TrainingChoices {
  /** Passes over the rows. Default 1. */
  readonly epochs?: number;
  /** Rows of a batch. Default 32; TSDAE 16. */
  readonly batchSize?: number;
  /** Highest learning rate. Default 5e-5. */
  readonly learningRate?: number;
  /** Default 42. */
  readonly seed?: number;
}

/** The settings of these choices. */
export function settingsOf(
  { epochs = 1, batchSize = 32, learningRate = 5e-5, seed = 42 }: TrainingChoices,
): TrainSettings {
  return {
    epochs,
    batchSize,
    accumulate: 1,
    seed,
    learningRate,
    schedule: "linear",
    warmupSteps: 0,
    warmupRatio: 0.1,
    optimizer: {},
    loggingSteps: 100,
    saveSteps: 500,
  };
}
