/**
 * Fine-tuning, awaited.
 *
 * @module
 */
import { Effect } from "effect";
import type { Pairs, Triplets } from "../data/dataset.ts";
import { datasetOf } from "../data/rows.ts";
import { losses } from "../loss/named.ts";
import { checkOutput, copyFolder } from "../pipeline/output.ts";
import { model } from "../stage/roots.ts";
import { given, type RunOptions, runStages } from "../stage/run.ts";
import { valueOf } from "../stage/stage.ts";
import { trainBiEncoder } from "../pipeline/stages/train.ts";
import type { TrainingRecord } from "../train/record.ts";
import type { TrainSettings } from "../train/settings.ts";

/** Options of {@linkcode finetune}. */
export interface FinetuneOptions extends TrainSettings, RunOptions {
  /** Model to start from: a folder or a model of the hub. */
  readonly model: string;
  /** What belongs together. */
  readonly anchor: readonly string[];
  /** Row by row. */
  readonly positive: readonly string[];
  /** What does not belong to the anchor, if there is such a column. */
  readonly negative?: readonly string[];
  /** Folder of the new model. One with files in it that is not ours is refused. */
  readonly output: string;
  /** Writes into such a folder all the same, beside what is in it. Default false. */
  readonly force?: boolean;
}

/**
 * Fine-tunes a model on pairs or triplets by multiple-negatives ranking, and saves it as a folder that
 * sentence-transformers loads. Cut off, it goes on where its last checkpoint was; done before, it comes from the cache.
 *
 * @param options The model, the rows, where to save, and the settings of the training.
 * @returns Losses, and what the training took.
 * @throws {UsageError} Settings that cannot be right.
 * @throws {DatasetError} Rows that the loss cannot use.
 * @throws {TrainingError} The loss is not finite.
 *
 * @example
 * ```ts
 * import { finetune } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const record = await finetune({
 *   model: await sampleBaseModel(),
 *   anchor: ["the boy opens the door", "the cook slices the bread"],
 *   positive: ["the lad unlocks the gate", "the loaf is cut by the chef"],
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal(record.steps, 1);
 * ```
 */
export async function finetune(options: FinetuneOptions): Promise<TrainingRecord> {
  const { anchor, positive, negative, model: base, output, force, cacheDir, engine, progress, signal, ...settings } =
    options;
  await checkOutput(output, force ?? false);
  const pairs = datasetOf<Pairs | Triplets>(
    negative === undefined ? { anchor, positive } : { anchor, positive, negative },
  );
  const work = Effect.gen(function* () {
    const trained = yield* trainBiEncoder({
      model: yield* model(base),
      data: yield* given(pairs),
      loss: losses.multipleNegativesRanking(),
      settings,
    });
    return yield* valueOf(trained);
  });
  const { folder, record } = await runStages(work, { cacheDir, engine, progress, signal });
  await copyFolder(folder, output);
  return record;
}
