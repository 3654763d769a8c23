/**
 * Tasks over pairs of texts: semantic textual similarity, and pairs of two classes.
 *
 * @module
 */
import { DatasetError } from "../../error.ts";
import { averagePrecision } from "../classification.ts";
import { pearson, spearman } from "../../numeric/correlation.ts";
import { pairwiseSimilarities } from "../../embed/pairwise.ts";
import { type Columns, numbersOf, textsOf } from "./data.ts";
import type { Embedder } from "./embedder.ts";
import type { TaskScores } from "./result.ts";
import type { StsTask } from "./task.ts";

/** Both sides of pairs, and the similarities of each pair: the model's own under `similarity`. */
async function similaritiesOf(embedder: Embedder, columns: Columns): Promise<Record<string, Float64Array>> {
  const first = await embedder.embed(textsOf(columns, "sentence1"));
  const second = await embedder.embed(textsOf(columns, "sentence2"));
  const { cosine, manhattan, euclidean, dot } = pairwiseSimilarities(first, second);
  const own = { cosine, manhattan, euclidean, dot }[embedder.similarity];
  return { similarity: own, cosine, manhattan, euclidean, dot };
}

/** Pearson and Spearman correlation of similarities with grades. Grades are scaled to 0 … 1, which changes neither. */
export async function evaluateSts(embedder: Embedder, task: StsTask, columns: Columns): Promise<TaskScores> {
  const { min_score: lowest = 0, max_score: highest = 5 } = task;
  const grades = numbersOf(columns, "score").map((grade) => (grade - lowest) / (highest - lowest));
  if (grades.every((grade) => grade === grades[0])) {
    throw new DatasetError("a correlation needs different grades", { where: columns.where(0), found: "all are equal" });
  }
  const similarities = await similaritiesOf(embedder, columns);
  const scores: TaskScores = {};
  for (const kind of ["similarity", "cosine", "manhattan", "euclidean"]) {
    const prefix = kind === "similarity" ? "" : `${kind}_`;
    scores[`${prefix}pearson`] = pearson(grades, similarities[kind]!);
    scores[`${prefix}spearman`] = spearman(grades, similarities[kind]!);
  }
  return scores;
}

/**
 * Best accuracy and F1 over thresholds on each similarity, and average precision. Unlike sentence-transformers', no
 * threshold lies between equal similarities.
 */
export async function evaluatePairClassification(embedder: Embedder, columns: Columns): Promise<TaskScores> {
  const labels = numbersOf(columns, "labels");
  labels.forEach((label, row) => {
    if (label === 0 || label === 1) return;
    throw new DatasetError("the class of a pair must be 0 or 1", { where: columns.where(row), found: `${label}` });
  });
  if (!labels.includes(0) || !labels.includes(1)) {
    throw new DatasetError("pairs of both classes are needed", { where: columns.where(0), found: `only ${labels[0]}` });
  }
  const scores: TaskScores = {};
  const most: Record<string, number> = {};
  for (const [kind, values] of Object.entries(await similaritiesOf(embedder, columns))) {
    for (const [name, value] of Object.entries(thresholdScores(labels, values))) {
      scores[`${kind}_${name}`] = value;
      most[name] = Math.max(most[name] ?? -Infinity, value);
    }
  }
  for (const [name, value] of Object.entries(most)) scores[`max_${name}`] = value;
  return scores;
}

function thresholdScores(labels: Float64Array, values: Float64Array): Record<string, number> {
  const n = labels.length;
  const order = Int32Array.from(labels, (_, i) => i).sort((a, b) => values[b]! - values[a]!);
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const best = { accuracy: 0, f1: 0, precision: 0, recall: 0 };
  let hits = 0;
  for (let i = 0; i + 1 < n; i++) {
    hits += labels[order[i]!]!;
    if (values[order[i]!] === values[order[i + 1]!]) continue;
    const misses = i + 1 - hits;
    best.accuracy = Math.max(best.accuracy, (hits + (n - positives - misses)) / n);
    if (hits === 0) continue;
    const [precision, recall] = [hits / (i + 1), hits / positives];
    const f1 = 2 * precision * recall / (precision + recall);
    if (f1 > best.f1) Object.assign(best, { f1, precision, recall });
  }
  return { ...best, ap: averagePrecision(labels, values) };
}
