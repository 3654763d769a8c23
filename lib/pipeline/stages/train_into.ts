/**
 * What all stages that train have in common: checkpoints in the scratch folder, progress, and what is left in the end.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import type { Engine } from "../../engine/engine.ts";
import { type KindredError, UsageError } from "../../error.ts";
import type { Objective } from "../../train/objective.ts";
import type { Metrics } from "../../train/record.ts";
import { type ResolvedTrainSettings, resolveSettings, type TrainSettings } from "../../train/settings.ts";
import { train } from "../../train/trainer.ts";
import { writeJson } from "../../stage/artifact.ts";
import { Progress } from "../../stage/progress.ts";
import type { Stage } from "../../stage/stage.ts";

/** What is trained, and how it is kept. */
export interface TrainInto {
  /** The objective; its parameters are trained in place. */
  readonly objective: Objective;
  /** Hyper-parameters. */
  readonly settings: ResolvedTrainSettings;
  /** What is worth knowing of the rows. */
  readonly warnings?: readonly string[] | undefined;
  /** Writes the model as this folder; what else shall stay goes beside it. */
  readonly save: (folder: string) => Promise<void>;
  /** Evaluates the model as it is now, if it is evaluated on the way. */
  readonly evaluate?: Effect.Effect<Metrics, KindredError> | undefined;
  /** Metrics that this is known to give. */
  readonly metrics?: readonly string[] | undefined;
}

/** Leaves `model/` and `training.json` in the scratch folder; a run that was cut off goes on from its checkpoint there. */
export const trainInto: (
  scratch: string,
  engine: Engine,
  what: TrainInto,
) => Effect.Effect<void, KindredError, Progress> = Effect.fnUntraced(
  function* (scratch, engine, { objective, settings, warnings, save, evaluate, metrics }) {
    const progress = yield* Progress;
    const checkpoint = join(scratch, "checkpoint");
    const record = yield* train(engine, objective, settings, {
      folder: checkpoint,
      warnings,
      onWarning: (text) => Effect.sync(() => progress.emit({ _tag: "warning", text })),
      onResumed: ({ step, totalSteps }) =>
        Effect.sync(() =>
          progress.emit({ _tag: "note", text: `going on from the checkpoint of step ${step} of ${totalSteps}` })
        ),
      onStep: (step) => Effect.sync(() => progress.emit({ _tag: "step", ...step })),
      onSaved: (saved) => Effect.sync(() => progress.emit({ _tag: "saved", ...saved })),
      evaluate,
      metrics,
    });
    yield* attempt(async () => {
      await save(join(scratch, "model"));
      await writeJson(join(scratch, "training.json"), record);
      await Deno.remove(checkpoint, { recursive: true }).catch(() => {});
    });
  },
);

/** Parameters of a stage that trains, with complete hyper-parameters: those that its key is made of. */
export type Resolved<P> = Omit<P, "settings"> & { readonly settings: ResolvedTrainSettings };

/**
 * A stage that trains weights, with hyper-parameters of which some may be left out: they are checked before anything is
 * done.
 */
export function withSettings<P extends { readonly settings: TrainSettings }, I extends object, A>(
  stage: Stage<Resolved<P>, I, A>,
): Stage<P, I, A> {
  return (inputs, { settings, ...parameters }, as) =>
    Effect.flatMap(
      attemptSync(() => {
        if (settings.lora === undefined) return resolveSettings(settings);
        throw new UsageError("this training has no adapters", {
          found: "lora",
          hint: "adapters are for bi-encoders and cross-encoders that are fine-tuned: leave lora out",
        });
      }),
      (resolved) => stage(inputs, { ...parameters, settings: resolved }, as),
    );
}
