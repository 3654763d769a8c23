/**
 * Stages outside of a command: any effect over them as a promise.
 *
 * @module
 */
import { Effect } from "effect";
import { createHash } from "node:crypto";
import { attempt } from "../attempt.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { EngineChoice } from "../engine/select.ts";
import { defaultCacheFolder } from "../environment.ts";
import type { KindredError } from "../error.ts";
import { type CountedDataset, datasetFormat, writeDataset } from "./artifact.ts";
import { findOrMake } from "./cache.ts";
import { makeTensorEngine, TensorEngine } from "./engine.ts";
import { taskOf } from "./key.ts";
import { Progress } from "./progress.ts";
import { makeProgress } from "./progress_view.ts";
import { type Artifact, artifact, openRunner, type Services, StageRunner } from "./stage.ts";

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
 * @example
 * ```ts
 * import { loadScoredPairs } from "@kindred/kindred/pipeline";
 * import { runStages, valueOf } from "@kindred/kindred/stage";
 * import { Effect } from "effect";
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
  const { cacheDir = defaultCacheFolder(), engine = {}, progress = false, signal } = options;
  const runner = openRunner(cacheDir, () => {});
  const program = Effect.scoped(Effect.gen(function* () {
    return yield* Effect.provideService(effect, TensorEngine, yield* makeTensorEngine(engine));
  })).pipe(
    Effect.provideService(StageRunner, runner),
    Effect.provideService(Progress, makeProgress(!progress)),
  );
  return await Effect.runPromise(program, signal === undefined ? undefined : { signal });
}

/** A dataset in memory as an artifact; its key is the hash of its values. */
export const given: <C extends Columns>(
  dataset: Dataset<C>,
) => Effect.Effect<Artifact<CountedDataset<C>>, KindredError, StageRunner> = Effect.fnUntraced(
  function* <C extends Columns>(dataset: Dataset<C>) {
    const { folder } = yield* StageRunner;
    const hash = createHash("sha256");
    for (const [name, column] of Object.entries(dataset.columns)) {
      hash.update(`\0${JSON.stringify(name)}`);
      if (Array.isArray(column)) { for (const text of column) hash.update(`${JSON.stringify(text)},`); }
      else hash.update(new Uint8Array((column as Float64Array).buffer));
    }
    const task = taskOf({ stage: "given@1", parameters: { sha256: hash.digest("hex") }, inputs: {} });
    const stored = yield* findOrMake(
      folder,
      task,
      () => {},
      (scratch) => attempt(() => writeDataset(scratch, dataset)),
    );
    return artifact(stored.key, [stored.folder], stored.cached, datasetFormat<C>());
  },
);
