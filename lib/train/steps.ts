/**
 * Updates of the weights, several in a row: the device works while the host prepares the next one, and what the steps
 * tell of themselves is read at once for all of them.
 *
 * @module
 */
import { type Engine, type Handle, scope, scopeAsync, STEP } from "../engine/engine.ts";
import { type Optimizer, update } from "./adamw.ts";
import type { Objective } from "./objective.ts";
import type { Update } from "./plan.ts";
import type { TrainingRecord } from "./record.ts";

/** An update to come. */
export interface Step {
  /** Its number, from 1. */
  readonly step: number;
  /** Updates that changed the weights, this one included: AdamW corrects its moments by it. */
  readonly update: number;
  /** Its batches. */
  readonly batches: Update;
  /** Its learning rate. */
  readonly learningRate: number;
  /** Of several data sets: how many updates each has had with this one; undefined: it has no batch in it. */
  readonly ownSteps?: readonly (number | undefined)[];
}

/** What an update told. */
export interface StepResult extends Step {
  /** Tokens of each batch. */
  readonly tokens: readonly number[];
  /** Mean loss of its batches. */
  readonly loss: number;
  /** The loss of each batch. */
  readonly losses: readonly number[];
  /** Global norm of the gradient, before clipping. */
  readonly gradientNorm: number;
  /** Whether the weights were left as they were, because something was not finite. */
  readonly skipped: boolean;
}

/** When what steps tell is read: after so many seconds of them, for which an interruption waits, or after so many steps. */
interface Row {
  readonly seconds: number;
  readonly most: number;
}
/** Of an engine in this process. */
const HERE: Row = { seconds: 0.25, most: 32 };
/** Of a device, which has nothing to do while it is asked: in Deno a read is 12 ms, and waits for all that was submitted. */
const BESIDE: Row = { seconds: 0.75, most: 256 };

/**
 * How many steps may follow in a row: as many as take a part of a second, and none beyond an evaluation, a checkpoint or the
 * end. When the device is asked changes nothing in the weights.
 */
export function stepsInARow(
  { beginStep }: Pick<Engine, "beginStep">,
  { steps, seconds }: TrainingRecord,
  bounds: { readonly evalSteps: number | undefined; readonly saveSteps: number; readonly totalSteps: number },
): number {
  const row = beginStep === undefined ? HERE : BESIDE;
  const until = (every: number | undefined) => every === undefined ? Infinity : every - steps % every;
  const wanted = steps === 0 ? 1 : Math.max(1, Math.min(row.most, Math.floor(row.seconds * steps / seconds)));
  return Math.min(wanted, until(bounds.evalSteps), until(bounds.saveSteps), bounds.totalSteps - steps);
}

/** Takes the steps and waits for them. */
export async function takeSteps(
  engine: Engine,
  objective: Objective,
  optimizer: Optimizer,
  steps: readonly Step[],
  options: { readonly seed: number; readonly lossScale: number },
): Promise<StepResult[]> {
  const tokens: number[][] = [];
  const values = await scopeAsync(engine, async () => {
    const told = steps.map((step) => {
      engine.beginStep?.();
      const result = scope(engine, () => enqueue(engine, objective, optimizer, step, options));
      // Now: what an objective draws for a row, it draws anew in the next epoch.
      tokens.push(step.batches.map(({ rows }) => objective.tokens(rows)));
      return result;
    });
    return await engine.read(told.length === 1 ? told[0]! : engine.concatRows(told));
  });
  let at = 0;
  return steps.map((step, i) => {
    const scalars = values.subarray(at, at += STEP.length);
    const [loss, ...apart] = values.subarray(at, at += lossesTold(step.batches.length));
    return {
      ...step,
      tokens: tokens[i]!,
      loss: loss!,
      losses: apart.length === 0 ? [loss!] : apart,
      gradientNorm: scalars[STEP.gradientNorm]!,
      skipped: scalars[STEP.skipped] !== 0,
    };
  });
}

/** The mean loss, and the loss of each batch where there are several. */
const lossesTold = (batches: number) => batches === 1 ? 1 : 1 + batches;

/** Forward and backward of each batch, then clip and AdamW → [STEP.length + lossesTold, 1]: the step's scalars, losses. */
function enqueue(
  engine: Engine,
  objective: Objective,
  optimizer: Optimizer,
  { step, update: number, batches, learningRate, ownSteps = [] }: Step,
  { seed, lossScale }: { readonly seed: number; readonly lossScale: number },
): Handle {
  const share = 1 / batches.length;
  const losses = batches.map((batch) =>
    scope(engine, () => objective.differentiate(engine, { ...batch, seed, step }, lossScale * share))
  );
  const sum = losses.reduce((total, loss) => engine.binary("add", total, loss));
  const mean = batches.length === 1 ? sum : engine.affine(sum, share);
  update(engine, optimizer, mean, { rate: learningRate, step: number, lossScale, ownSteps });
  return engine.concatRows([
    engine.reshape(optimizer.scalars, [STEP.length, 1]),
    ...[mean, ...batches.length === 1 ? [] : losses].map((loss) => engine.reshape(loss, [1, 1])),
  ]);
}
