/**
 * The updates of a run: batches grouped by accumulation, epoch after epoch.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { TrainingError } from "../error.ts";
import { type Batch, epochBatches } from "./batches.ts";
import { numberTexts } from "./distinct_batches.ts";
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

/**
 * Lays out the updates of a run, an epoch when it is asked for. The last one is held in memory: of a run of `maxSteps`, or
 * of one epoch, what looks at an epoch before it is trained on does not draw it twice. How many updates several epochs have
 * is known when all were drawn.
 */
export function planUpdates(objective: Objective, settings: PlanSettings): Plan {
  const { epochs, maxSteps, batchSize, accumulate, seed } = settings;
  if (objective.rows === 0) throw new TrainingError("there are no rows to train on", { expected: "at least one row" });
  const { rows, distinct, groups } = objective;
  const texts = distinct && numberTexts(distinct);
  const draw = objective.batches?.({ batchSize, seed }) ??
    ((epoch: number) => epochBatches(rows, { batchSize, seed, epoch, distinct: texts, groups }));
  let last: { readonly epoch: number; readonly batches: readonly Batch[] } | undefined;
  const batches = (epoch: number) => (last?.epoch === epoch ? last : last = { epoch, batches: draw(epoch) }).batches;
  const drawn = objective.batches !== undefined || distinct !== undefined || groups !== undefined;
  const stepsOf = (epoch: number) =>
    Math.ceil((drawn ? batches(epoch).length : Math.ceil(rows / batchSize)) / accumulate);

  // Where each epoch begins that is known so far, and where the last one of them ends.
  const starts = [0];
  const addEpoch = () => {
    const steps = stepsOf(starts.length - 1);
    if (steps === 0) {
      throw new TrainingError("no batch can be made of the rows", {
        expected: "at least two classes with two rows each",
        found: counted(rows, "row"),
      });
    }
    starts.push(starts.at(-1)! + steps);
  };
  for (let epoch = 0; epoch < (maxSteps === undefined ? epochs : 1); epoch++) addEpoch();
  const totalSteps = maxSteps ?? starts.at(-1)!;
  return {
    totalSteps,
    epochAt(steps) {
      while (starts.at(-1)! < steps) addEpoch();
      const epoch = starts.findLastIndex((start) => start <= steps);
      const [start, end] = [starts[epoch]!, starts[epoch + 1]];
      return end === undefined ? epoch : epoch + (steps - start) / (end - start);
    },
    *updates(from) {
      for (let epoch = 0; starts[epoch]! < totalSteps; epoch++) {
        if (epoch + 1 === starts.length) addEpoch();
        const [start, end] = [starts[epoch]!, Math.min(starts[epoch + 1]!, totalSteps)];
        if (end <= from) continue;
        const all = batches(epoch);
        for (let step = Math.max(from, start); step < end; step++) {
          const first = (step - start) * accumulate;
          yield all.slice(first, first + accumulate);
        }
      }
    },
  };
}
