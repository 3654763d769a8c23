/**
 * Fine-tuning, awaited.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { Dataset } from "../data/dataset.ts";
import type { LabelKind } from "../loss/loss.ts";
import type { MatryoshkaOptions } from "../loss/matryoshka.ts";
import { lossOf } from "../loss/named.ts";
import type { RowsOf } from "../pipeline/stages/loss_rows.ts";
import { trainBiEncoder } from "../pipeline/stages/train.ts";
import { given } from "../stage/run.ts";
import type { Artifact } from "../stage/stage.ts";
import type { Field } from "../train/fields.ts";
import { TRAIN_FIELDS } from "../train/settings.ts";
import { A_MODEL, checkTraining, HOLD_OUT } from "./fields.ts";
import { type DatasetsOption, finetuneOnSets } from "./finetune_sets.ts";
import {
  COLUMN_PROMPTS,
  type GivenRows,
  type LabelColumns,
  type PairColumns,
  ROW_FIELDS,
  rowsGiven,
  type ScoredColumns,
} from "./rows.ts";
import {
  type FinetuneSettings,
  type MeasuredTraining,
  runTraining,
  settingsOf,
  startingModel,
  trainMeasured,
} from "./training.ts";

/** What {@linkcode finetune} takes. */
export type FinetuneOptions = FinetuneSettings & (PairColumns | ScoredColumns | LabelColumns | DatasetsOption);

/**
 * Fine-tunes a model and saves it as a folder that sentence-transformers loads: on pairs or triplets by multiple-negatives
 * ranking, on pairs with a score by cosine similarity, on texts with a label by triplets of the batch. Rows are held out to
 * say what it was worth. Several data sets, each with its loss, take turns in one run: `datasets`. Cut off, it goes on where its last checkpoint was; done before, it comes from the cache.
 *
 * @param options The model, the rows, where to save, and the settings of the training.
 * @returns The course of the training, metrics on the rows held out before and after it, and what is worth knowing.
 * @throws {UsageError} Settings that cannot be right, or an output folder that is not ours.
 * @throws {DatasetError} Rows that the loss cannot use.
 * @throws {TrainingError} The loss is not finite.
 *
 * @example
 * ```ts
 * import { finetune } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const { steps, warnings } = await finetune({
 *   model: await sampleBaseModel(),
 *   anchor: ["the boy opens the door", "the cook slices the bread"],
 *   positive: ["the lad unlocks the gate", "the loaf is cut by the chef"],
 *   epochs: 10, // so few rows are one step each time
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal(steps, 10);
 * assert.match(warnings[0]!, /no rows were held out of 2/);
 * ```
 *
 * @example Two data sets, each with its loss, that take turns
 * ```ts
 * import { finetune } from "@kindred/kindred/simple";
 * import { losses } from "@kindred/kindred/loss";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const [first, second] = [["the boy opens the door", "the cook slices the bread"], ["the lad unlocks the gate", "a queen"]];
 * const { sets } = await finetune({
 *   model: await sampleBaseModel(),
 *   datasets: [
 *     { name: "qa", anchor: first, positive: second, prompts: { anchor: "query: " } },
 *     { name: "graded", sentence1: first, sentence2: second, score: [0.9, 0.1], loss: losses.cosent(), weight: 2 },
 *   ],
 *   batchSize: 2,
 *   epochs: 3,
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.deepEqual([sets!["qa"]!.batches, sets!["graded"]!.batches], [3, 6]);
 * ```
 */
export async function finetune(options: FinetuneOptions): Promise<MeasuredTraining> {
  // Whoever calls without types may have forgotten all of it: that is said below.
  if (options !== undefined && "datasets" in options) return await finetuneOnSets(options);
  checkTraining(options, FIELDS);
  return await finetuneOn(rowsGiven(options), options);
}

const FIELDS: Readonly<Record<string, Field>> = {
  model: A_MODEL,
  ...ROW_FIELDS,
  guide: A_MODEL,
  prompts: COLUMN_PROMPTS,
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

async function finetuneOn({ kind, rows, loss }: GivenRows, options: FinetuneSettings): Promise<MeasuredTraining> {
  const { model, prompts, guide, holdOut, ...settings } = options;
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const taughtBy = guide === undefined ? undefined : yield* startingModel(guide);
    const chosen = settingsOf(settings);
    return yield* trainMeasured({
      base,
      source: model,
      how: `with the loss \`${loss.name}\` (${lossOf(loss).paper})`,
      data: yield* given(rows),
      kind,
      holdOut,
      settings: chosen,
      dimensions: loss.name === "matryoshka" ? (loss.options as MatryoshkaOptions).dimensions : undefined,
      train: (data, heldOut) =>
        trainBiEncoder({
          model: base,
          data: data as Artifact<Dataset> as Artifact<Dataset<RowsOf<LabelKind>>>,
          loss,
          settings: chosen,
          prompts,
          guide: taughtBy,
          ...heldOut,
        }),
    });
  });
  return (await runTraining(work, { ...options, source: model })).training;
}
