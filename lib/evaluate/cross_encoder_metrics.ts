/**
 * How good the scores of a cross-encoder are, under the keys of sentence-transformers' evaluators.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { scoresOf } from "./binary.ts";
import { accuracy, argmaxRows, averagePrecision, f1Score } from "./classification.ts";
import { pearson, spearman, type Values } from "../numeric/correlation.ts";
import { expectFinite } from "./expect.ts";
import type { Scores } from "./cross_encoder.ts";
import { ndcgOfScores, rankByScore, ranked, reciprocalRankAt } from "./ranking.ts";
import type { PairScorer } from "../embed/search.ts";

/** Result of {@linkcode crossEncoderCorrelation}. */
export type CorrelationMetrics = { readonly pearson: number; readonly spearman: number };

/**
 * How well the scores of a cross-encoder agree with gold ones: sentence-transformers'
 * `CrossEncoderCorrelationEvaluator`. Scores that are all equal correlate by 0.
 *
 * @param scores From `predict`, of a model with one label.
 * @param gold [n] scores that people gave.
 * @returns Pearson's and Spearman's correlation.
 * @throws {EvaluationError} Classes instead of scores, another number of gold scores, or fewer than two different
 *   ones.
 *
 * @example
 * ```ts
 * import { crossEncoderCorrelation } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const scores = { data: Float32Array.of(0.9, 0.5, 0.1), width: 1, rows: 3 };
 * assert.equal(crossEncoderCorrelation(scores, [5, 4, 0]).spearman, 1);
 * ```
 */
export function crossEncoderCorrelation(scores: Scores, gold: Values): CorrelationMetrics {
  matches(scores, gold);
  if (scores.width !== 1) {
    throw new EvaluationError("a correlation needs scores, and this model gives classes", {
      expected: "1 label",
      found: `${scores.width}`,
    });
  }
  if (gold.length < 2 || Array.from(gold).every((value) => value === gold[0])) {
    throw new EvaluationError("a correlation needs at least two different gold scores", {
      found: gold.length < 2 ? counted(gold.length, "pair") : `${counted(gold.length, "pair")}, all graded ${gold[0]}`,
    });
  }
  return { pearson: pearson(gold, scores.data) || 0, spearman: spearman(gold, scores.data) || 0 };
}

/** Scores of a classifier of pairs by key. */
export type ClassificationMetrics = { readonly [key: string]: number };

/**
 * How well a cross-encoder classifies: sentence-transformers' `CrossEncoderClassificationEvaluator`. One label: best
 * `accuracy` and best `f1` over all thresholds (with `accuracy_threshold`, `f1_threshold`, `precision`, `recall`) and
 * `average_precision`, labels 0 and 1. Several: the class of the highest score, `f1_macro`, `f1_micro`, `f1_weighted`
 * and, beside what is there, `accuracy`.
 *
 * @param scores From `predict`.
 * @param labels [n] classes.
 * @returns Scores by key.
 * @throws {EvaluationError} Another number of labels, a label that is not one of the classes, or with one label pairs of
 *   one class alone.
 *
 * @example
 * ```ts
 * import { crossEncoderClassification } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const scores = { data: Float32Array.of(0.9, 0.8, 0.3, 0.1), width: 1, rows: 4 };
 * assert.equal(crossEncoderClassification(scores, [1, 1, 0, 0])["average_precision"], 1);
 * ```
 */
export function crossEncoderClassification(scores: Scores, labels: Values): ClassificationMetrics {
  matches(scores, labels);
  const most = Math.max(1, scores.width - 1);
  const bad = Array.from(labels).findIndex((label) => !(Number.isInteger(label) && label >= 0 && label <= most));
  if (bad >= 0) {
    throw new EvaluationError("a label is not one of the classes", {
      where: `row ${bad}`,
      expected: `a class from 0 to ${most}`,
      found: `${labels[bad]}`,
    });
  }
  if (scores.width > 1) {
    const predictions = argmaxRows(scores.data, scores.width);
    return {
      accuracy: accuracy(labels, predictions),
      f1_macro: f1Score(labels, predictions, "macro"),
      f1_micro: f1Score(labels, predictions, "micro"),
      f1_weighted: f1Score(labels, predictions, "weighted"),
    };
  }
  const positives = Array.from(labels).filter((label) => label === 1).length;
  if (positives === 0 || positives === labels.length) {
    throw new EvaluationError("pairs of both classes are needed", {
      expected: "labels 0 and 1",
      found: `${positives} of ${counted(labels.length, "label")} are 1`,
    });
  }
  const { ap, mcc: _, ...rest } = scoresOf(scores.data, labels);
  return { ...rest, average_precision: ap };
}

/** A query with what answers it and what does not. */
export interface RerankingSample {
  /** The query. */
  readonly query: string;
  /** Documents that answer it. */
  readonly positive: readonly string[];
  /** Documents that do not. */
  readonly negative?: readonly string[];
  /** Instead of `negative`: what a first search found, in its order. */
  readonly documents?: readonly string[];
}

/** Options of {@linkcode crossEncoderReranking}. */
export interface RerankingOptions {
  /** Depth of MRR and NDCG. Default 10. */
  readonly atK?: number;
  /** Where `documents` are given: also rank positives that the first search did not find. Default true. */
  readonly alwaysRerankPositives?: boolean;
}

/** `map`, `mrr@k`, `ndcg@k`, and of the first search `base_map`, `base_mrr@k`, `base_ndcg@k`. */
export type RerankingMetrics = { readonly [key: string]: number };

/**
 * How well a cross-encoder ranks the documents of each query: sentence-transformers' `CrossEncoderRerankingEvaluator`.
 * Means over all queries, of which one without a positive counts as 0. All pairs are scored together.
 *
 * @param samples Queries with their positives, and negatives or what a search found.
 * @param score One number for each pair: a {@linkcode pairScorer}.
 * @param options How deep to look.
 * @returns `map`, `mrr@k`, `ndcg@k`, and those of the search before it where there was one.
 * @throws {EvaluationError} There are no queries, one with neither negatives nor documents, or another number of
 *   scores than of pairs.
 * @throws {UsageError} `atK` is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { crossEncoderReranking } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const samples = [{ query: "pandas", positive: ["bears of China"], negative: ["a kind of fish in the sea"] }];
 * const byLength = (pairs: readonly (readonly [string, string])[]) =>
 *   Promise.resolve(Float32Array.from(pairs, ([, document]) => -document.length));
 * assert.equal((await crossEncoderReranking(samples, byLength))["mrr@10"], 1);
 * ```
 */
export async function crossEncoderReranking(
  samples: readonly RerankingSample[],
  score: PairScorer,
  options: RerankingOptions = {},
): Promise<RerankingMetrics> {
  const { atK = 10, alwaysRerankPositives = true } = options;
  expectWholeNumber("atK", atK);
  if (samples.length === 0) throw new EvaluationError("there are no queries", { expected: "at least one" });
  const lists = samples.map((sample, i) => listOf(sample, i, alwaysRerankPositives));
  const data = await score(
    lists.flatMap(({ documents }, i) => documents.map((each) => [samples[i]!.query, each] as const)),
  );

  const pairs = lists.reduce((sum, { documents }) => sum + documents.length, 0);
  if (data.length !== pairs) {
    throw new EvaluationError("the scorer did not give one score for each pair", {
      expected: `${pairs}, one a pair`,
      found: `${data.length}`,
    });
  }
  const found: Measures[] = [];
  const base: Measures[] = [];
  let start = 0;
  for (const [i, { relevant, documents }] of lists.entries()) {
    found.push(measure(relevant, data.subarray(start, start + documents.length), atK));
    start += documents.length;
    const before = samples[i]!.documents;
    if (before !== undefined) base.push(measureSearch(samples[i]!.positive, before, atK));
  }
  return { ...means("", found, atK), ...(base.length > 0 && means("base_", base, atK)) };
}

/** Options of {@linkcode listRanking}. */
export interface ListRankingOptions {
  /** Depth of MRR and NDCG. Default 10. */
  readonly atK?: number;
  /** The least label of a document that MAP and MRR count as relevant. Default: half of the highest label of all lists. */
  readonly relevantFrom?: number | undefined;
}

/**
 * How well scores rank the documents of lists with labels, under the keys of sentence-transformers'
 * `CrossEncoderRerankingEvaluator`, and with its values where labels are 0 and 1. The gains of NDCG are the labels
 * themselves, those below 0 gain nothing; a list without a relevant document counts as 0.
 *
 * @param offsets [L + 1] list l has documents offsets[l] … offsets[l + 1] − 1.
 * @param labels [n] how relevant each document is.
 * @param scores [n] what a model says.
 * @param options How deep to look, and which labels are relevant.
 * @returns `map`, `mrr@k`, `ndcg@k`: means over lists.
 * @throws {EvaluationError} There are no lists, the numbers of labels and scores differ, or lists do not hold them all.
 * @throws {UsageError} `atK` is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { listRanking } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * // Two lists. In the first the document with label 2 stands first, in the second the relevant one is the last of two.
 * const metrics = listRanking([0, 3, 5], [0, 2, 1, 1, 0], [0.1, 0.9, 0.5, 0.3, 0.8]);
 * assert.equal(metrics["mrr@10"], (1 + 1 / 2) / 2);
 * ```
 */
export function listRanking(
  offsets: Values,
  labels: Values,
  scores: Values,
  options: ListRankingOptions = {},
): RerankingMetrics {
  if (offsets.length < 2) throw new EvaluationError("there are no lists", { expected: "at least one" });
  matches({ data: Float32Array.from(scores), width: 1, rows: scores.length }, labels);
  const covers = offsets[0] === 0 && offsets[offsets.length - 1] === labels.length;
  if (!covers || Array.from(offsets).some((offset, list) => list > 0 && !(offset >= offsets[list - 1]!))) {
    throw new EvaluationError("the lists do not hold the documents", {
      expected: `offsets from 0 to ${labels.length}, ascending`,
      found: Array.from(offsets).join(", "),
    });
  }
  let highest = 0;
  for (let i = 0; i < labels.length; i++) highest = Math.max(highest, labels[i]!);
  const { atK = 10, relevantFrom = highest / 2 } = options;
  expectWholeNumber("atK", atK);
  const found: Measures[] = [];
  for (let list = 0; list + 1 < offsets.length; list++) {
    const own = Array.from({ length: offsets[list + 1]! - offsets[list]! }, (_, i) => offsets[list]! + i);
    const isRelevant = (place: number) => labels[place]! >= relevantFrom && labels[place]! > 0;
    // Of equal scores the last goes first: the relevant ones stand in front, so that knowing nothing is not rewarded.
    const places = [...own.filter(isRelevant), ...own.filter((place) => !isRelevant(place))];
    const values = places.map((place) => scores[place]!);
    const measures = measure(places.map((place) => Number(isRelevant(place))), values, atK);
    const gains = places.map((place) => Math.max(labels[place]!, 0));
    found.push({ ...measures, ndcg: ndcgOfScores(gains, values, { k: atK }) });
  }
  return means("", found, atK);
}

interface Measures {
  readonly map: number;
  readonly mrr: number;
  readonly ndcg: number;
}

function listOf(
  { positive, negative, documents }: RerankingSample,
  i: number,
  alwaysRerankPositives: boolean,
): { readonly documents: readonly string[]; readonly relevant: readonly number[] } {
  if ((negative === undefined) === (documents === undefined)) {
    throw new EvaluationError("a query needs either negatives or the documents that a search found", {
      where: `query ${i}`,
      expected: "one of negative and documents",
      found: negative === undefined ? "none of them" : "both",
    });
  }
  if (documents !== undefined && !alwaysRerankPositives) {
    return { documents, relevant: documents.map((document) => Number(positive.includes(document))) };
  }
  const rest = negative ?? documents!.filter((document) => !positive.includes(document));
  return { documents: [...positive, ...rest], relevant: [...positive.map(() => 1), ...rest.map(() => 0)] };
}

/** Positives stand first: of equal scores the last goes first, so that a model that knows nothing is not rewarded. */
function measure(relevant: readonly number[], scores: Values, k: number): Measures {
  return {
    map: averagePrecisionOr0(relevant, scores),
    mrr: reciprocalRankAt(ranked(relevant, rankByScore(scores, { ties: "last" })), k),
    ndcg: ndcgOfScores(relevant, scores, { k }),
  };
}

function averagePrecisionOr0(relevant: readonly number[], scores: Values): number {
  return relevant.length === 0 ? 0 : averagePrecision(relevant, scores);
}

/** The first search's own order; positives that it missed stand at its end, as in sentence-transformers. */
function measureSearch(positive: readonly string[], documents: readonly string[], k: number): Measures {
  const relevant = documents.map((document) => Number(positive.includes(document)));
  const hits = relevant.reduce((sum, each) => sum + each, 0);
  if (hits === 0) return { map: 0, mrr: 0, ndcg: 0 };
  for (let missed = hits; missed < positive.length; missed++) relevant.push(1);
  return measure(relevant, relevant.map((_, rank) => relevant.length - rank), k);
}

function means(prefix: string, measures: readonly Measures[], k: number): RerankingMetrics {
  const mean = (key: keyof Measures) => measures.reduce((sum, each) => sum + each[key], 0) / measures.length;
  return { [`${prefix}map`]: mean("map"), [`${prefix}mrr@${k}`]: mean("mrr"), [`${prefix}ndcg@${k}`]: mean("ndcg") };
}

function matches(scores: Scores, gold: Values): void {
  if (scores.rows !== gold.length) {
    throw new EvaluationError("scores and labels do not match", {
      expected: counted(scores.rows, "label"),
      found: `${gold.length}`,
    });
  }
  expectFinite("labels", gold);
  const wrong = scores.data.findIndex(Number.isNaN);
  if (wrong >= 0) {
    throw new EvaluationError("a score is not a number", {
      where: `row ${Math.floor(wrong / scores.width)}`,
      found: "NaN",
    });
  }
}
