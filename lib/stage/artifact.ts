/**
 * The forms of results in the cache: datasets as Parquet, models as sentence-transformers folders, embeddings as
 * safetensors, numbers as JSON.
 *
 * @module
 */
import { join } from "node:path";
import { writeJson } from "../checkpoint/folder.ts";
import { openTensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import type { Dataset } from "../data/dataset.ts";
import { writeParquet } from "../data/parquet.ts";
import { readColumns } from "../data/parquet_file.ts";
import type { Columns } from "../data/rows.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { PoolingMode } from "../engine/engine.ts";
import type { TokenizedTexts } from "../text/packed.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { Format } from "./stage.ts";

export { writeJson };

/** A dataset, and what was counted while it was made. */
export interface CountedDataset<C extends Columns> extends Dataset<C> {
  /** Rows that were left out, negatives that were found, …: by name. */
  readonly counts: Readonly<Record<string, number>>;
}

/** A model in a folder. */
export interface ModelFolder {
  /** A sentence-transformers folder, or a Hugging Face checkpoint. */
  readonly folder: string;
}

/** How a model is read for training. */
export interface ModelShape {
  /** Instead of the folder's own pooling. */
  readonly pooling?: PoolingMode | undefined;
  /** Instead of the folder's own limit. */
  readonly maxSeqLength?: number | undefined;
}

/** A model that a stage has trained. */
export interface TrainedModel extends ModelFolder {
  /** How that went. */
  readonly record: TrainingRecord;
  /** The folder with the adapters alone, if such were trained. */
  readonly adapter?: string | undefined;
}

/** Metrics of embeddings of which only the first numbers were kept. */
export interface CutMetrics {
  /** How many. */
  readonly dimensions: number;
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
}

/** What an evaluation gave. */
export interface Evaluation {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** Cosine of every pair, in order; of anchor and positive, where there is no other. */
  readonly similarities: readonly number[];
  /** Of a retrieval: where each query's first relevant document stands, from 1; 0 if it was not found. */
  readonly ranks?: readonly number[] | undefined;
  /** The metrics of embeddings that were cut, one entry for each length that was asked for. */
  readonly cut?: readonly CutMetrics[] | undefined;
  /** One row for each distinct text of the first two columns, in order of first occurrence. */
  readonly embeddings: () => Promise<Embeddings>;
}

/**
 * Writes a dataset into the scratch folder of a stage: as Parquet, which says the types of its columns.
 *
 * @param folder The scratch folder.
 * @param dataset Its rows.
 * @param counts What the stage counted: it stands in the summary. Default: nothing.
 * @param used Which columns of a file they are, where they come from one.
 * @returns When it is written.
 */
export async function writeDataset(
  folder: string,
  dataset: Dataset,
  counts: Readonly<Record<string, number>> = {},
  used?: UsedColumns,
): Promise<void> {
  await writeParquet(join(folder, "data.parquet"), dataset);
  await writeJson(join(folder, "data.json"), {
    rows: dataset.rows,
    columns: Object.keys(dataset.columns),
    counts,
    used,
  });
}

/** Columns of a file that a dataset was read from. */
export interface UsedColumns {
  /** The file's names by ours. */
  readonly columns: Readonly<Record<string, string>>;
  /** How many columns the file has. */
  readonly of: number;
}

/** What is known of a dataset without reading it. */
export interface DatasetSummary {
  /** Number of rows. */
  readonly rows: number;
  /** Names of its columns. */
  readonly columns: readonly string[];
  /** What was counted while it was made. */
  readonly counts: Readonly<Record<string, number>>;
  /** Which columns of a file it was read from, where it was. */
  readonly used?: UsedColumns;
}

/**
 * The summary of a dataset's artifact, without its rows.
 *
 * @param artifact A dataset, made by a stage.
 * @returns Number of rows, names of columns, and what its stage counted.
 */
export async function summaryOf(artifact: { readonly paths: readonly string[] }): Promise<DatasetSummary> {
  const { paths } = artifact;
  return await readJson<DatasetSummary>(join(paths[0]!, "data.json"));
}

/**
 * The form of a dataset with these columns, for the inputs and the output of a stage.
 *
 * @returns Reads the Parquet files of an artifact.
 */
export function datasetFormat<C extends Columns>(): Format<CountedDataset<C>> {
  return {
    read: async (paths) => {
      const { columns: names, counts } = await summaryOf({ paths });
      const { columns, rows } = await readColumns(join(paths[0]!, "data.parquet"), { columns: names });
      return { columns: columns as C, rows, counts };
    },
  };
}

const modelOf = async (path: string) =>
  await Deno.stat(join(path, "manifest.json")).then(() => join(path, "model"), () => path);

/** Where a stage that trains adapters leaves them alone, beside the whole model. */
export const ADAPTER = "adapter";

/** The form of a model: the folder itself, or what a stage trained. */
export const modelFormat: Format<ModelFolder> = { read: async ([path]) => ({ folder: await modelOf(path!) }) };

/** The form of a trained model. */
export const trainedFormat: Format<TrainedModel> = {
  read: async ([path]) => ({
    folder: await modelOf(path!),
    record: await readJson<TrainingRecord>(join(path!, "training.json")),
    adapter: await Deno.stat(join(path!, ADAPTER)).then(() => join(path!, ADAPTER), () => undefined),
  }),
};

/** The form of an evaluation. */
export const evaluationFormat: Format<Evaluation> = {
  read: async ([path]) => ({
    ...await readJson<Omit<Evaluation, "embeddings">>(join(path!, "metrics.json")),
    embeddings: async () => await readEmbeddings(path!),
  }),
};

/** The form of embeddings. */
export const embeddingsFormat: Format<Embeddings> = { read: async ([path]) => await readEmbeddings(path!) };

/**
 * Writes `embeddings.safetensors` into the scratch folder of a stage.
 *
 * @param folder The scratch folder.
 * @param embeddings [rows, width].
 * @returns When they are written.
 */
export async function writeEmbeddings(folder: string, embeddings: Embeddings): Promise<void> {
  const { data, rows, width } = embeddings;
  await writeSafetensors(join(folder, "embeddings.safetensors"), [{ name: "embeddings", shape: [rows, width], data }]);
}

async function readEmbeddings(folder: string): Promise<Embeddings> {
  const reader = await openTensors(join(folder, "embeddings.safetensors"));
  try {
    const [rows, width] = reader.tensors.get("embeddings")!.shape as [number, number];
    return { data: await reader.readF32("embeddings"), rows, width };
  } finally {
    reader.close();
  }
}

/** Writes the token ids of columns: `<column>.ids`, `<column>.offsets` and, where there are any, `<column>.types`. */
export async function writeTokens(folder: string, columns: Readonly<Record<string, TokenizedTexts>>): Promise<void> {
  const tensors = Object.entries(columns).flatMap(([name, { ids, offsets, typeIds }]) => [
    { name: `${name}.ids`, shape: [ids.length], data: ids },
    { name: `${name}.offsets`, shape: [offsets.length], data: offsets },
    ...(typeIds === undefined ? [] : [{ name: `${name}.types`, shape: [typeIds.length], data: typeIds }]),
  ]);
  await writeSafetensors(join(folder, "tokens.safetensors"), tensors);
}

/** The form of tokenised columns. */
export const tokensFormat: Format<Readonly<Record<string, TokenizedTexts>>> = {
  read: async ([path]) => {
    const reader = await openTensors(join(path!, "tokens.safetensors"));
    try {
      const columns: Record<string, TokenizedTexts> = {};
      for (const tensor of reader.tensors.keys()) {
        if (!tensor.endsWith(".ids")) continue;
        const name = tensor.slice(0, -".ids".length);
        columns[name] = {
          ids: await reader.readI32(tensor),
          offsets: await reader.readI32(`${name}.offsets`),
          typeIds: reader.tensors.has(`${name}.types`) ? await reader.readI32(`${name}.types`) : undefined,
        };
      }
      return columns;
    } finally {
      reader.close();
    }
  },
};

/** Reads a JSON file. */
export async function readJson<A>(path: string): Promise<A> {
  return JSON.parse(await Deno.readTextFile(path));
}

/**
 * The form of a JSON file in the artifact's folder.
 *
 * @param name The file, such as `metrics.json`.
 * @returns Reads it.
 */
export function jsonFormat<A>(name: string): Format<A> {
  return { read: async ([path]) => await readJson<A>(join(path!, name)) };
}
