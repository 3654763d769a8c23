/**
 * Stages outside of a command: any effect over them as a promise.
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Layer from "effect/Layer";
import { createHash } from "node:crypto";
import { attempt } from "../attempt.ts";
import type { Column, Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { EngineChoice } from "../engine/select.ts";
import { type KindredError, knownError } from "../error.ts";
import { type CountedDataset, datasetFormat, writeDataset } from "./artifact.ts";
import { TensorEngine } from "./engine.ts";
import { taskOf } from "./key.ts";
import { Progress } from "./progress.ts";
import { makeProgress } from "./progress_view.ts";
import { type Artifact, artifact, type Services, StageRunner } from "./stage.ts";

/** Options of {@linkcode runStages}. */
export interface RunOptions {
  /** Folder of the cache. Default: the user's. */
  readonly cacheDir?: string | undefined;
  /** Default: the best that is present. */
  readonly engine?: EngineChoice | undefined;
  /** Progress on standard error. Default false. */
  readonly progress?: boolean | undefined;
  /** Ends the work; a training writes a checkpoint first. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs stages, and whatever is composed of them: what is in the cache is not done again, the engine is closed in the end.
 *
 * @param effect Stages, composed in any way.
 * @param options Where the cache lies, which engine, whether progress is shown.
 * @returns What the effect gives. It rejects with the effect's error, and with a `DOMException` called `AbortError` after
 * an abort.
 *
 * @example
 * ```ts
 * import { loadScoredPairs } from "@kindred/kindred/pipeline";
 * import { runStages, valueOf } from "@kindred/kindred/stage";
 * import { Cause, Effect, Exit, Layer } from "effect";
 * import assert from "node:assert/strict";
 * const pairs = await runStages(Effect.flatMap(loadScoredPairs({ limit: 20 }), valueOf), {
 *   cacheDir: await Deno.makeTempDir(),
 * });
 * assert.equal(pairs.rows, 20);
 * ```
 */
export async function runStages<A>(
  effect: Effect.Effect<A, KindredError, Services>,
  options: RunOptions = {},
): Promise<A> {
  const { cacheDir, engine, progress = false, signal } = options;
  const layer = Layer.mergeAll(
    StageRunner.layer({ cacheDir }),
    TensorEngine.layer(engine),
  ).pipe(
    Layer.provideMerge(Layer.sync(Progress, () => makeProgress(!progress))),
  );
  const exit = await Effect.runPromiseExit(
    Effect.provide(effect, layer, { local: true }),
    signal === undefined ? undefined : { signal },
  );
  if (Exit.isSuccess(exit)) return exit.value;
  if (Cause.hasInterruptsOnly(exit.cause)) throw new DOMException("the work was aborted", "AbortError");
  const error = Cause.squash(exit.cause);
  throw knownError(error) ?? error;
}

/** A dataset in memory as an artifact; its key is the hash of its values. */
export const given: <C extends Columns>(
  dataset: Dataset<C>,
) => Effect.Effect<Artifact<CountedDataset<C>>, KindredError, StageRunner | Progress> = Effect.fnUntraced(
  function* <C extends Columns>(dataset: Dataset<C>) {
    const { findOrMake } = yield* StageRunner;
    const hash = createHash("sha256");
    for (const [name, column] of Object.entries<Column>(dataset.columns)) {
      hash.update(`\0${JSON.stringify([name, column.constructor.name])}`);
      if (column instanceof Int32Array || column instanceof Float64Array) {
        hash.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
      } else for (const text of column) hash.update(`${JSON.stringify(text)},`);
    }
    const task = taskOf({ stage: "given@2", parameters: { sha256: hash.digest("hex") }, inputs: {} });
    const stored = yield* findOrMake(task, (scratch) => attempt(() => writeDataset(scratch, dataset)));
    return artifact(stored.key, [stored.folder], stored.cached, datasetFormat<C>());
  },
);
