/**
 * Clustering: how well mini-batch k-means on embeddings finds the classes.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { DatasetError } from "../../error.ts";
import type { PythonRandom } from "../../numeric/mersenne_twister.ts";
import { miniBatchKMeans } from "../../numeric/mini_batch_kmeans.ts";
import { adjustedMutualInformation, vMeasure } from "../v_measure.ts";
import { type Columns, type Label, labelOf, numberClasses, textListsOf, textsOf } from "./data.ts";
import { rowsOf } from "../../embed/pairwise.ts";
import type { Embedder } from "./embedder.ts";
import type { TaskScores } from "./result.ts";
import type { ClusteringTask } from "./task.ts";

/** Seed of everything that mteb draws. */
const SEED = 42;

/** Labels of a row: one, or one for each level. −1 where a level is missing. */
function levelsOf(columns: Columns): readonly (readonly Label[])[] {
  return columns.get("labels").map((value, row) => {
    const labels = (Array.isArray(value) ? value : [value]).map(labelOf);
    if (labels.length > 0 && labels.every((label) => label !== undefined)) return labels;
    throw new DatasetError("labels are not classes", {
      where: columns.where(row),
      expected: "a whole number or a name, or one for each level",
      found: JSON.stringify(value) ?? "nothing",
    });
  });
}

/**
 * V-measure and adjusted mutual information of ten clusterings, each of rows that are drawn with replacement from a part
 * of the data, for every level of the labels. `random` is the task's own generator, which goes on from split to split.
 */
export async function evaluateClustering(
  embedder: Embedder,
  task: ClusteringTask,
  columns: Columns,
  random: PythonRandom,
): Promise<TaskScores> {
  const {
    max_document_to_embed: limit = null,
    max_fraction_of_documents_to_embed: fraction = limit === null ? 0.04 : null,
    max_documents_per_cluster: size = 16_384,
    n_clusters: times = 10,
    k_mean_batch_size: batchSize = 512,
  } = task;
  const all = task.flatten === true
    ? flattened(columns)
    : { sentences: textsOf(columns, "sentences"), labels: levelsOf(columns) };
  const { sentences, labels } = task.drop_singletons === true ? withoutSingletons(all) : all;
  const wanted = fraction === null && limit === null
    ? undefined
    : Math.min(sentences.length, fraction === null ? limit! : Math.floor(fraction * sentences.length));
  if (wanted === 0) {
    throw new DatasetError("there is nothing left to cluster", {
      where: columns.where(0),
      found: `${fraction} of ${counted(sentences.length, "row")}`,
      hint: "raise max_fraction_of_documents_to_embed",
    });
  }
  const chosen = wanted === undefined
    ? Int32Array.from(sentences, (_, row) => row)
    : random.sample(sentences.length, wanted);
  const points = await embedder.embed(Array.from(chosen, (row) => sentences[row]!));

  const depth = Math.min(task.max_depth ?? Infinity, Math.max(...Array.from(chosen, (row) => labels[row]!.length)));
  const scores = { v_measure: {} as Record<string, number[]>, ami: {} as Record<string, number[]> };
  for (let level = 0; level < depth; level++) {
    const own = Array.from(chosen, (row) => labels[row]![level] ?? -1);
    const valid = Int32Array.from(own.flatMap((label, i) => label === -1 ? [] : [i]));
    const classes = numberClasses(Array.from(valid, (i) => own[i]!));
    const gold = valid.map((i) => classes.get(own[i]!)!);
    const levelPoints = rowsOf(points, valid);
    const v: number[] = scores.v_measure[`Level ${level}`] = [];
    const ami: number[] = scores.ami[`Level ${level}`] = [];
    for (let time = 0; time < times; time++) {
      const rows = random.choices(valid.length, size);
      const found = await miniBatchKMeans(levelPoints, { clusters: classes.size, batchSize, seed: SEED, rows });
      const drawn = rows.map((row) => gold[row]!);
      v.push(vMeasure(drawn, found.labels));
      ami.push(adjustedMutualInformation(drawn, found.labels));
    }
  }
  return {
    v_measures: scores.v_measure,
    ...meanAndDeviation("v_measure", Object.values(scores.v_measure).flat()),
    ami_scores: scores.ami,
    ...meanAndDeviation("ami", Object.values(scores.ami).flat()),
  };
}

/** The first version: every row is a set of sentences that is clustered whole, with batches of 500. */
export async function evaluateClusteringSets(embedder: Embedder, columns: Columns): Promise<TaskScores> {
  const sets = textListsOf(columns, "sentences");
  const v: number[] = [];
  for (const [row, sentences] of sets.entries()) {
    const labels = labelListOf(columns, row, sentences.length);
    const classes = numberClasses(labels);
    if (classes.size < 2) {
      v.push(1);
      continue;
    }
    const points = await embedder.embed(sentences);
    const found = await miniBatchKMeans(points, { clusters: classes.size, batchSize: 500, seed: SEED });
    v.push(vMeasure(Int32Array.from(labels, (label) => classes.get(label)!), found.labels));
  }
  return { ...meanAndDeviation("v_measure", v), v_measures: v };
}

function meanAndDeviation(name: string, values: readonly number[]): Record<string, number> {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { [name]: mean, [`${name}_std`]: Math.sqrt(variance) };
}

interface Labelled {
  readonly sentences: readonly string[];
  readonly labels: readonly (readonly Label[])[];
}

function labelListOf(columns: Columns, row: number, length: number): readonly Label[] {
  const value = columns.get("labels")[row];
  const labels = Array.isArray(value) ? value.map(labelOf) : [];
  if (labels.length === length && labels.every((label) => label !== undefined)) return labels;
  throw new DatasetError("a set does not have one label for each sentence", {
    where: columns.where(row),
    expected: counted(length, "class"),
    found: counted(labels.length, "value"),
  });
}

function flattened(columns: Columns): Labelled {
  const sets = textListsOf(columns, "sentences");
  return {
    sentences: sets.flat(),
    labels: sets.flatMap((sentences, row) => labelListOf(columns, row, sentences.length).map((label) => [label])),
  };
}

function withoutSingletons({ sentences, labels }: Labelled): Labelled {
  const counts = new Map<Label, number>();
  for (const [label] of labels) counts.set(label!, (counts.get(label!) ?? 0) + 1);
  const kept = labels.flatMap(([label], i) => counts.get(label!) === 1 ? [] : [i]);
  return { sentences: kept.map((i) => sentences[i]!), labels: kept.map((i) => labels[i]!) };
}
