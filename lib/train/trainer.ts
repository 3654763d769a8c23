/**
 * The training loop.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt, attemptSync } from "../attempt.ts";
import { type Engine, scope, scopeAsync, STEP } from "../engine/engine.ts";
import { type KindredError, TrainingError, UsageError } from "../error.ts";
import { countTrained, type Parameters } from "../tensor/tensor.ts";
import { closeOptimizer, openOptimizer, type Optimizer, update } from "./adamw.ts";
import type { Objective } from "./objective.ts";
import { requireNegatives } from "./negatives.ts";
import { planUpdates, type Update } from "./plan.ts";
import { emptyRecord, type Metrics, NOTHING_PENDING, type PendingSteps, type TrainingRecord } from "./record.ts";
import { rateAt, warmupOf } from "./schedule.ts";
import { resolveSettings, type TrainSettings } from "./settings.ts";
import { loadState, loadWeights, saveState, saveWeights } from "./state.ts";

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
  /** Tokens of this run per second so far. */
  readonly tokensPerSecond: number;
}

/** What surrounds the loop. */
export interface TrainHooks {
  /** Folder of checkpoints; a run that finds one there goes on from it. */
  readonly folder?: string | undefined;
  /** Evaluates the model as it is now. */
  readonly evaluate?: Effect.Effect<Metrics, KindredError> | undefined;
  /** What is worth knowing of the rows: goes into the record's warnings. */
  readonly warnings?: readonly string[] | undefined;
  /** Called with each warning of the record, as soon as it is known. */
  readonly onWarning?: ((warning: string) => Effect.Effect<void>) | undefined;
  /** Called after every update. */
  readonly onStep?: ((progress: StepProgress) => Effect.Effect<void>) | undefined;
  /** Called when a checkpoint was written; an interrupted run writes its last one. */
  readonly onSaved?:
    | ((saved: { readonly step: number; readonly totalSteps: number }) => Effect.Effect<void>)
    | undefined;
}

/**
 * Trains every parameter of the objective that wants a gradient, in place.
 *
 * Interruption writes a checkpoint first. A loss or gradient that is not finite changes no weight and fails with
 * `TrainingError`. With `hooks.folder`, a run that was cut off goes on where its last checkpoint was, bit for bit.
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
          expected: "rows that are held out, or evaluation rows",
          found: `keepBest ${settings.keepBest}`,
        }),
      );
    }
    const { plan, warnings } = yield* attemptSync(() => {
      const plan = planUpdates(objective, settings);
      return { plan, warnings: [...hooks.warnings ?? [], ...requireNegatives(plan, objective)] };
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
    const optimizer = openOptimizer(engine, parameters, settings);
    if (hooks.folder !== undefined) yield* attempt(() => Deno.mkdir(hooks.folder!, { recursive: true }));
    const checkpoint = hooks.folder && `${hooks.folder}/checkpoint.safetensors`;
    const best = bestWeights(engine, parameters, hooks.folder && `${hooks.folder}/best.safetensors`);

    const record = (checkpoint && (yield* attempt(() => loadState(engine, checkpoint, parameters, optimizer)))) ||
      emptyRecord();
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
        Effect.andThen(
          Effect.suspend(() => hooks.onSaved?.({ step: record.steps, totalSteps: plan.totalSteps }) ?? Effect.void),
        ),
      );

    // What an evaluation changes must change whole: a checkpoint may be written right afterwards.
    const evaluate = Effect.fnUntraced(function* (run: Effect.Effect<Metrics, KindredError>) {
      const metrics = yield* run;
      yield* Effect.uninterruptible(attempt(async () => {
        record.evaluations.push([record.steps, metrics]);
        if (settings.keepBest === undefined) return;
        const value = metrics[settings.keepBest];
        if (value === undefined) {
          throw new TrainingError("the metric to keep the best checkpoint by was not evaluated", {
            expected: `one of ${Object.keys(metrics).join(", ")}`,
            found: settings.keepBest,
            hint: "name another one with --keep-best",
          });
        }
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

    const afterStep = Effect.fnUntraced(function* () {
      const { steps, evaluations } = record;
      const due = evalSteps !== undefined && steps % evalSteps === 0;
      const isLast = steps === plan.totalSteps;
      const isDone = evaluations.at(-1)?.[0] === steps;
      if (hooks.evaluate === undefined || isDone || !(due || (isLast && settings.keepBest !== undefined))) return;
      yield* evaluate(hooks.evaluate);
    });
    const loop = Effect.gen(function* () {
      yield* Effect.forEach(warnings, warn, { discard: true });
      if (record.steps > 0) yield* afterStep(); // the evaluation of the last step may have been cut off
      for (const batches of plan.updates(record.steps)) {
        if (record.stoppedEarly) break;
        const learningRate = rateAt(schedule, record.steps);
        // The weights and the number of their step must not part: an interruption waits for both.
        const step = yield* Effect.uninterruptible(attempt(async () => {
          const started = performance.now();
          const { seed } = settings;
          const done = await takeStep(engine, objective, optimizer, batches, learningRate, record.steps + 1, seed);
          const seconds = (performance.now() - started) / 1000;
          const tokens = batches.reduce((sum, { rows }) => sum + objective.tokens(rows), 0);
          record.seconds += seconds;
          record.tokens += tokens;
          record.samples += batches.reduce((sum, { rows }) => sum + rows.length, 0);
          record.steps++;
          record.pending = addStep(record.pending, done.loss, tokens, seconds);
          if (record.steps % settings.loggingSteps === 0 || record.steps === plan.totalSteps) {
            const { steps, ...sums } = record.pending;
            record.log.push({
              step: record.steps,
              epoch: plan.epochAt(record.steps),
              loss: sums.loss / steps,
              learning_rate: learningRate,
              gradient_norm: done.gradientNorm,
              tokens_per_second: sums.tokens / sums.seconds,
              engine_bytes: engine.memory().live,
              process_bytes: Deno.memoryUsage().rss,
            });
            record.pending = NOTHING_PENDING;
          }
          return done;
        }));
        if (hooks.onStep !== undefined) {
          const tokensPerSecond = record.tokens / record.seconds;
          yield* hooks.onStep({
            step: record.steps,
            totalSteps: plan.totalSteps,
            learningRate,
            tokensPerSecond,
            ...step,
          });
        }
        if (record.steps === 1 && step.loss === 0) yield* warn("the loss was exactly 0 at the first update");
        yield* afterStep();
        if (record.steps % settings.saveSteps === 0 && record.steps < plan.totalSteps) {
          yield* Effect.uninterruptible(save);
        }
      }
      if (record.log.every(({ loss }) => loss === 0)) {
        yield* warn("the loss was exactly 0 at every update: nothing was learnt");
      }
    });
    yield* loop.pipe(
      Effect.onInterrupt(() => Effect.ignore(save)),
      Effect.ensuring(Effect.sync(() => closeOptimizer(engine, optimizer))),
    );
    if (record.best !== undefined && record.best.step !== record.steps) yield* attempt(() => best.load());
    return record;
  },
);

function addStep(sums: PendingSteps, loss: number, tokens: number, seconds: number): PendingSteps {
  return {
    steps: sums.steps + 1,
    loss: sums.loss + loss,
    tokens: sums.tokens + tokens,
    seconds: sums.seconds + seconds,
  };
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

/** One update: forward and backward of each batch, then clip and AdamW. Waits for the device. */
async function takeStep(
  engine: Engine,
  objective: Objective,
  optimizer: Optimizer,
  batches: Update,
  learningRate: number,
  step: number,
  seed: number,
): Promise<{ loss: number; gradientNorm: number }> {
  const { loss, scalars } = await scopeAsync(engine, async () => {
    const losses = batches.map((batch) =>
      scope(engine, () => objective.differentiate(engine, { ...batch, seed, step }, 1 / batches.length))
    );
    const mean = engine.affine(losses.reduce((sum, loss) => engine.binary("add", sum, loss)), 1 / batches.length);
    update(engine, optimizer, mean, { rate: learningRate, step });
    return { loss: (await engine.read(mean))[0]!, scalars: await engine.read(optimizer.scalars) };
  });
  if (scalars[STEP.skipped] !== 0) {
    throw new TrainingError("loss or gradient is not finite; the weights were left as they were", {
      where: `step ${step}, rows ${batches.map(({ rows }) => rows.join(" ")).join(" | ")}`,
      expected: "finite numbers",
      found: `loss ${loss}, gradient norm ${scalars[STEP.gradientNorm]}, learning rate ${learningRate}`,
      hint: "lower --learning-rate, or look at these rows",
    });
  }
  return { loss, gradientNorm: scalars[STEP.gradientNorm]! };
}
