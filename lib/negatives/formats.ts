/**
 * Negatives written out as datasets: triplets, tuples, labelled pairs and labelled lists.
 *
 * The rows are those of sentence-transformers' `mine_hard_negatives`, in its order: anchor by anchor, each anchor with
 * each of its positives. Scores become columns of numbers of their own.
 *
 * @module
 */
import type { Dataset, Pairs, Triplets } from "../data/dataset.ts";
import { DatasetError } from "../error.ts";
import type { Candidates } from "./candidates.ts";
import { type NegativeStatistics, summarize } from "./statistics.ts";

/** Columns of {@linkcode toTriplets}, with scores. */
export type ScoredTriplets = Triplets & {
  /** Score of anchor and positive. */
  readonly positive_score: Float64Array;
  /** Score of anchor and negative. */
  readonly negative_score: Float64Array;
};

/** Columns of {@linkcode toTuples}: `negative_1` … `negative_n` and, with scores, `negative_1_score` …. */
export type Tuples = Pairs & { readonly [negative: `negative_${number}`]: readonly string[] };

/** Columns of {@linkcode toTuples}, with scores. */
export type ScoredTuples = Tuples & {
  /** Score of anchor and positive. */
  readonly positive_score: Float64Array;
} & { readonly [negative: `negative_${number}_score`]: Float64Array };

/** Columns of {@linkcode toLabelledPairs}. */
export type LabelledDocuments = {
  /** The query, premise or question. */
  readonly anchor: readonly string[];
  /** A positive or a negative. */
  readonly document: readonly string[];
  /** 1 or 0. */
  readonly label: Int32Array;
};

/** Columns of {@linkcode toLabelledPairs}, with scores in the place of labels. */
export type ScoredDocuments = Omit<LabelledDocuments, "label"> & {
  /** Score of anchor and document. */
  readonly score: Float64Array;
};

/** Documents of one anchor: a positive and its negatives. */
export interface LabelledList {
  /** The query, premise or question. */
  readonly anchor: string;
  /** The positive first. */
  readonly documents: readonly string[];
  /** 1, then 0s. */
  readonly labels: Int32Array;
  /** Score of the anchor with each document. */
  readonly scores: Float32Array;
}

/** A dataset of negatives and what it looks like. */
export interface WrittenOut<D> {
  /** The rows. */
  readonly dataset: D;
  /** Distributions of scores. */
  readonly statistics: NegativeStatistics;
}

/** Whether scores become columns. */
export interface FormatOptions<Scores extends boolean = boolean> {
  /** Default false. */
  readonly scores?: Scores;
}

/**
 * One row (anchor, positive, negative) for every positive and negative of an anchor: what triplet losses train on.
 *
 * @param negatives Negatives of every anchor, from {@linkcode selectNegatives} or a judge.
 * @param options `scores: true` adds columns `positive_score` and `negative_score`. Default false.
 * @returns The dataset, and statistics of its scores.
 *
 * @example
 * ```ts
 * import { toTriplets, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(pairs, () => Promise.resolve([{ text: "cold", finish: "stop" }]));
 * const { dataset } = toTriplets(negatives);
 * assert.deepEqual(dataset.columns, { anchor: ["hot"], positive: ["warm"], negative: ["cold"] });
 * ```
 */
export function toTriplets(
  negatives: Candidates,
  options?: FormatOptions<false>,
): WrittenOut<Dataset<Triplets>>;
/** With the scores of both. */
export function toTriplets(negatives: Candidates, options: FormatOptions<true>): WrittenOut<Dataset<ScoredTriplets>>;
export function toTriplets(
  negatives: Candidates,
  { scores = false }: FormatOptions = {},
): WrittenOut<Dataset<Triplets>> {
  const { anchors, documents, positives, positiveScores, indices, width } = negatives;
  expectNoPositives(negatives);
  const anchor: string[] = [];
  const positive: string[] = [];
  const negative: string[] = [];
  const positiveScore: number[] = [];
  const negativeScore: number[] = [];
  forPairs(negatives, (i, p) => {
    for (let n = i * width; n < i * width + negatives.counts[i]!; n++) {
      anchor.push(anchors[i]!);
      positive.push(documents[positives[p]!]!);
      negative.push(documents[indices[n]!]!);
      positiveScore.push(positiveScores[p]!);
      negativeScore.push(negatives.scores[n]!);
    }
  });
  const columns = {
    anchor,
    positive,
    negative,
    ...(scores && {
      positive_score: Float64Array.from(positiveScore),
      negative_score: Float64Array.from(negativeScore),
    }),
  };
  const statistics = statisticsOf(negatives, () => true, positives.length * width, anchor.length);
  return { dataset: { columns, rows: anchor.length }, statistics };
}

/**
 * One row (anchor, positive, negative_1 … negative_n) for every positive of the anchors that have all n negatives.
 *
 * @param negatives Negatives of every anchor; n is their `width`.
 * @param options `scores: true` adds a column of scores for the positive and each negative. Default false.
 * @returns The dataset, and statistics of its scores.
 *
 * @example
 * ```ts
 * import { toTuples, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(
 *   pairs,
 *   (requests) => Promise.resolve(requests.map((_, i) => ({ text: ["cold", "icy"][i]!, finish: "stop" }))),
 *   { negatives: 2 },
 * );
 * assert.deepEqual(Object.keys(toTuples(negatives).dataset.columns), ["anchor", "positive", "negative_1", "negative_2"]);
 * ```
 */
export function toTuples(negatives: Candidates, options?: FormatOptions<false>): WrittenOut<Dataset<Tuples>>;
/** With the scores of all. */
export function toTuples(negatives: Candidates, options: FormatOptions<true>): WrittenOut<Dataset<ScoredTuples>>;
export function toTuples(
  negatives: Candidates,
  { scores = false }: FormatOptions = {},
): WrittenOut<Dataset<Tuples>> {
  const { anchors, documents, positives, positiveScores, indices, counts, width } = negatives;
  const places: { i: number; p: number }[] = [];
  forPairs(negatives, (i, p) => counts[i] === width && places.push({ i, p }));
  const columns: Record<string, readonly string[] | Float64Array> = {
    anchor: places.map(({ i }) => anchors[i]!),
    positive: places.map(({ p }) => documents[positives[p]!]!),
  };
  for (let n = 0; n < width; n++) {
    columns[`negative_${n + 1}`] = places.map(({ i }) => documents[indices[i * width + n]!]!);
  }
  if (scores) {
    columns["positive_score"] = Float64Array.from(places, ({ p }) => positiveScores[p]!);
    for (let n = 0; n < width; n++) {
      columns[`negative_${n + 1}_score`] = Float64Array.from(places, ({ i }) => negatives.scores[i * width + n]!);
    }
  }
  const statistics = statisticsOf(negatives, (i) => counts[i] === width, positives.length, places.length);
  return { dataset: { columns: columns as Tuples, rows: places.length }, statistics };
}

/**
 * Rows (anchor, document, label): every positive once with 1, every negative once with 0. Losses over pairs and
 * cross-encoders train on them.
 *
 * @param negatives Negatives of every anchor, from {@linkcode selectNegatives} or a judge.
 * @param options `scores: true` puts the scores in the place of the labels. Default false.
 * @returns The dataset, and statistics of its scores.
 *
 * @example
 * ```ts
 * import { toLabelledPairs, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(pairs, () => Promise.resolve([{ text: "cold", finish: "stop" }]));
 * const { columns } = toLabelledPairs(negatives).dataset;
 * assert.deepEqual(columns.document, ["warm", "cold"]);
 * assert.deepEqual([...columns.label], [1, 0]);
 * ```
 */
export function toLabelledPairs(
  negatives: Candidates,
  options?: FormatOptions<false>,
): WrittenOut<Dataset<LabelledDocuments>>;
/** (anchor, document, score) in the same order. */
export function toLabelledPairs(
  negatives: Candidates,
  options: FormatOptions<true>,
): WrittenOut<Dataset<ScoredDocuments>>;
export function toLabelledPairs(
  negatives: Candidates,
  { scores = false }: FormatOptions = {},
): WrittenOut<Dataset<LabelledDocuments> | Dataset<ScoredDocuments>> {
  const { anchors, documents, offsets, positives, positiveScores, indices, counts, width } = negatives;
  expectNoPositives(negatives);
  const anchor: string[] = [];
  const document: string[] = [];
  const label: number[] = [];
  const score: number[] = [];
  const add = (i: number, row: number, value: number, is: number) => {
    anchor.push(anchors[i]!);
    document.push(documents[row]!);
    label.push(value);
    score.push(is);
  };
  for (let i = 0; i < anchors.length; i++) {
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) add(i, positives[p]!, 1, positiveScores[p]!);
    for (let n = i * width; n < i * width + counts[i]!; n++) add(i, indices[n]!, 0, negatives.scores[n]!);
  }
  const columns = scores
    ? { anchor, document, score: Float64Array.from(score) }
    : { anchor, document, label: Int32Array.from(label) };
  const possible = positives.length + anchors.length * width;
  const statistics = statisticsOf(negatives, () => true, possible, anchor.length);
  return { dataset: { columns, rows: anchor.length } as Dataset<LabelledDocuments>, statistics };
}

/**
 * A list of documents with their labels for every positive of the anchors that have a negative at all: the positive
 * first. For rankings.
 *
 * @param negatives Negatives of every anchor, from {@linkcode selectNegatives} or a judge.
 * @returns The lists, and statistics of their scores.
 *
 * @example
 * ```ts
 * import { toLabelledLists, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(pairs, () => Promise.resolve([{ text: "cold", finish: "stop" }]));
 * assert.deepEqual(toLabelledLists(negatives).dataset.map(({ documents }) => documents), [["warm", "cold"]]);
 * ```
 */
export function toLabelledLists(negatives: Candidates): WrittenOut<readonly LabelledList[]> {
  const { anchors, documents, positives, positiveScores, indices, counts, width } = negatives;
  expectNoPositives(negatives);
  const dataset: LabelledList[] = [];
  forPairs(negatives, (i, p) => {
    const count = counts[i]!;
    if (count === 0) return;
    const rows = indices.subarray(i * width, i * width + count);
    dataset.push({
      anchor: anchors[i]!,
      documents: [documents[positives[p]!]!, ...Array.from(rows, (row) => documents[row]!)],
      labels: Int32Array.of(1, ...new Int32Array(count)),
      scores: Float32Array.of(positiveScores[p]!, ...negatives.scores.subarray(i * width, i * width + count)),
    });
  });
  const statistics = statisticsOf(negatives, () => true, positives.length, dataset.length);
  return { dataset, statistics };
}

/** Visits every anchor with each of its positives. */
export function forPairs({ anchors, offsets }: Candidates, visit: (i: number, p: number) => void): void {
  for (let i = 0; i < anchors.length; i++) for (let p = offsets[i]!; p < offsets[i + 1]!; p++) visit(i, p);
}

/** Only a tuple keeps the place of a positive that stands among the negatives; elsewhere it would be labelled 0. */
export function expectNoPositives(negatives: Candidates): void {
  const { anchors, documents, offsets, positives, indices, counts, width } = negatives;
  for (let i = 0; i < anchors.length; i++) {
    const own = positives.subarray(offsets[i]!, offsets[i + 1]!);
    const at = indices.subarray(i * width, i * width + counts[i]!).findIndex((row) => own.includes(row));
    if (at < 0) continue;
    throw new DatasetError("a positive is among the negatives of its anchor", {
      where: JSON.stringify(anchors[i]!.slice(0, 80)),
      found: JSON.stringify(documents[indices[i * width + at]!]!.slice(0, 80)),
      hint: "write rankings that include positives out as tuples",
    });
  }
}

function statisticsOf(
  negatives: Candidates,
  isKept: (i: number) => boolean,
  possible: number,
  found: number,
): NegativeStatistics {
  const { counts, width, positiveScores, scores } = negatives;
  const negative: number[] = [];
  const difference: number[] = [];
  forPairs(negatives, (i, p) => {
    if (!isKept(i)) return;
    for (let n = i * width; n < i * width + counts[i]!; n++) {
      negative.push(scores[n]!);
      difference.push(positiveScores[p]! - scores[n]!);
    }
  });
  return {
    positive: summarize(positiveScores),
    negative: summarize(Float32Array.from(negative)),
    difference: summarize(Float32Array.from(difference)),
    possible,
    missing: possible - found,
  };
}
