/**
 * The training loop.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import type { Engine } from "../engine/engine.ts";
import { EngineError, type KindredError, TrainingError, UsageError } from "../error.ts";
import { wholeOrNothing } from "../engine/whole.ts";
import { countTrained, type Parameters } from "../tensor/tensor.ts";
import { closeOptimizer, openOptimizer } from "./adamw.ts";
import { FIRST_LOSS_SCALE, nextLossScale } from "./loss_scale.ts";
import type { Objective } from "./objective.ts";
import { type Plan, planUpdates, type Update } from "./plan.ts";
import { addStep, chosenMetric, emptyRecord, logSteps, type Metrics, type TrainingRecord } from "./record.ts";
import { rateAt, warmupOf } from "./schedule.ts";
import { negativeWarnings, ownCounter, rowsTold, setBatches } from "./sets.ts";
import { resolveSettings, type TrainSettings } from "./settings.ts";
import { loadState, loadWeights, saveState, saveWeights } from "./state.ts";
import { type Step, type StepResult, stepsInARow, takeSteps } from "./steps.ts";

/** Seconds after which a checkpoint is due, however few updates they were: a card, or a machine, may be lost at any time. */
const SAVE_SECONDS = 300;

/** What the loop tells while it runs. */
export interface StepProgress {
  /** Updates done. */
  readonly step: number;
  /** Updates in all. */
  readonly totalSteps: number;
  /** Loss of this update. */
  readonly loss: number;
  /** Its learning rate. */
  readonly learningRate: number;
  /** Global norm of its gradient, before clipping. */
  readonly gradientNorm: number;
  /** Seconds it took; where several updates follow in a row and are told of at once, their mean. */
  readonly seconds: number;
  /** Tokens of this run per second so far. */
  readonly tokensPerSecond: number;
}

/** What surrounds the loop. */
export interface TrainHooks {
  /** Folder of checkpoints; a run that finds one there goes on from it. */
  readonly folder?: string | undefined;
  /** Evaluates the model as it is now. */
  readonly evaluate?: Effect.Effect<Metrics, KindredError> | undefined;
  /**
   * Metrics that `evaluate` is known to give. Where `keepBest` is none of them, it is asked once before the first update: a
   * name that it does not know must not be found out after an hour.
   */
  readonly metrics?: readonly string[] | undefined;
  /** What is worth knowing of the rows: goes into the record's warnings. */
  readonly warnings?: readonly string[] | undefined;
  /** Called with each warning of the record, as soon as it is known. */
  readonly onWarning?: ((warning: string) => Effect.Effect<void>) | undefined;
  /** Called after every update. */
  readonly onStep?: ((progress: StepProgress) => Effect.Effect<void>) | undefined;
  /** Called once, where a run that was cut off goes on: before its next update. */
  readonly onResumed?:
    | ((from: { readonly step: number; readonly totalSteps: number }) => Effect.Effect<void>)
    | undefined;
  /** Called when a checkpoint was written; an interrupted run writes its last one. */
  readonly onSaved?:
    | ((saved: { readonly step: number; readonly totalSteps: number }) => Effect.Effect<void>)
    | undefined;
}

/**
 * Trains every parameter of the objective that wants a gradient, in place.
 *
 * Interruption writes a checkpoint first. A loss or gradient that is not finite changes no weight and fails with
 * `TrainingError`. With `hooks.folder`, a run that was cut off goes on where its last checkpoint was, bit for bit; one is
 * written every `saveSteps` updates, and at the latest after five minutes. An engine that fails on the way, as a card that is
 * lost, is an `EngineError` that says after which update, and what the same run will go on from.
 */
export const train: (
  engine: Engine,
  objective: Objective,
  settings: TrainSettings,
  hooks?: TrainHooks,
) => Effect.Effect<TrainingRecord, KindredError> = Effect.fnUntraced(
  function* (engine, objective, chosen, hooks = {}) {
    const settings = yield* attemptSync(() => resolveSettings(chosen));
    const { parameters } = objective;
    if (settings.patience !== undefined && settings.keepBest === undefined) {
      return yield* Effect.fail(new UsageError("patience needs a metric", { expected: "keepBest" }));
    }
    if (settings.keepBest !== undefined && hooks.evaluate === undefined) {
      return yield* Effect.fail(
        new UsageError("there are no rows to choose the best weights by", {
          expected: "rows that are held out (--hold-out, holdOut), or evaluation rows (--eval)",
        }),
      );
    }
    const { plan, warnings } = yield* attemptSync(() => {
      const plan = planUpdates(objective, settings);
      return { plan, warnings: [...hooks.warnings ?? [], ...negativeWarnings(plan, objective, settings)] };
    });
    // Weights can only be chosen among those that were evaluated.
    const tenth = settings.keepBest === undefined ? undefined : Math.ceil(plan.totalSteps / 10);
    const { evalSteps = tenth } = settings;
    const schedule = {
      kind: settings.schedule,
      learningRate: settings.learningRate,
      totalSteps: plan.totalSteps,
      warmupSteps: warmupOf(plan.totalSteps, {
        steps: settings.warmupSteps,
        ratio: settings.warmupRatio,
      }),
    };
    const halfPrecision = engine.info.precision === "fp16";
    const own = objective.sets?.map((set) => set.own);
    const optimizer = yield* Effect.acquireRelease(
      attempt(() =>
        wholeOrNothing(
          engine,
          (engine) => Promise.resolve(openOptimizer(engine, parameters, settings, !halfPrecision, own)),
        )
      ),
      (opened) => Effect.sync(() => closeOptimizer(engine, opened)),
    );
    if (hooks.folder !== undefined) yield* attempt(() => Deno.mkdir(hooks.folder!, { recursive: true }));
    const checkpoint = hooks.folder && `${hooks.folder}/checkpoint.safetensors`;
    const best = bestWeights(engine, parameters, hooks.folder && `${hooks.folder}/best.safetensors`);

    const record = (checkpoint && (yield* attempt(() => loadState(engine, checkpoint, parameters, optimizer)))) ||
      emptyRecord();
    if (halfPrecision) record.lossScale ??= FIRST_LOSS_SCALE;
    let saved = { steps: record.steps, at: performance.now() };
    /** Whether the weights are those of `record.steps`: not so where some steps of a row were enqueued and the row failed. */
    let isWhole = true;
    const counted = countTrained(parameters);
    [record.trainedParameters, record.parameters] = [counted.trained, counted.all];
    const warn = Effect.fnUntraced(function* (warning: string) {
      if (record.warnings.includes(warning)) return; // a run that goes on knows it already
      record.warnings.push(warning);
      if (hooks.onWarning !== undefined) yield* hooks.onWarning(warning);
    });
    const save = checkpoint === undefined
      ? Effect.void
      : attempt(() => saveState(engine, checkpoint, parameters, optimizer, record)).pipe(
        Effect.andThen(Effect.suspend(() => {
          saved = { steps: record.steps, at: performance.now() };
          return hooks.onSaved?.({ step: record.steps, totalSteps: plan.totalSteps }) ?? Effect.void;
        })),
      );

    // What an evaluation changes must change whole: a checkpoint may be written right afterwards.
    const evaluate = Effect.fnUntraced(function* (run: Effect.Effect<Metrics, KindredError>) {
      const metrics = yield* run;
      yield* Effect.uninterruptible(attempt(async () => {
        record.evaluations.push([record.steps, metrics]);
        if (settings.keepBest === undefined) return;
        const value = chosenMetric(metrics, settings.keepBest);
        if (value > (record.best?.value ?? -Infinity)) { // NaN is never better
          await best.save();
          record.best = { step: record.steps, value };
          record.stale = 0;
        } else {
          record.stale++;
          record.stoppedEarly = settings.patience !== undefined && record.stale >= settings.patience;
        }
      }));
    });

    /** The next steps up to where the host has something to do, and what they told. */
    const takeNext = async (updates: Iterator<Update>): Promise<{ done: StepResult[]; seconds: number }> => {
      const { steps } = record;
      const skipped = record.lossScale?.skipped ?? 0;
      // A run that was begun in half precision, and goes on in another, has no use for the scale.
      const lossScale = halfPrecision ? record.lossScale : undefined;
      const count = halfPrecision ? 1 : stepsInARow(engine, record, { ...settings, evalSteps, ...plan });
      const countOwn = ownCounter(objective, record);
      const next = Array.from({ length: count }, (_, i): Step => {
        const batches: Update = updates.next().value!;
        return {
          step: steps + i + 1,
          update: steps + i + 1 - skipped,
          batches,
          learningRate: rateAt(schedule, steps + i - skipped),
          ...(countOwn && { ownSteps: countOwn(batches) }),
        };
      });
      const started = performance.now();
      const options = { seed: settings.seed, lossScale: lossScale?.scale ?? 1 };
      isWhole = false;
      const done = await takeSteps(engine, objective, optimizer, next, options);
      isWhole = true;
      const seconds = (performance.now() - started) / 1000 / count;
      for (const step of done) {
        const scaledNext = lossScale && nextLossScale(lossScale, step.skipped);
        if (scaledNext !== undefined) record.lossScale = scaledNext;
        if (step.skipped && !(scaledNext !== undefined && scaledNext.scale >= 1)) throw notFinite(step, objective);
        addStep(record, {
          loss: step.loss,
          samples: step.batches.reduce((sum, { rows }) => sum + rows.length, 0),
          tokens: step.tokens.reduce((sum, tokens) => sum + tokens, 0),
          seconds,
          sets: setBatches(step, objective),
        });
        if (record.steps % settings.loggingSteps !== 0 && record.steps !== plan.totalSteps) continue;
        logSteps(record, {
          epoch: plan.epochAt(record.steps),
          learning_rate: step.learningRate,
          gradient_norm: step.gradientNorm,
          engine_bytes: engine.memory().live,
          process_bytes: Deno.memoryUsage().rss,
        });
      }
      return { done, seconds };
    };

    const afterStep = Effect.fnUntraced(function* () {
      const { steps, evaluations } = record;
      const due = evalSteps !== undefined && steps % evalSteps === 0;
      const isLast = steps === plan.totalSteps;
      const isDone = evaluations.at(-1)?.[0] === steps;
      if (hooks.evaluate === undefined || isDone || !(due || (isLast && settings.keepBest !== undefined))) return;
      yield* evaluate(hooks.evaluate);
    });
    const loop = Effect.gen(function* () {
      if (record.steps > 0 && hooks.onResumed !== undefined) {
        yield* hooks.onResumed({ step: record.steps, totalSteps: plan.totalSteps });
      }
      yield* Effect.forEach(warnings, warn, { discard: true });
      const { keepBest } = settings;
      if (keepBest !== undefined && record.steps === 0 && hooks.metrics?.includes(keepBest) !== true) {
        const metrics = yield* hooks.evaluate!;
        yield* attemptSync(() => chosenMetric(metrics, keepBest));
      }
      if (record.steps > 0) yield* afterStep(); // the evaluation of the last step may have been cut off
      const updates = plan.updates(record.steps);
      while (!record.stoppedEarly && record.steps < plan.totalSteps) {
        // The weights and the number of their step must not part: an interruption waits for both.
        const { done, seconds } = yield* Effect.uninterruptible(attempt(() => takeNext(updates)));
        const tokensPerSecond = record.tokens / record.seconds;
        for (const { step, loss, learningRate, gradientNorm } of done) {
          const progress = {
            step,
            totalSteps: plan.totalSteps,
            loss,
            learningRate,
            gradientNorm,
            seconds,
            tokensPerSecond,
          };
          if (hooks.onStep !== undefined) yield* hooks.onStep(progress);
          if (step === 1 && loss === 0) yield* warn("the loss was exactly 0 at the first update");
        }
        yield* afterStep();
        const due = record.steps % settings.saveSteps === 0 || performance.now() - saved.at > 1000 * SAVE_SECONDS;
        if (due && record.steps < plan.totalSteps) {
          yield* Effect.uninterruptible(save);
        }
      }
      if (record.log.length > 0 && record.log.every(({ loss }) => loss === 0)) {
        yield* warn("the loss was exactly 0 at every update: nothing was learnt");
      }
    });
    yield* loop.pipe(
      Effect.mapError((error) =>
        error instanceof EngineError ? failedAt(error, record.steps, plan, saved.steps) : error
      ),
      Effect.onInterrupt(() => isWhole ? Effect.ignore(save) : Effect.void),
    );
    if (record.best !== undefined && record.best.step !== record.steps) yield* attempt(() => best.load());
    return record;
  },
  Effect.scoped,
);

function notFinite(step: StepResult, objective: Objective): TrainingError {
  const { loss, gradientNorm, learningRate } = step;
  return new TrainingError("loss or gradient is not finite; the weights were left as they were", {
    where: `step ${step.step}, rows ${rowsTold(step.batches, objective)}`,
    expected: "finite numbers",
    found: `loss ${loss}, gradient norm ${gradientNorm}, learning rate ${learningRate}`,
    hint: "lower --learning-rate, or look at these rows",
  });
}

/** An engine that failed in the middle of a run: where that was, and what the same run would go on from. */
function failedAt(error: EngineError, steps: number, { totalSteps }: Plan, saved: number): EngineError {
  const { summary, expected, found, where, hint } = error;
  const next = saved === 0
    ? undefined
    : `run the same again: it goes on from the checkpoint of step ${saved}, unless --no-cache keeps none`;
  const hints = [hint, next].filter((each) => each !== undefined);
  return new EngineError(summary, {
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
    where: `${where === undefined ? "" : `${where}, `}after step ${steps} of ${totalSteps}`,
    ...(hints.length > 0 && { hint: hints.join("; ") }),
    cause: error,
  });
}

/** The best weights so far: in a file, or in memory where there is no folder. */
function bestWeights(engine: Engine, parameters: Parameters, path: string | undefined) {
  if (path !== undefined) {
    return {
      save: () => saveWeights(engine, path, parameters),
      load: () => loadWeights(engine, path, parameters),
    };
  }
  const trained = Object.values(parameters).filter(({ needsGradient }) => needsGradient);
  let kept: readonly (Float32Array | Int32Array)[] = [];
  return {
    save: async () => void (kept = await Promise.all(trained.map(({ value }) => engine.read(value)))),
    load: () => Promise.resolve(kept.forEach((values, i) => engine.write(trained[i]!.value, values))),
  };
}
