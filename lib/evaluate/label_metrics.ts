/**
 * How well embeddings keep labels apart, in numbers: what a map shows to the eye.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
import { nearest, type Neighbors } from "../embed/nearest.ts";
import { accuracy } from "./classification.ts";
import type { Embeddings } from "../embed/pairwise.ts";

/** What {@linkcode evaluateLabels} finds. */
export type LabelMetrics = {
  /** See {@linkcode silhouette}: from −1 over 0 (labels lie across each other) to 1. */
  readonly silhouette_cosine: number;
  /** Share of texts whose label most of their nearest others have. */
  readonly knn_accuracy_cosine: number;
};

/** Options of {@linkcode evaluateLabels}. */
export interface LabelMetricsOptions {
  /**
   * Neighbours that vote at most. Default 10; never more than a label has other texts, on average: of few texts, those of
   * other labels would outvote a text's own even where it lies nearest.
   */
  readonly k?: number;
}

/**
 * Silhouette and nearest-neighbour accuracy of labelled embeddings under the cosine, every text leaving itself out; and
 * the label that each text's neighbours voted for.
 *
 * @param engine Compares embeddings.
 * @param embeddings [n, width], n ≥ 2.
 * @param labels [n] a label for each.
 * @param options How many neighbours vote.
 * @returns The scores, and [n] what the neighbours of each text voted for.
 * @throws {EvaluationError} Another number of labels, fewer than two of them, or none with more than one text.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { evaluateLabels } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const embeddings = { data: Float32Array.of(1, 0, 1, 0.1, 0, 1, 0.1, 1), width: 2, rows: 4 };
 * const { metrics, votes } = await evaluateLabels(engine, embeddings, Int32Array.of(7, 7, 3, 3), { k: 1 });
 * assert.equal(metrics.knn_accuracy_cosine, 1);
 * assert.deepEqual([...votes], [7, 7, 3, 3]);
 * engine.close();
 * ```
 */
export async function evaluateLabels(
  engine: Engine,
  embeddings: Embeddings,
  labels: Int32Array,
  options: LabelMetricsOptions = {},
): Promise<{ readonly metrics: LabelMetrics; readonly votes: Int32Array }> {
  const others = Math.ceil(embeddings.rows / countsOf(embeddings, labels).size) - 1;
  const k = Math.min(options.k ?? 10, Math.max(1, others));
  const votes = neighborVotes(await nearest(engine, embeddings, embeddings, { k, excludeSelf: true }), labels);
  const silhouette_cosine = silhouette(embeddings, labels);
  return { metrics: { silhouette_cosine, knn_accuracy_cosine: accuracy(labels, votes) }, votes };
}

/**
 * The accuracy of always naming the most frequent label: what a classifier has to beat.
 *
 * @param labels [n] labels.
 * @returns From 0 to 1.
 * @throws {EvaluationError} There are no labels.
 *
 * @example
 * ```ts
 * import { majorityAccuracy } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(majorityAccuracy(Int32Array.of(4, 4, 4, 1)), 0.75);
 * ```
 */
export function majorityAccuracy(labels: Int32Array): number {
  if (labels.length === 0) throw new EvaluationError("there are no labels", { expected: "at least one" });
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}

/**
 * mean over texts of (b − a) / max(a, b); a = mean cosine distance to the others of its label, b = the least mean
 * distance to those of another one; 0 for a text alone with its label. Equals scikit-learn's `silhouette_score` with
 * `metric="cosine"`; Rousseeuw 1987, doi 10.1016/0377-0427(87)90125-7.
 *
 * A mean of cosine distances is 1 − x · (mean of unit vectors), so that no distance of two texts is computed: the cost
 * is rows × labels × width.
 *
 * @param embeddings [n, width].
 * @param labels [n] a label for each.
 * @returns From −1, mixed up, to 1, apart.
 * @throws {EvaluationError} Another number of labels, fewer than two of them, none with more than one text, or embeddings
 *   that are not finite.
 *
 * @example
 * ```ts
 * import { silhouette } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const apart = { data: Float32Array.of(1, 0, 1, 0, 0, 1, 0, 1), width: 2, rows: 4 };
 * assert.equal(silhouette(apart, Int32Array.of(7, 7, 3, 3)), 1);
 * ```
 */
export function silhouette(embeddings: Embeddings, labels: Int32Array): number {
  const { rows, width } = embeddings;
  const counts = countsOf(embeddings, labels);
  if (counts.size === rows) {
    throw new EvaluationError("a silhouette needs labels with more than one text", {
      found: `${counted(rows, "text")} with a label each`,
    });
  }
  const unit = unitRows(embeddings);
  const classes = [...counts.keys()];
  const classOf = new Map(classes.map((label, c) => [label, c]));
  const sums = new Float64Array(classes.length * width);
  for (let r = 0; r < rows; r++) {
    const at = classOf.get(labels[r]!)! * width;
    for (let i = 0; i < width; i++) sums[at + i]! += unit[r * width + i]!;
  }
  let total = 0;
  for (let r = 0; r < rows; r++) {
    const own = classOf.get(labels[r]!)!;
    if (counts.get(labels[r]!) === 1) continue;
    let [a, b] = [0, Infinity];
    for (let c = 0; c < classes.length; c++) {
      let dot = 0;
      for (let i = 0; i < width; i++) dot += unit[r * width + i]! * sums[c * width + i]!;
      const count = counts.get(classes[c]!)!;
      if (c !== own) b = Math.min(b, 1 - dot / count);
      else {
        let self = 0; // 1, or 0 for a zero vector, whose distance to itself is 0 all the same
        for (let i = r * width; i < (r + 1) * width; i++) self += unit[i]! * unit[i]!;
        a = (count - 1 - (dot - self)) / (count - 1);
      }
    }
    const larger = Math.max(a, b);
    if (larger > 0) total += (b - a) / larger;
  }
  return total / rows;
}

/**
 * The label that most neighbours of each query have; with equal votes the lowest one. `labels` are those of the corpus.
 * Without neighbours the vote is −1.
 */
export function neighborVotes({ indices, counts, k, queries }: Neighbors, labels: Int32Array): Int32Array {
  return Int32Array.from({ length: queries }, (_, q) => {
    const votes = new Map<number, number>();
    let [best, most] = [-1, 0];
    for (let i = q * k; i < q * k + counts[q]!; i++) {
      const label = labels[indices[i]!]!;
      const count = (votes.get(label) ?? 0) + 1;
      votes.set(label, count);
      if (count > most || (count === most && label < best)) [best, most] = [label, count];
    }
    return best;
  });
}

/** How often each label occurs; at least two labels must. */
function countsOf({ rows }: Embeddings, labels: Int32Array): Map<number, number> {
  if (labels.length !== rows) {
    throw new EvaluationError("every embedding needs a label", { expected: `${rows}`, found: `${labels.length}` });
  }
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  if (counts.size >= 2) return counts;
  throw new EvaluationError("the distance between labels needs at least two labels", {
    found: rows === 0 ? "no texts" : `${counted(rows, "text")} with one label`,
  });
}

/** In float64, of length 1; a zero vector stays what it is. */
function unitRows({ data, rows, width }: Embeddings): Float64Array {
  const unit = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    let squares = 0;
    for (let i = r * width; i < (r + 1) * width; i++) squares += data[i]! * data[i]!;
    if (!Number.isFinite(squares)) {
      throw new EvaluationError("an embedding is not finite", { expected: "finite numbers", where: `row ${r}` });
    }
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let i = r * width; i < (r + 1) * width; i++) unit[i] = data[i]! * scale;
  }
  return unit;
}
