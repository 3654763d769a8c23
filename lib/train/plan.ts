/**
 * The updates of a run: batches grouped by accumulation, epoch after epoch.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { TrainingError } from "../error.ts";
import { type Batch, epochBatches } from "./batches.ts";
import type { Objective } from "./objective.ts";

/** How long and in which portions. */
export interface PlanSettings {
  /** Passes over the data. */
  readonly epochs: number;
  /** Stops after so many updates, and repeats the data until then. */
  readonly maxSteps?: number | undefined;
  /** Rows of a batch. */
  readonly batchSize: number;
  /** Batches of an update. */
  readonly accumulate: number;
  /** The run's seed. */
  readonly seed: number;
}

/** The batches of one update. */
export type Update = readonly Batch[];

/** A plan: its length is known before the first step. */
export interface Plan {
  /** Updates in all. */
  readonly totalSteps: number;
  /** The updates from number `from` (0 is the first) on. */
  readonly updates: (from: number) => Generator<Update>;
  /** Passes over the data after so many updates, with their fraction. */
  readonly epochAt: (steps: number) => number;
}

/** Lays out all updates of a run. Only one epoch is held in memory. */
export function planUpdates(objective: Objective, settings: PlanSettings): Plan {
  const { epochs, maxSteps, batchSize, accumulate, seed } = settings;
  if (objective.rows === 0) throw new TrainingError("there are no rows to train on", { expected: "at least one row" });
  const { rows, distinct, groups } = objective;
  const batches = objective.batches?.({ batchSize, seed }) ??
    ((epoch: number) => epochBatches(rows, { batchSize, seed, epoch, distinct, groups }));
  const drawn = objective.batches !== undefined || distinct !== undefined || groups !== undefined;
  const stepsOf = (epoch: number) =>
    Math.ceil((drawn ? batches(epoch).length : Math.ceil(rows / batchSize)) / accumulate);

  // Where each epoch begins, and where the last one ends.
  const starts = [0];
  while (maxSteps === undefined ? starts.length <= epochs : starts.at(-1)! < maxSteps) {
    const steps = stepsOf(starts.length - 1);
    if (steps === 0) {
      throw new TrainingError("no batch can be made of the rows", {
        expected: "at least two classes with two rows each",
        found: counted(rows, "row"),
      });
    }
    starts.push(starts.at(-1)! + steps);
  }
  const totalSteps = Math.min(starts.at(-1)!, maxSteps ?? Infinity);
  return {
    totalSteps,
    epochAt(steps) {
      const next = starts.findIndex((start) => start > steps);
      if (next < 0) return starts.length - 1;
      return next - 1 + (steps - starts[next - 1]!) / (starts[next]! - starts[next - 1]!);
    },
    *updates(from) {
      for (let epoch = 0; epoch + 1 < starts.length; epoch++) {
        if (starts[epoch + 1]! <= from) continue;
        const all = batches(epoch);
        for (let step = Math.max(from, starts[epoch]!); step < Math.min(starts[epoch + 1]!, totalSteps); step++) {
          const first = (step - starts[epoch]!) * accumulate;
          yield all.slice(first, first + accumulate);
        }
      }
    },
  };
}
