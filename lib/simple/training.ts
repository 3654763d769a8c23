/**
 * What the trainings of this face have in common: rows held out, measured before and after; the folder; interruption.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { counted } from "../counted.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { blind, cutRows, unusable } from "../pipeline/evaluation.ts";
import { checkOutput, copyFolder } from "../pipeline/output.ts";
import { evaluateModel } from "../pipeline/stages/evaluate.ts";
import { type EvaluateParameters, type EvaluationKind, PRIMARY_METRIC } from "../pipeline/stages/evaluate_rows.ts";
import { type DimensionReport, dimensionReports } from "../pipeline/matryoshka.ts";
import { savedModel } from "../pipeline/saved_model.ts";
import { settingsWarnings, worseWarning } from "../pipeline/warnings.ts";
import { type CountedDataset, type ModelFolder, summaryOf, type TrainedModel } from "../stage/artifact.ts";
import { model as modelOf, type ModelOf } from "../stage/roots.ts";
import { type RunOptions, runStages } from "../stage/run.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { heldSettings } from "../pipeline/held_settings.ts";
import { recipeOf } from "../train/recipe.ts";
import { cardText } from "./card.ts";
import { resolveSettings, TRAIN_FIELDS, type TrainSettings, usualRate } from "../train/settings.ts";

/** Where a training saves its model. */
export interface OutputOptions {
  /** Folder of the new model. One with files in it that is not ours is refused, before anything is computed. */
  readonly output: string;
  /** Writes into such a folder all the same, beside what is in it. Default false. */
  readonly force?: boolean;
  /** Of a training of adapters (`lora`): saves the model with them, or them alone, in PEFT's files. Default merged. */
  readonly loraSave?: "merged" | "adapter" | undefined;
}

/** How many rows a training keeps to measure by. */
export interface HoldOutOption {
  /** Rows that are not trained on, or a share below 1; 0: none. Default: a tenth, 1,000 at most, none of fewer than 20. */
  readonly holdOut?: number;
}

/** Options of `finetune`, beside its rows. */
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

/** The hyper-parameters among the options of a training. */
export function settingsOf(options: TrainSettings): TrainSettings {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(TRAIN_FIELDS, name)));
}

/**
 * The model that a training starts from. Plain JavaScript can leave it out: the sample's must not take its place then.
 *
 * @param source A folder, or a model of the hub.
 * @returns The model.
 */
export const startingModel = (source: string): ReturnType<ModelOf> =>
  typeof source === "string" && source !== "" ? modelOf(source) : Effect.fail(
    new UsageError("a training needs a model to start from", {
      expected: "model: a folder, or a model of the hub",
      found: source === "" ? "an empty text" : String(source),
    }),
  );

/** A training, and what it was worth. */
export interface MeasuredTraining extends TrainingRecord {
  /** Metrics on the rows held out before training; empty where there are none. */
  readonly before: Metrics;
  /** And after it. */
  readonly metrics: Metrics;
  /** Both of embeddings cut to their first numbers, where the loss is `losses.matryoshka(…)` and rows were held out. */
  readonly dimensions?: readonly DimensionReport[];
}

/** A model that was trained, where it lies, and what it was worth. */
export interface MeasuredModel {
  /** The model. */
  readonly model: Artifact<TrainedModel>;
  /** Its training. */
  readonly training: MeasuredTraining;
  /** The text of its README.md. */
  readonly card: string;
}

/** What {@linkcode trainMeasured} takes. */
export interface TrainMeasured<C extends Columns> {
  /** The model to start from. */
  readonly base: Artifact<ModelFolder>;
  /** Its name, for the card of the new one. */
  readonly source: string;
  /** How the new one comes about, for its card. */
  readonly how: string;
  /** All rows. */
  readonly data: Artifact<CountedDataset<C>>;
  /** What a model is asked. */
  readonly kind: EvaluationKind;
  /** Rows to hold out. */
  readonly holdOut: number | undefined;
  /** Settings, for the seed and for what is said about them. */
  readonly settings: TrainSettings;
  /** Whose embeddings are the aim, for imitation and translation. */
  readonly teacher?: Artifact<ModelFolder> | undefined;
  /** What rows that are held out become to be measured by. Default: they stay as they are. */
  readonly measuredBy?: (
    heldOut: Artifact<CountedDataset<C>>,
  ) => Effect.Effect<Artifact<CountedDataset<Columns>>, KindredError, Services>;
  /** Lengths to which embeddings are cut and measured as well. Default: none. */
  readonly dimensions?: readonly number[] | undefined;
  /** Trains on rows; others are there to choose weights by. */
  readonly train: (
    rows: Artifact<CountedDataset<C>>,
    heldOut: { readonly eval?: Artifact<CountedDataset<Columns>>; readonly evaluation?: EvaluateParameters },
  ) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services>;
}

/** Holds rows out, measures, trains, and measures again. */
export const trainMeasured: <C extends Columns>(
  options: TrainMeasured<C>,
) => Effect.Effect<MeasuredModel, KindredError, Services> = Effect.fnUntraced(
  function* <C extends Columns>({ base, data, kind, holdOut, train, ...options }: TrainMeasured<C>) {
    const { folder } = yield* valueOf(base);
    const recipe = yield* attempt(() => recipeOf(folder));
    const settings = resolveSettings(options.settings, recipe);
    const cut = yield* cutRows(data, { rows: holdOut, seed: settings.seed });
    const rows = cut.heldOut &&
      (options.measuredBy === undefined
        ? cut.heldOut as Artifact<CountedDataset<Columns>>
        : yield* options.measuredBy(cut.heldOut));
    const trouble = rows && (yield* unusable({ kind, rows }));
    const measure = trouble === undefined ? rows : undefined;
    const model = yield* train(
      measure === undefined ? data : cut.train,
      measure === undefined ? {} : { eval: measure, evaluation: { kind } },
    );
    const measured = Effect.fnUntraced(function* (model: Artifact<ModelFolder>) {
      if (measure === undefined) return undefined;
      return yield* valueOf(
        yield* evaluateModel(
          { model, rows: measure, teacher: options.teacher },
          { kind, dimensions: options.dimensions },
        ),
      );
    });
    const [was, is] = [yield* measured(base), yield* measured(model)];
    const [before, metrics] = [was?.metrics ?? {}, is?.metrics ?? {}];
    const dimensions = dimensionReports(was, is);
    const { record } = yield* valueOf(model);
    const warnings = [
      ...cut.warnings,
      ...(trouble === undefined ? [] : [blind(trouble)]),
      ...record.warnings,
      ...settingsWarnings(settings, record, { usual: usualRate(settings, recipe.learningRate) }),
      ...worseWarning(PRIMARY_METRIC[kind], before, metrics, { where: "on the rows held out" }),
    ];
    const training = { ...record, warnings, before, metrics, ...(dimensions && { dimensions }) };
    const card = yield* attempt(async () => {
      const { rows } = await summaryOf(measure === undefined ? data : cut.train);
      return await cardText({
        source: options.source,
        folder: (await model.read()).folder,
        how: `${options.how}, from ${counted(rows, "row")}`,
        record: training,
        settings: { ...settings, batchSize: (await heldSettings(model))["batch size"] as number },
        heldOut: measure && { rows: (await summaryOf(cut.heldOut!)).rows, before, after: metrics },
      });
    });
    return { model, training, card };
  },
);

/** Runs a training and copies its model to where it is wanted, with a card that tells what came of it. A signal that ends it rejects with its reason. */
export async function runTraining<A>(
  work: Effect.Effect<A & { readonly model: Artifact<TrainedModel>; readonly card: string }, KindredError, Services>,
  { output, force = false, loraSave, source, cacheDir, engine, progress, signal }: OutputOptions & RunOptions & {
    readonly source?: string | undefined;
  },
): Promise<A> {
  await checkOutput(output, force);
  try {
    const result = await runStages(work, { cacheDir, engine, progress, signal });
    const { folder, texts } = await savedModel(await result.model.read(), loraSave, source);
    await copyFolder(folder, output);
    for (const [name, text] of Object.entries({ ...texts, "README.md": result.card })) {
      await Deno.writeTextFile(join(output, name), text);
    }
    return result;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
