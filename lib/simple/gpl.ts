/**
 * GPL in one call, awaited: an encoder learns to search passages.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { datasetOf } from "../data/rows.ts";
import type { Columns } from "../data/rows.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { FLAGS } from "../pipeline/flags.ts";
import { gplRows, trainOnMargins } from "../pipeline/gpl.ts";
import type { GeneratorParameters } from "../pipeline/stages/generator.ts";
import { makeQueries, type MarginScale, passagesOf, queryCorpus } from "../pipeline/stages/gpl.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { judge } from "../stage/roots.ts";
import { given, type RunOptions } from "../stage/run.ts";
import type { Artifact } from "../stage/stage.ts";
import { aText, checkFields, type Field, type Fields, NUMBERS, oneOf } from "../train/fields.ts";
import { resolveSettings, TRAIN_FIELDS, type TrainSettings } from "../train/settings.ts";
import { A_LIST, A_MODEL, A_TEXT, AN_OBJECT, checkTexts, checkTraining, HOLD_OUT } from "./fields.ts";
import {
  type HoldOutOption,
  type MeasuredTraining,
  type OutputOptions,
  runTraining,
  startingModel,
  trainMeasured,
} from "./training.ts";

/** What {@linkcode gpl} takes. */
export interface GplInput extends TrainSettings, RunOptions, OutputOptions, HoldOutOption {
  /** Encoder to train: a folder or a model of the hub. */
  readonly model: string;
  /** The corpus; a title stands in the first line of its passage. */
  readonly passages: readonly string[];
  /** Whose margins are learned, such as `cross-encoder/ms-marco-MiniLM-L6-v2`. */
  readonly crossEncoder: string;
  /** Who writes queries: an OpenAI-compatible endpoint. Default: nobody; titles, first sentences and words are the queries. */
  readonly generator?: GeneratorParameters;
  /** Queries that it writes for each passage. Default 3. */
  readonly queriesPerPassage?: number;
  /** Encoders that negatives are looked for with. Default: the model itself. */
  readonly miners?: readonly string[];
  /** Negatives of each query. Default 5. */
  readonly negatives?: number;
  /** Nearest passages of a query that they are drawn from, of each encoder. Default 50. */
  readonly candidates?: number;
  /** Negatives of a row, each with its margin. Default 1. */
  readonly perRow?: number;
  /** What margins are differences of. Default: probabilities for a model of embeddings of length 1, logits otherwise. */
  readonly margins?: MarginScale;
  /** Texts before the columns. Default: the model's own. */
  readonly prompts?: ColumnPrompts;
}

const GENERATOR: Fields<GeneratorParameters> = {
  baseUrl: aText("an address, as far as /chat/completions"),
  model: aText("a name"),
  tokenBudget: NUMBERS["positive"],
  concurrency: NUMBERS["positive"],
};

const FIELDS: Readonly<Record<string, Field>> = {
  model: A_MODEL,
  passages: A_LIST,
  crossEncoder: A_MODEL,
  generator: AN_OBJECT,
  queriesPerPassage: NUMBERS["positive"],
  miners: A_LIST,
  negatives: NUMBERS["positive"],
  candidates: NUMBERS["positive"],
  perRow: NUMBERS["positive"],
  margins: oneOf(FLAGS["margins"][0]),
  prompts: { expected: "a text, or texts by column", is: (value) => A_TEXT.is(value) || AN_OBJECT.is(value) },
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

/**
 * Trains an encoder to search a corpus from its passages alone, and saves it: queries are made for the passages, encoders
 * find negatives, and a cross-encoder says by how much each passage is the better answer (Wang et al. 2022). Queries that
 * are held out are searched for in the whole corpus.
 *
 * @param input The model, the passages, the cross-encoder, where to save, and the settings of the training.
 * @returns The course of the training, and metrics of the queries held out before and after it.
 * @throws {UsageError} Settings that cannot be right, a judge that is no cross-encoder, or an output folder that is not ours.
 * @throws {DatasetError} No passage has a query.
 * @throws {TrainingError} The loss is not finite.
 *
 * @example
 * ```ts ignore
 * import { gpl } from "@kindred/kindred/simple";
 * const { before, metrics } = await gpl({
 *   model: "sentence-transformers/all-MiniLM-L6-v2",
 *   passages: ["Bees\nBees turn nectar into honey by drying it.", "The bridge was built in 1932. It is of steel."],
 *   crossEncoder: "cross-encoder/ms-marco-MiniLM-L6-v2",
 *   output: "searches-my-corpus",
 * });
 * ```
 */
export async function gpl(input: GplInput): Promise<MeasuredTraining> {
  checkTraining(input, FIELDS);
  if (input.generator !== undefined) checkFields(input.generator, GENERATOR, "generator");
  checkTexts(input.passages, "passages");
  const { model, passages, crossEncoder, generator, queriesPerPassage = 3, miners = [], ...others } = input;
  const { negatives = 5, candidates = 50, perRow, margins, prompts, holdOut, ...rest } = others;
  const { output, force = false, loraSave, cacheDir, engine, progress, signal, ...settings } = rest;
  const { seed } = resolveSettings(settings);
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const models = {
      model: base,
      miners: yield* Effect.forEach(miners, startingModel),
      judge: yield* judge(crossEncoder),
    };
    const texts = yield* given(datasetOf({ text: [...new Set(passages)] }));
    const pairs = yield* makeQueries(
      { texts },
      generator === undefined ? { by: "text", seed } : { by: "language-model", generator, queriesPerPassage, seed },
    );
    const corpus = yield* passagesOf({ pairs }, {});
    return yield* trainMeasured({
      base,
      source: model,
      how: "by generated pseudo-labels (GPL, Wang et al. 2022, arXiv 2112.07577)",
      data: pairs,
      kind: "corpus",
      measuredBy: (heldOut) =>
        Effect.map(
          queryCorpus({ heldOut, passages: corpus }, {}),
          (rows) => rows as Artifact<unknown> as Artifact<CountedDataset<Columns>>,
        ),
      holdOut,
      settings,
      train: Effect.fnUntraced(function* (train, heldOut) {
        const drawn = { candidates, negatives, perRow, scale: margins, seed };
        const rows = yield* gplRows({ ...models, pairs: train, passages: corpus }, drawn);
        return yield* trainOnMargins({ model: base, rows, eval: heldOut.eval }, {
          settings,
          prompts,
          evaluation: heldOut.evaluation,
        });
      }),
    });
  });
  return (await runTraining(work, { output, force, loraSave, source: model, cacheDir, engine, progress, signal }))
    .training;
}
