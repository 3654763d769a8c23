/**
 * Fine-tuning, awaited.
 *
 * @module
 */
import { Effect } from "effect";
import type { Dataset, LabelledTexts, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";
import { type Columns, datasetOf } from "../data/rows.ts";
import { UsageError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import type { MatryoshkaOptions } from "../loss/matryoshka.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { losses, lossOf, type LossSpec } from "../loss/named.ts";
import type { EvaluationKind } from "../pipeline/stages/evaluate_rows.ts";
import { type RowsOf, trainBiEncoder } from "../pipeline/stages/train.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { given, type RunOptions } from "../stage/run.ts";
import type { Artifact } from "../stage/stage.ts";
import type { Field } from "../train/fields.ts";
import { TRAIN_FIELDS, type TrainSettings } from "../train/settings.ts";
import { A_LIST, A_LOSS, A_MODEL, A_TEXT, AN_OBJECT, checkNumbers, checkTraining, HOLD_OUT } from "./fields.ts";
import {
  type HoldOutOption,
  type MeasuredTraining,
  type OutputOptions,
  runTraining,
  startingModel,
  trainMeasured,
} from "./training.ts";

/** What belongs together, row by row. */
export interface PairColumns {
  /** Questions, or whatever looks for something. */
  readonly anchor: readonly string[];
  /** What belongs to each. */
  readonly positive: readonly string[];
  /** What does not, if there is such a column. */
  readonly negative?: readonly string[];
  /** Default multiple-negatives ranking. */
  readonly loss?: LossSpec<"none">;
}

/** Pairs with a similarity, row by row. */
export interface ScoredColumns {
  /** First text. */
  readonly sentence1: readonly string[];
  /** Second text. */
  readonly sentence2: readonly string[];
  /** Their similarity; the default loss wants −1 to 1. */
  readonly score: ArrayLike<number>;
  /** Default cosine similarity. */
  readonly loss?: LossSpec<"score">;
}

/** Texts with a label, row by row. */
export interface LabelColumns {
  /** The texts. */
  readonly text: readonly string[];
  /** Their labels: words or numbers. */
  readonly label: readonly (string | number)[];
  /** Default batch-all triplets. */
  readonly loss?: LossSpec<"class">;
}

/** Options of {@linkcode finetune}, beside its rows. */
export interface FinetuneSettings extends TrainSettings, RunOptions, OutputOptions, HoldOutOption {
  /** Model to start from: a folder or a model of the hub. */
  readonly model: string;
  /**
   * A text before every column, or one for each by its name, such as `{ anchor: "query: ", positive: "passage: " }`: the new
   * model has them as its prompts `query` and `document`. Default: the model's own for queries before anchors and for
   * documents before what they look for, where it tells them apart, else its default prompt before each.
   */
  readonly prompts?: ColumnPrompts | undefined;
  /** The model that the loss learns from: of `losses.gistEmbed`, `losses.mse` or `losses.embedDistill`. It embeds the rows once. */
  readonly guide?: string | undefined;
}

/** What {@linkcode finetune} takes. */
export type FinetuneOptions = FinetuneSettings & (PairColumns | ScoredColumns | LabelColumns);

/**
 * Fine-tunes a model and saves it as a folder that sentence-transformers loads: on pairs or triplets by multiple-negatives
 * ranking, on pairs with a score by cosine similarity, on texts with a label by triplets of the batch. Rows are held out to
 * say what it was worth. Cut off, it goes on where its last checkpoint was; done before, it comes from the cache.
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
 */
export async function finetune(options: FinetuneOptions): Promise<MeasuredTraining> {
  checkTraining(options, FIELDS);
  if ("score" in options) {
    const { sentence1, sentence2, score, loss = losses.cosineSimilarity(), ...rest } = options;
    checkNumbers(score, "score");
    const rows = datasetOf<ScoredPairs>({ sentence1, sentence2, score: Float64Array.from(score) });
    return await finetuneOn("similarity", rows, loss, rest);
  }
  if ("label" in options) {
    const { text, label, loss = losses.batchAllTriplet(), ...rest } = options;
    checkLabels(label);
    const classes = new Map([...new Set(label)].map((name, number) => [name, number]));
    const numbers = Int32Array.from(label, (name) => classes.get(name)!);
    return await finetuneOn("labels", datasetOf<LabelledTexts>({ text, label: numbers }), loss, rest);
  }
  const { anchor, positive, negative, loss = losses.multipleNegativesRanking(), ...rest } = options;
  const columns = negative === undefined ? { anchor, positive } : { anchor, positive, negative };
  return await finetuneOn("retrieval", datasetOf<Pairs | Triplets>(columns), loss, rest);
}

/** Labels are words or numbers: a gap would become a class of its own. */
function checkLabels(labels: readonly unknown[] | undefined): void {
  const row = Array.from(labels ?? [undefined], (label) => typeof label === "string" || Number.isFinite(label)).indexOf(
    false,
  );
  if (row < 0) return;
  throw new UsageError("label must be a list of words or numbers", {
    where: `label[${row}]`,
    expected: "a word or a number",
    found: String(labels?.[row]),
    hint: "leave out texts without a label",
  });
}

const FIELDS: Readonly<Record<string, Field>> = {
  model: A_MODEL,
  anchor: A_LIST,
  positive: A_LIST,
  negative: A_LIST,
  sentence1: A_LIST,
  sentence2: A_LIST,
  score: A_LIST,
  text: A_LIST,
  label: A_LIST,
  loss: A_LOSS,
  guide: A_MODEL,
  prompts: {
    expected: 'a text, or texts by the names of columns, such as { anchor: "query: " }',
    is: (value) =>
      A_TEXT.is(value) || (AN_OBJECT.is(value) && Object.values(value as object).every((text) => A_TEXT.is(text))),
  },
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

async function finetuneOn<L extends LabelKind>(
  kind: EvaluationKind,
  rows: Dataset<RowsOf<L> & Columns>,
  loss: LossSpec<L>,
  { model, prompts, guide, holdOut, output, force = false, loraSave, cacheDir, engine, progress, signal, ...settings }:
    FinetuneSettings,
): Promise<MeasuredTraining> {
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const taughtBy = guide === undefined ? undefined : yield* startingModel(guide);
    return yield* trainMeasured({
      base,
      source: model,
      how: `with the loss \`${loss.name}\` (${lossOf(loss).paper})`,
      data: yield* given(rows),
      kind,
      holdOut,
      settings,
      dimensions: loss.name === "matryoshka" ? (loss.options as MatryoshkaOptions).dimensions : undefined,
      train: (data, heldOut) =>
        trainBiEncoder({
          model: base,
          data: data as Artifact<Dataset<RowsOf<L>>> as Artifact<CountedDataset<RowsOf<L>>>,
          loss,
          settings,
          prompts,
          guide: taughtBy,
          ...heldOut,
        }),
    });
  });
  return (await runTraining(work, { output, force, loraSave, source: model, cacheDir, engine, progress, signal }))
    .training;
}
