/**
 * What a training run leaves behind beside the weights.
 *
 * @module
 */
import { TrainingError } from "../error.ts";
import { nearestName } from "../text/edits.ts";
import type { LossScale } from "./loss_scale.ts";

/** Values of an evaluation, under sentence-transformers' key names. */
export type Metrics = { readonly [key: string]: number };

/** The metric that the best weights are chosen by; refused where there is none of this name. */
export function chosenMetric(metrics: Metrics, name: string): number {
  const value = metrics[name];
  if (value !== undefined) return value;
  const names = Object.keys(metrics);
  const meant = nearestName(name, names);
  throw new TrainingError("the metric to keep the best weights by is none of those that are evaluated", {
    expected: `one of ${names.join(", ")}`,
    found: name,
    hint: meant === undefined ? "name another one with --keep-best (keepBest)" : `did you mean ${meant}?`,
  });
}

/** What a run tells of itself every few updates. */
export interface LoggedStep {
  /** Updates done. */
  readonly step: number;
  /** Passes over the rows, with their fraction. */
  readonly epoch: number;
  /** Mean loss of the updates since the entry before. */
  readonly loss: number;
  /** Of several data sets: the mean loss of each one's batches since then, if it had any. */
  readonly losses?: Readonly<Record<string, number>>;
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

/** What was trained on of one of several data sets. */
export interface SetCounts {
  /** Batches. */
  readonly batches: number;
  /** Updates that changed the weights and had such a batch. */
  readonly updates: number;
  /** Rows. */
  readonly samples: number;
  /** Their tokens. */
  readonly tokens: number;
}

/** A batch of one of several data sets. */
export interface SetBatch {
  /** Whose it is. */
  readonly set: string;
  /** Its loss. */
  readonly loss: number;
  /** Its rows. */
  readonly samples: number;
  /** Their tokens. */
  readonly tokens: number;
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
  /** Of several data sets: its batches, and whether they changed the weights. */
  readonly sets?: { readonly batches: readonly SetBatch[]; readonly counts: boolean } | undefined;
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
  /** Batches and the sum of their losses, by data set, where there are several. */
  readonly sets?: Readonly<Record<string, { readonly batches: number; readonly loss: number }>>;
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
  /** What was trained on of each data set, where there are several. */
  sets?: Record<string, SetCounts>;
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
export function addStep(record: TrainingRecord, { loss, samples, tokens, seconds, sets }: StepSums): void {
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
    ...(pending.sets !== undefined && { sets: pending.sets }),
  };
  if (sets !== undefined) addSets(record, sets);
}

/** Counts the batches of an update by their data sets. */
function addSets(record: TrainingRecord, { batches, counts }: NonNullable<StepSums["sets"]>): void {
  const [all, pending] = [{ ...record.sets }, { ...record.pending.sets }];
  for (const { set, loss, samples, tokens } of batches) {
    const { [set]: of = { batches: 0, updates: 0, samples: 0, tokens: 0 } } = all;
    const { [set]: sum = { batches: 0, loss: 0 } } = pending;
    all[set] = { ...of, batches: of.batches + 1, samples: of.samples + samples, tokens: of.tokens + tokens };
    pending[set] = { batches: sum.batches + 1, loss: sum.loss + loss };
  }
  for (const set of new Set(counts ? batches.map(({ set }) => set) : [])) {
    all[set] = { ...all[set]!, updates: all[set]!.updates + 1 };
  }
  record.sets = all;
  record.pending = { ...record.pending, sets: pending };
}

/** Tells of the updates since the entry before. */
export function logSteps(
  record: TrainingRecord,
  told: Pick<LoggedStep, "epoch" | "learning_rate" | "gradient_norm" | "engine_bytes" | "process_bytes">,
): void {
  const { steps, loss, tokens, seconds, sets } = record.pending;
  const losses = sets &&
    Object.fromEntries(Object.entries(sets).map(([name, { batches, loss }]) => [name, loss / batches]));
  record.log.push({
    step: record.steps,
    loss: loss / steps,
    ...(losses && { losses }),
    tokens_per_second: tokens / seconds,
    ...told,
  });
  record.pending = NOTHING_PENDING;
}
