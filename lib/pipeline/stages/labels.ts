/**
 * load-labels, label-rows, evaluate-labels: texts with a class.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { type ColumnMapping, findName } from "../../data/column_names.ts";
import { asLabelledTexts, usedColumns } from "../../data/columns.ts";
import type { Dataset, LabelledTexts, ScoredPairs, Triplets } from "../../data/dataset.ts";
import { pairsFromLabels, tripletsFromLabels } from "../../data/label_rows.ts";
import { type Columns, selectRows } from "../../data/rows.ts";
import { ATTITUDES, sampleAttitudes } from "../../data/sample/attitudes.ts";
import { readTable } from "../../data/table.ts";
import { randomPurpose, randomStream } from "../../engine/philox.ts";
import type { KindredError } from "../../error.ts";
import { encodeTexts } from "../../embed/encode.ts";
import { evaluateLabels, type LabelMetrics } from "../../evaluate/label_metrics.ts";
import { type Embeddings, firstFeatures } from "../../embed/pairwise.ts";
import {
  type CountedDataset,
  type CutMetrics,
  datasetFormat,
  embeddingsFormat,
  type ModelFolder,
  modelFormat,
  readJson,
  writeDataset,
  writeEmbeddings,
  writeJson,
} from "../../stage/artifact.ts";
import { keptWidth } from "../../model/bi_encoder.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { source, type SourceFiles, sourceFormat } from "../../stage/roots.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Format, type Services, type Stage } from "../../stage/stage.ts";
import { naming, tellColumns } from "./load.ts";
import type { ModelShape } from "../../stage/artifact.ts";

/** Labelled texts, and what their classes are called. */
export interface LabelledData extends CountedDataset<LabelledTexts> {
  /** Names by number. */
  readonly classes: readonly string[];
}

const labelledFormat: Format<LabelledData> = {
  read: async (paths) => ({
    ...await datasetFormat<LabelledTexts>().read(paths),
    classes: await readJson<readonly string[]>(join(paths[0]!, "classes.json")),
  }),
};

/** What rows of labelled texts are read, and how. */
export interface LoadLabels {
  /** Which part of the sample, where there is no file. */
  readonly sample?: { readonly rows: number; readonly heldOut: boolean };
  /** Names of the columns. Default: those that are known. */
  readonly columns?: ColumnMapping | undefined;
  /** Rows at most. Default: all. */
  readonly limit?: number | undefined;
  /** Which rows a limit leaves. Default 0. */
  readonly seed?: number | undefined;
  /** Rows that cannot be read are left out. Default: they are an error. */
  readonly skipBadRows?: boolean | undefined;
}

const loadLabels = defineStage<LoadLabels, { source?: SourceFiles; like?: LabelledData }, LabelledData>({
  name: "load-labels",
  version: 3, // says which columns of the file were read
  inputs: { source: sourceFormat, like: labelledFormat },
  output: labelledFormat,
  draws: ({ limit }) => limit !== undefined,
  run: ({ parameters: { sample, columns, limit, seed = 0, skipBadRows }, inputs, scratch }) =>
    attempt(async () => {
      if (inputs.source === undefined) {
        await writeDataset(scratch, sampleAttitudes(sample));
        return await writeJson(join(scratch, "classes.json"), ATTITUDES);
      }
      const table = await readTable(await inputs.source.read(), { mapping: columns, skipBadRows });
      const known = inputs.like === undefined ? [] : (await inputs.like.read()).classes;
      const { dataset, classes } = asLabelledTexts(table, columns, known);
      await writeDataset(scratch, someRows(dataset, limit, seed), { dropped: table.dropped }, {
        columns: usedColumns(table, ["text", "label"], {
          ...columns,
          ...(columns?.["label"] === undefined && { label: findName(table, "class")! }),
        }),
        of: table.names.length,
      });
      await writeJson(join(scratch, "classes.json"), classes);
    }),
});

/** Rows at random, in the order of the file: files are often sorted by class. */
function someRows<C extends Columns>(dataset: Dataset<C>, limit: number | undefined, seed: number): Dataset<C> {
  if (limit === undefined || limit >= dataset.rows) return dataset;
  const order = Int32Array.from({ length: dataset.rows }, (_, row) => row);
  return selectRows(dataset, randomStream(seed, randomPurpose("split"), 1).shuffle(order).subarray(0, limit).sort());
}

/** Options of {@linkcode loadLabelledTexts}. */
export interface LabelledTextsOptions extends Omit<LoadLabels, "sample"> {
  /** A file, a folder or a dataset of the hub; without one, the sample. */
  readonly from?: string | undefined;
  /** The flag that maps these columns, for errors. Default: `--columns`. */
  readonly columnsFlag?: string | undefined;
  /** Which part of the sample. Default: the one to train on. */
  readonly heldOut?: boolean | undefined;
  /** Data whose classes have their numbers already. */
  readonly like?: Artifact<LabelledData> | undefined;
}

/** Texts with a class: words or numbers. With a limit, so many rows are drawn from all. */
export const loadLabelledTexts: (
  options: LabelledTextsOptions,
) => Effect.Effect<Artifact<LabelledData>, KindredError, Services> = Effect.fnUntraced(
  function* ({ from, columnsFlag = "--columns", heldOut = false, like, limit, seed, ...options }) {
    yield* phase("loading");
    if (from === undefined) return yield* loadLabels({}, { sample: { heldOut, rows: limit ?? 6000 } });
    const files = yield* source(from);
    const inputs = { source: files, ...(like !== undefined && { like }) };
    const loaded = loadLabels(inputs, { ...options, limit, seed });
    const data = yield* Effect.mapError(loaded, (error) => naming(columnsFlag, error));
    yield* tellColumns(from, data as Artifact<CountedDataset<Columns>>);
    return data;
  },
);

const labelRows = defineStage<
  { readonly kind: "triplets" | "scored-pairs"; readonly seed: number },
  { texts: Dataset<LabelledTexts> },
  CountedDataset<Columns>
>({
  name: "label-rows",
  version: 4, // tokens as the reference has them, to the last bit of a score
  inputs: { texts: datasetFormat<LabelledTexts>() },
  output: datasetFormat<Columns>(),
  draws: true,
  run: ({ parameters: { kind, seed }, inputs, scratch }) =>
    attempt(async () => {
      const texts = await inputs.texts.read();
      const [rows, perText] = kind === "triplets"
        ? [tripletsFromLabels(texts, { seed }), 1]
        : [pairsFromLabels(texts, { seed }), 2];
      await writeDataset(scratch, rows, { dropped: texts.rows - rows.rows / perText });
    }),
});

/**
 * A triplet for each text: with one of its class, and one of another.
 *
 * @param texts Texts with a class each.
 * @param seed Which ones are drawn.
 * @returns An effect that gives the triplets, made or found.
 */
export function labelTriplets(
  texts: Artifact<Dataset<LabelledTexts>>,
  seed: number,
): Effect.Effect<Artifact<CountedDataset<Triplets>>, KindredError, Services> {
  return labelRows({ texts }, { kind: "triplets", seed }) as Effect.Effect<
    Artifact<CountedDataset<Triplets>>,
    KindredError,
    Services
  >;
}

/**
 * Two pairs for each text: with one of its class, score 1, and with one of another, score 0.
 *
 * @param texts Texts with a class each.
 * @param seed Which ones are drawn.
 * @returns An effect that gives the pairs, made or found.
 */
export function labelPairs(
  texts: Artifact<Dataset<LabelledTexts>>,
  seed: number,
): Effect.Effect<Artifact<CountedDataset<ScoredPairs>>, KindredError, Services> {
  return labelRows({ texts }, { kind: "scored-pairs", seed }) as Effect.Effect<
    Artifact<CountedDataset<ScoredPairs>>,
    KindredError,
    Services
  >;
}

/** What an evaluation by labels gave. */
export interface LabelEvaluation {
  /** Silhouette, votes of neighbours, and what the most frequent label alone would reach. */
  readonly metrics: LabelMetrics;
  /** The label that each text's neighbours voted for. */
  readonly votes: readonly number[];
  /** The metrics of embeddings that were cut, one entry for each length that was asked for. */
  readonly cut?: readonly CutMetrics[] | undefined;
  /** Of the texts, row by row. */
  readonly embeddings: () => Promise<Embeddings>;
}

/** How texts are evaluated by their labels. */
export interface LabelEvaluationParameters extends ModelShape {
  /** Neighbours that vote at most. */
  readonly k: number;
  /** Measures embeddings cut to so many of their first numbers as well. Default: none. */
  readonly dimensions?: readonly number[] | undefined;
}

/** How well the embeddings of a model keep the labels of texts apart. */
export const evaluateByLabels: Stage<
  LabelEvaluationParameters,
  { model: ModelFolder; texts: Dataset<LabelledTexts> },
  LabelEvaluation
> = defineStage<
  LabelEvaluationParameters,
  { model: ModelFolder; texts: Dataset<LabelledTexts> },
  LabelEvaluation
>({
  name: "evaluate-labels",
  version: 5, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, texts: datasetFormat<LabelledTexts>() },
  output: {
    read: async (paths) => ({
      ...await readJson<Omit<LabelEvaluation, "embeddings">>(join(paths[0]!, "metrics.json")),
      embeddings: () => embeddingsFormat.read(paths),
    }),
  },
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { k, dimensions, ...shape }, inputs, scratch }) {
    yield* phase("evaluating");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(inputs.model, shape);
    yield* attempt(async () => {
      const { text, label } = (await inputs.texts.read()).columns;
      const whole = await encodeTexts(engine, { ...model, truncateDim: undefined }, text);
      const at = (width: number) => evaluateLabels(engine, firstFeatures(whole, width), label, { k });
      const width = keptWidth(model);
      const { metrics, votes } = await at(width);
      const cut: CutMetrics[] = [];
      for (const width of dimensions ?? []) cut.push({ dimensions: width, metrics: (await at(width)).metrics });
      await writeJson(join(scratch, "metrics.json"), { metrics, votes: [...votes], ...(dimensions && { cut }) });
      await writeEmbeddings(scratch, firstFeatures(whole, width));
    });
  }),
});
