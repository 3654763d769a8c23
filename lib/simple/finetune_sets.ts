/**
 * Fine-tuning on several data sets in one run, awaited.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { counted } from "../counted.ts";
import { lossOf } from "../loss/named.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { cutSet, type LoadedSet } from "../pipeline/set_loading.ts";
import { trainAndMeasure } from "../pipeline/set_measuring.ts";
import { resolveSets } from "../pipeline/stages/train_sets.ts";
import { settingsWarnings } from "../pipeline/warnings.ts";
import { summaryOf } from "../stage/artifact.ts";
import { given } from "../stage/run.ts";
import { valueOf } from "../stage/stage.ts";
import { checkFields, type Field, NUMBERS, oneOf } from "../train/fields.ts";
import { aboutSet } from "../train/in_set.ts";
import { checkMixing, MIXINGS, type MixingSettings } from "../train/mixed_batches.ts";
import { recipeOf } from "../train/recipe.ts";
import { TRAIN_DEFAULTS, TRAIN_FIELDS, usualRate } from "../train/settings.ts";
import { cardText } from "./card.ts";
import { A_LIST, A_MODEL, A_TEXT, checkTraining, HOLD_OUT } from "./fields.ts";
import {
  COLUMN_PROMPTS,
  type LabelColumns,
  type PairColumns,
  ROW_FIELDS,
  rowsGiven,
  type ScoredColumns,
} from "./rows.ts";
import {
  type FinetuneSettings,
  type HoldOutOption,
  type MeasuredTraining,
  runTraining,
  settingsOf,
  startingModel,
} from "./training.ts";

/** What is said of a data set beside its columns. */
export interface FinetuneSetOptions extends HoldOutOption {
  /** What it is called: without a slash, and different from the others. */
  readonly name: string;
  /** Texts before its columns. Default: those of the training, else the model's own. */
  readonly prompts?: ColumnPrompts | undefined;
  /** How many times as often as by its size alone it has its turn. Default 1. */
  readonly weight?: number | undefined;
  /** Rows of its batches. Default: those of the training. */
  readonly batchSize?: number | undefined;
  /** The model that its loss learns from, if it learns from one. */
  readonly guide?: string | undefined;
}

/** A data set of {@linkcode DatasetsOption}. */
export type FinetuneSet = FinetuneSetOptions & (PairColumns | ScoredColumns | LabelColumns);

/** Several data sets instead of one. */
export interface DatasetsOption extends MixingSettings {
  /** The data sets. Each batch is of one, and goes by its loss. */
  readonly datasets: readonly FinetuneSet[];
}

const SET_FIELDS: Readonly<Record<string, Field>> = {
  name: A_TEXT,
  prompts: COLUMN_PROMPTS,
  weight: NUMBERS["above zero"],
  batchSize: NUMBERS["positive"],
  guide: A_MODEL,
  ...HOLD_OUT,
  ...ROW_FIELDS,
};

const FIELDS: Readonly<Record<string, Field>> = {
  model: A_MODEL,
  datasets: A_LIST,
  mixing: oneOf(MIXINGS),
  temperature: NUMBERS["above zero"],
  prompts: COLUMN_PROMPTS,
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

/** Fine-tunes on several data sets; metrics have the name of their set in front. */
export async function finetuneOnSets(
  options: Omit<FinetuneSettings, "guide"> & DatasetsOption,
): Promise<MeasuredTraining> {
  checkTraining(options, FIELDS);
  const { model, prompts, holdOut, datasets, mixing, temperature, ...rest } = options;
  const settings = settingsOf(rest);
  datasets.forEach((set, i) => checkFields(set, SET_FIELDS, `datasets[${i}]`));
  checkMixing(datasets, { mixing, temperature });
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const { folder } = yield* valueOf(base);
    const recipe = yield* attempt(() => recipeOf(folder));
    const { seed = TRAIN_DEFAULTS.seed } = settings;
    const load = Effect.fnUntraced(function* (set: FinetuneSet) {
      const { kind, rows, loss } = yield* attemptSync(() => rowsGiven(set));
      const cut = yield* cutSet(yield* given(rows), kind, { rows: set.holdOut ?? holdOut, seed, source: set.name });
      return {
        name: set.name,
        source: set.name,
        data: cut.train,
        loss,
        prompts: set.prompts ?? prompts,
        weight: set.weight,
        batchSize: set.batchSize,
        guide: set.guide === undefined ? undefined : yield* startingModel(set.guide),
        evaluation: cut.evaluation,
        warnings: cut.warnings,
      } satisfies LoadedSet;
    });
    const loaded = yield* Effect.forEach(datasets, (set) => aboutSet(set.name, load(set)));
    const { settings: resolved } = yield* resolveSets({ model: base, sets: loaded, settings, mixing, temperature });
    const { trained, sets, warnings: found } = yield* trainAndMeasure(loaded, {
      base,
      settings,
      seed,
      mixing: { mixing, temperature },
    });
    const { record } = yield* valueOf(trained);
    const usual = usualRate(settings, recipe.learningRate);
    const warnings = [...found, ...settingsWarnings(resolved, record, { usual })];
    const [before, metrics]: Record<string, number>[] = [{}, {}];
    let heldOut = 0;
    const of: string[] = [];
    for (const { name, data, loss, evaluation, ...set } of sets) {
      const [was, is] = [set.before && (yield* valueOf(set.before)), set.after && (yield* valueOf(set.after))];
      for (const [key, value] of Object.entries(was?.metrics ?? {})) before![`${name}_${key}`] = value;
      for (const [key, value] of Object.entries(is?.metrics ?? {})) metrics![`${name}_${key}`] = value;
      if (evaluation !== undefined) heldOut += (yield* attempt(() => summaryOf(evaluation.rows))).rows;
      const { rows } = yield* attempt(() => summaryOf(data));
      of.push(`${name} (${counted(rows, "row")}, \`${lossOf(loss).name}\`: ${lossOf(loss).paper})`);
    }
    const training = { ...record, warnings, before: before!, metrics: metrics! };
    const card = yield* attempt(async () =>
      await cardText({
        source: model,
        folder: (await trained.read()).folder,
        how: `on ${counted(sets.length, "data set")}: ${of.join(", ")}`,
        record: training,
        settings: resolved,
        heldOut: heldOut === 0 ? undefined : { rows: heldOut, before: before!, after: metrics! },
      })
    );
    return { model: trained, training, card };
  });
  return (await runTraining(work, { ...options, source: model })).training;
}
