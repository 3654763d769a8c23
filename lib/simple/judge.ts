/**
 * Cross-encoders, trained and awaited.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { Dataset, Pairs, RankedDocuments, ScoredPairs, Triplets } from "../data/dataset.ts";
import { type DocumentList, rankedDocuments } from "../data/lists.ts";
import { type Columns, datasetOf } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { crossEncoderLosses, crossEncoderLossOf, type CrossEncoderLossSpec } from "../loss/cross_encoder/named.ts";
import { cutRows } from "../pipeline/evaluation.ts";
import { cutLists, listFacts } from "../pipeline/list_parts.ts";
import { originOf } from "../pipeline/card.ts";
import { trainJudge } from "../pipeline/stages/cross_encoder.ts";
import { evaluateCrossEncoder } from "../pipeline/stages/judge_metrics.ts";
import { asLists } from "../pipeline/stages/lists.ts";
import { settingsWarnings } from "../pipeline/warnings.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { given, type RunOptions } from "../stage/run.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { checkFields, type Field, NUMBERS } from "../train/fields.ts";
import { modelCard, shownSettings } from "../train/model_card.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import {
  CROSS_ENCODER_DEFAULTS,
  resolveSettings,
  TRAIN_FIELDS,
  type TrainSettings,
  usualRate,
} from "../train/settings.ts";
import { A_LIST, A_LOSS, A_MODEL, checkNumbers, checkTexts, checkTraining, HOLD_OUT } from "./fields.ts";
import { type HoldOutOption, type OutputOptions, runTraining, startingModel } from "./training.ts";

/** Queries with documents, and how relevant each is. */
export interface ListRows {
  /** The lists. */
  readonly lists: readonly DocumentList[];
  /** Default LambdaLoss. */
  readonly loss?: CrossEncoderLossSpec<"list">;
  /** The least label that MAP and MRR count as relevant. Default: half of the highest. */
  readonly relevantFrom?: number;
}

/** Pairs with a score, row by row. */
export interface JudgedPairs {
  /** First text. */
  readonly sentence1: readonly string[];
  /** Second text. */
  readonly sentence2: readonly string[];
  /** How much they belong together; the default loss wants 0 to 1. */
  readonly score: ArrayLike<number>;
  /** Default binary cross-entropy. */
  readonly loss?: CrossEncoderLossSpec<"score">;
}

/** What belongs together, row by row. */
export interface AnsweredQuestions {
  /** Questions, or whatever looks for something. */
  readonly anchor: readonly string[];
  /** What belongs to each. */
  readonly positive: readonly string[];
  /** What does not, if there is such a column. */
  readonly negative?: readonly string[];
  /** Default multiple-negatives ranking. */
  readonly loss?: CrossEncoderLossSpec<"none">;
}

/** What {@linkcode trainCrossEncoder} takes. */
export type TrainCrossEncoderOptions =
  & TrainSettings
  & RunOptions
  & OutputOptions
  & HoldOutOption
  & {
    /** An encoder, which gets a new head, or a cross-encoder with one label: a folder or a model of the hub. */
    readonly model: string;
  }
  & (ListRows | JudgedPairs | AnsweredQuestions);

/** A training of a cross-encoder, and what it was worth on rows that were held out. */
export interface MeasuredJudge extends TrainingRecord {
  /** Of lists and pairs without a score `map`, `mrr@10` and `ndcg@10`; empty where nothing was held out. */
  readonly metrics: Metrics;
  /** What the share of common words reaches, where lists are ranked. */
  readonly baseline: Readonly<Record<string, number>>;
}

/**
 * Trains a cross-encoder and saves it as a folder that sentence-transformers loads: on lists of documents by query, on
 * pairs with a score, or on pairs of what belongs together. Lists are held out by query.
 *
 * @param options The model, the rows, where to save, and the settings of the training.
 * @returns The course of the training, metrics on what was held out, and what is worth knowing.
 * @throws {UsageError} Settings that cannot be right, or an output folder that is not ours.
 * @throws {DatasetError} Rows that the loss cannot use.
 * @throws {TrainingError} The loss is not finite, or nothing could be learnt.
 *
 * @example
 * ```ts
 * import { rank, trainCrossEncoder } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * await trainCrossEncoder({
 *   model: await sampleBaseModel(),
 *   lists: [
 *     { query: "the boy opens the door", documents: ["a queen in the castle", "the lad unlocks the gate"], labels: [0, 1] },
 *     { query: "the cook slices the bread", documents: ["the loaf is cut by the chef", "the dog runs"], labels: [1, 0] },
 *   ],
 *   epochs: 2,
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal((await rank(`${folder}/model`, "the boy", ["the lad", "the castle"])).length, 2);
 * ```
 */
export async function trainCrossEncoder(options: TrainCrossEncoderOptions): Promise<MeasuredJudge> {
  checkTraining(options, FIELDS);
  if ("lists" in options) {
    const { lists, loss = crossEncoderLosses.lambda(), relevantFrom, ...rest } = options;
    for (const [i, list] of lists.entries()) {
      checkFields(list, LIST, `lists[${i}]`);
      checkTexts(list.documents, `lists[${i}].documents`);
      checkNumbers(list.labels, `lists[${i}].labels`);
    }
    return await trainOn(rankedDocuments(lists), loss, rest, relevantFrom);
  }
  if ("score" in options) {
    const { sentence1, sentence2, score, loss = crossEncoderLosses.binaryCrossEntropy(), ...rest } = options;
    checkNumbers(score, "score");
    const rows = datasetOf<ScoredPairs>({ sentence1, sentence2, score: Float64Array.from(score) });
    return await trainOn(rows, loss, rest);
  }
  const { anchor, positive, negative, loss = crossEncoderLosses.multipleNegativesRanking(), ...rest } = options;
  const columns = negative === undefined ? { anchor, positive } : { anchor, positive, negative };
  return await trainOn(datasetOf<Pairs | Triplets>(columns), loss, rest);
}

const LIST: Readonly<Record<string, Field>> = {
  query: { expected: "a text", is: (value) => typeof value === "string" },
  documents: A_LIST,
  labels: A_LIST,
};

const FIELDS: Readonly<Record<string, Field>> = {
  model: A_MODEL,
  lists: A_LIST,
  sentence1: A_LIST,
  sentence2: A_LIST,
  score: A_LIST,
  anchor: A_LIST,
  positive: A_LIST,
  negative: A_LIST,
  loss: A_LOSS,
  relevantFrom: NUMBERS["number"],
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

type Rest = TrainSettings & RunOptions & OutputOptions & HoldOutOption & { readonly model: string };
type Rows = Artifact<CountedDataset<Columns>>;

async function trainOn(
  rows: Dataset<Columns>,
  loss: CrossEncoderLossSpec,
  { model, holdOut, output, force = false, cacheDir, engine, progress, signal, ...chosen }: Rest,
  relevantFrom?: number,
): Promise<MeasuredJudge> {
  const { name, label, paper } = crossEncoderLossOf(loss);
  const settings = resolveSettings(chosen, CROSS_ENCODER_DEFAULTS);
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const data = yield* given(rows) as Effect.Effect<Rows, KindredError, Services>;
    const { train, heldOut, warnings } = label === "list"
      ? yield* cutLists(data as unknown as Artifact<CountedDataset<RankedDocuments>>, {
        rows: holdOut,
        seed: settings.seed,
      })
      : yield* cutRows(data, { rows: holdOut, seed: settings.seed });
    const validation = heldOut === undefined || label !== "none" ? heldOut as Rows | undefined : (yield* asLists(
      heldOut as unknown as Artifact<CountedDataset<Pairs>>,
    )) as unknown as Rows;
    const facts = yield* listFacts({ train: train as Rows, validation }, relevantFrom);
    const trained = yield* trainJudge({
      model: base,
      data: train as never,
      loss,
      eval: validation,
      settings,
      relevantFrom,
    });
    const metrics = validation === undefined
      ? {}
      : yield* valueOf(yield* evaluateCrossEncoder({ model: trained, pairs: validation as never }, { relevantFrom }));
    const { record } = yield* valueOf(trained);
    const told = [
      ...warnings,
      ...record.warnings,
      ...settingsWarnings(settings, record, { usual: usualRate(settings, CROSS_ENCODER_DEFAULTS.learningRate) }),
    ];
    const card = yield* attempt(async () => {
      const { name: source, baseModel, license } = await originOf(model);
      return modelCard({
        kind: "cross-encoder",
        title: "A cross-encoder",
        story: `Trained by Kindred with the loss \`${name}\` (${paper}).`,
        baseModel,
        license,
        facts: {
          "trained from": source,
          "trained on": facts?.sizes.train,
          parameters: record.parameters,
          "parameters that were trained": record.trainedParameters,
        },
        evaluation: validation && {
          on: facts?.sizes.eval ?? "rows that were held out",
          before: {},
          after: metrics,
        },
        settings: shownSettings(settings),
        warnings: told,
      });
    });
    return { model: trained, card, judge: { ...record, warnings: told, metrics, baseline: facts?.baseline ?? {} } };
  });
  return (await runTraining(work, { output, force, cacheDir, engine, progress, signal })).judge;
}
