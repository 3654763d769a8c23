/**
 * What a training run leaves behind beside the weights.
 *
 * @module
 */

import type { LossScale } from "./loss_scale.ts";

/** Values of an evaluation, under sentence-transformers' key names. */
export type Metrics = { readonly [key: string]: number };

/** What a run tells of itself every few updates. */
export interface LoggedStep {
  /** Updates done. */
  readonly step: number;
  /** Passes over the rows, with their fraction. */
  readonly epoch: number;
  /** Mean loss of the updates since the entry before. */
  readonly loss: number;
  /** Learning rate of this update. */
  readonly learning_rate: number;
  /** Global norm of this update's gradient, before clipping. */
  readonly gradient_norm: number;
  /** Tokens per second since the entry before. */
  readonly tokens_per_second: number;
  /** Bytes that the engine holds. */
  readonly engine_bytes: number;
  /** Bytes of memory that the process has. */
  readonly process_bytes: number;
}

/** What an update adds to the record. */
export interface StepSums {
  /** Its loss. */
  readonly loss: number;
  /** Its rows. */
  readonly samples: number;
  /** Their tokens. */
  readonly tokens: number;
  /** How long it took. */
  readonly seconds: number;
}

/** Sums over the updates since the last entry of the log. */
export interface PendingSteps {
  /** Updates. */
  readonly steps: number;
  /** Of their losses. */
  readonly loss: number;
  /** Tokens. */
  readonly tokens: number;
  /** Seconds. */
  readonly seconds: number;
}

/** No update since the last entry. */
export const NOTHING_PENDING: PendingSteps = { steps: 0, loss: 0, tokens: 0, seconds: 0 };

/** The course of a training run; plain JSON. */
export interface TrainingRecord {
  /** Updates done. */
  steps: number;
  /** Rows seen. */
  samples: number;
  /** Tokens seen. */
  tokens: number;
  /** Wall time of the step loop: gathering, forward, backward, optimizer; nothing else. */
  seconds: number;
  /** What was told on the way, every few updates and after the last one. */
  log: LoggedStep[];
  /** What is to be told with the next entry. */
  pending: PendingSteps;
  /** [update, metrics] */
  evaluations: [number, Metrics][];
  /** Where the chosen metric was best so far. */
  best?: { step: number; value: number };
  /** Evaluations since the best one. */
  stale: number;
  /** Whether patience ran out. */
  stoppedEarly: boolean;
  /** Numbers that are trained. */
  trainedParameters: number;
  /** Numbers that the model and the loss have in all. */
  parameters: number;
  /** The scale of the loss, in half precision. */
  lossScale?: LossScale;
  /** What is worth knowing of the rows and of the course, each once. */
  warnings: string[];
}

/** The record of a run that has not begun. */
export function emptyRecord(): TrainingRecord {
  return {
    steps: 0,
    samples: 0,
    tokens: 0,
    seconds: 0,
    log: [],
    pending: NOTHING_PENDING,
    evaluations: [],
    stale: 0,
    stoppedEarly: false,
    trainedParameters: 0,
    parameters: 0,
    warnings: [],
  };
}

/** Counts an update. */
export function addStep(record: TrainingRecord, { loss, samples, tokens, seconds }: StepSums): void {
  const { pending } = record;
  record.steps++;
  record.samples += samples;
  record.tokens += tokens;
  record.seconds += seconds;
  record.pending = {
    steps: pending.steps + 1,
    loss: pending.loss + loss,
    tokens: pending.tokens + tokens,
    seconds: pending.seconds + seconds,
  };
}

/** Tells of the updates since the entry before. */
export function logSteps(
  record: TrainingRecord,
  told: Pick<LoggedStep, "epoch" | "learning_rate" | "gradient_norm" | "engine_bytes" | "process_bytes">,
): void {
  const { steps, loss, tokens, seconds } = record.pending;
  record.log.push({ step: record.steps, loss: loss / steps, tokens_per_second: tokens / seconds, ...told });
  record.pending = NOTHING_PENDING;
}
