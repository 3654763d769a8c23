/**
 * Candidates for negatives: for every anchor the nearest texts that are not its positives.
 *
 * @module
 */
import type { Dataset, Pairs } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import { DatasetError, EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { PairScorer } from "../embed/search.ts";
import { addItem, sortBest } from "../embed/best.ts";
import type { RoleEncoder } from "../embed/roles.ts";
import type { NearestSimilarity } from "../embed/blocks.ts";
import { nearest } from "../embed/nearest.ts";

/** Texts of a dataset of pairs, each once, and which of them belong together. */
export interface PairIndex {
  /** The anchors, each once, in the order in which they come. */
  readonly anchors: readonly string[];
  /** The corpus and the positives, each once. */
  readonly documents: readonly string[];
  /** [anchors + 1] The positives of anchor i are `positives[offsets[i]]` … `positives[offsets[i+1] − 1]`. */
  readonly offsets: Int32Array;
  /** Rows of `documents`. A repeated anchor has several. */
  readonly positives: Int32Array;
  /** Most rows that one anchor has, repeated ones included. */
  readonly mostPositives: number;
}

/** For every anchor a list of documents, best first. Candidates, and what remains of them: negatives. */
export interface Candidates extends PairIndex {
  /** [positives] score of each anchor with each of its positives. */
  readonly positiveScores: Float32Array;
  /** [anchors · width] rows of `documents`; −1 where a list is shorter. */
  readonly indices: Int32Array;
  /** [anchors · width] their scores; −∞ where a list is shorter. */
  readonly scores: Float32Array;
  /** [anchors] length of each list. */
  readonly counts: Int32Array;
  /** Longest list that fits. */
  readonly width: number;
}

/** Options of {@linkcode findCandidates}. */
export interface CandidateOptions {
  /** Texts to search in beside the positives. Default: the positives alone. */
  readonly corpus?: readonly string[];
  /** How many candidates an anchor gets, where there are as many. Default 30. */
  readonly count?: number;
  /** Default cosine. */
  readonly similarity?: NearestSimilarity;
  /** Positives stay among the candidates: for rankings to evaluate on. Default false. */
  readonly includePositives?: boolean;
  /** A text may be a candidate of itself. Default false. */
  readonly includeAnchor?: boolean;
  /** Scores the candidates again, with the positives, and puts them in the order of these scores. */
  readonly score?: PairScorer | undefined;
}

/** Pairs that are scored in one call. */
const SCORED_AT_ONCE = 32_768;

/** Takes a dataset of pairs apart: texts once each, positives by anchor. */
export function indexPairs(pairs: Dataset<Pairs>, corpus: readonly string[] = []): PairIndex {
  const { anchor, positive } = pairs.columns;
  if (pairs.rows === 0) {
    throw new DatasetError("there is nothing to find negatives for", { expected: "at least one pair", found: "none" });
  }
  if (anchor.length !== pairs.rows || positive.length !== pairs.rows) {
    throw new DatasetError("every row has an anchor and a positive", {
      expected: `${pairs.rows} of each`,
      found: `${anchor.length} anchors, ${positive.length} positives`,
    });
  }
  const documents = new Map<string, number>();
  for (const texts of [corpus, positive]) {
    for (const text of texts) if (!documents.has(text)) documents.set(text, documents.size);
  }
  const byAnchor = new Map<string, { rows: number; positives: Set<number> }>();
  anchor.forEach((text, row) => {
    let entry = byAnchor.get(text);
    if (entry === undefined) byAnchor.set(text, entry = { rows: 0, positives: new Set() });
    entry.rows++;
    entry.positives.add(documents.get(positive[row]!)!);
  });
  const offsets = new Int32Array(byAnchor.size + 1);
  const positives: number[] = [];
  let mostPositives = 0;
  for (const { rows, positives: own } of byAnchor.values()) {
    for (const document of own) positives.push(document);
    mostPositives = Math.max(mostPositives, rows);
  }
  let i = 0;
  for (const { positives: own } of byAnchor.values()) offsets[i + 1] = offsets[i++]! + own.size;
  return {
    anchors: [...byAnchor.keys()],
    documents: [...documents.keys()],
    offsets,
    positives: Int32Array.from(positives),
    mostPositives,
  };
}

/**
 * The texts nearest to each anchor, without its positives and itself.
 *
 * An anchor that stands in several rows has several positives. Texts are compared letter by letter; each is embedded
 * once. With `score` (a cross-encoder) the candidates of all anchors are scored together, in large batches.
 *
 * @param engine Compares embeddings.
 * @param pairs Anchors and their positives.
 * @param encode Embeds anchors as queries, and texts as documents: a `roleEncoder`, or a function of your own.
 * @param options Where to look, how many to find, and who scores them again.
 * @returns For every anchor its candidates, best first: what {@linkcode selectNegatives}, {@linkcode judgedNegatives}
 *   and {@linkcode exportReview} take.
 * @throws {UsageError} A count that is not a whole number from 1.
 * @throws {DatasetError} There are no pairs, or not a positive for each anchor.
 * @throws {EvaluationError} Embeddings or scores for other texts than were asked for, or that are not finite.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { findCandidates } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const angle: Record<string, number> = { dog: 0, hound: .1, cat: .5, car: 1.5 };
 * const encode = (texts: readonly string[]) => Promise.resolve({
 *   data: Float32Array.from(texts.flatMap((text) => [Math.cos(angle[text]!), Math.sin(angle[text]!)])),
 *   width: 2,
 *   rows: texts.length,
 * });
 * const pairs = { columns: { anchor: ["dog"], positive: ["hound"] }, rows: 1 };
 * const found = await findCandidates(engine, pairs, encode, { corpus: ["car", "dog", "cat"] });
 * assert.deepEqual([...found.indices.subarray(0, 2)].map((row) => found.documents[row]), ["cat", "car"]);
 * engine.close();
 * ```
 */
export async function findCandidates(
  engine: Engine,
  pairs: Dataset<Pairs>,
  encode: RoleEncoder,
  options: CandidateOptions = {},
): Promise<Candidates> {
  const { count = 30, similarity = "cosine", includePositives = false, includeAnchor = false } = options;
  expectWholeNumber("count", count);
  const index = indexPairs(pairs, options.corpus);
  const { anchors, documents, offsets, positives, mostPositives } = index;
  const rowOf = new Map(documents.map((text, row) => [text, row]));
  const selves = Int32Array.from(anchors, (text) => includeAnchor ? -1 : rowOf.get(text) ?? -1);
  const embedded = {
    documents: checkRows(await encode(documents, "document"), documents.length),
    anchors: checkRows(await encode(anchors, "query"), anchors.length),
  };
  const isPresent = selves.some((row) => row >= 0);
  const { indices, scores, counts, k: width } = await nearest(engine, embedded.anchors, embedded.documents, {
    k: count + mostPositives + +isPresent,
    similarity,
  });

  const positiveScores = new Float32Array(positives.length);
  const seenBy = new Int32Array(documents.length).fill(-1); // the last anchor that does not want this document
  for (let i = 0; i < anchors.length; i++) {
    if (selves[i]! >= 0 && !includePositives) seenBy[selves[i]!] = i;
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) {
      positiveScores[p] = similarityOf(embedded.anchors, i, embedded.documents, positives[p]!, similarity);
      if (!includePositives) seenBy[positives[p]!] = i;
    }
    const base = i * width;
    let kept = 0;
    for (let c = base; c < base + counts[i]!; c++) {
      if (seenBy[indices[c]!] === i) continue;
      indices[base + kept] = indices[c]!;
      scores[base + kept++] = scores[c]!;
    }
    indices.fill(-1, base + kept, base + width);
    scores.fill(-Infinity, base + kept, base + width);
    counts[i] = kept;
  }
  const candidates = { ...index, positiveScores, indices, scores, counts, width };
  return options.score === undefined ? candidates : await scoreAgain(candidates, options.score);
}

/**
 * The same candidates under other scores, and in their order; of equal scores the lower document first.
 *
 * @param candidates From {@linkcode findCandidates}, or negatives that nobody has scored yet.
 * @param score One number for each pair of anchor and document; a `pairScorer`.
 * @returns The candidates, with scores for their positives as well.
 * @throws {EvaluationError} Another number of scores than of pairs, or one that is not finite.
 *
 * @example
 * ```ts
 * import { scoreAgain, selectNegatives, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(
 *   pairs,
 *   (requests) => Promise.resolve(requests.map((_, i) => ({ text: ["boiling", "cold"][i]!, finish: "stop" }))),
 *   { negatives: 2 },
 * );
 * // A scorer that finds "boiling" to be an answer as well: above ½ it is no negative.
 * const scored = await scoreAgain(negatives, (asked) =>
 *   Promise.resolve(Float32Array.from(asked, ([, document]) => document === "cold" ? 0.1 : 0.9)));
 * const { negatives: kept } = selectNegatives(scored, { negatives: 1, maxScore: 0.5 });
 * assert.equal(kept.documents[kept.indices[0]!], "cold");
 * ```
 */
export async function scoreAgain(candidates: Candidates, score: PairScorer): Promise<Candidates> {
  const { anchors, documents, offsets, positives, counts, width } = candidates;
  const total = positives.length + counts.reduce((sum, count) => sum + count, 0);
  const values = await scoreAll(total, positivesThenCandidates(), score);

  const indices = new Int32Array(anchors.length * width).fill(-1);
  const scores = new Float32Array(anchors.length * width).fill(-Infinity);
  for (let i = 0, at = positives.length; i < anchors.length; i++) {
    const base = i * width;
    for (let c = 0; c < counts[i]!; c++) {
      addItem(scores, indices, base, c, values[at++]!, candidates.indices[base + c]!);
    }
    sortBest(scores, indices, base, counts[i]!);
  }
  return { ...candidates, positiveScores: values.slice(0, positives.length), indices, scores };

  function* positivesThenCandidates(): Generator<readonly [string, string]> {
    for (let i = 0; i < anchors.length; i++) {
      for (let p = offsets[i]!; p < offsets[i + 1]!; p++) yield [anchors[i]!, documents[positives[p]!]!];
    }
    for (let i = 0; i < anchors.length; i++) {
      for (let c = 0; c < counts[i]!; c++) yield [anchors[i]!, documents[candidates.indices[i * width + c]!]!];
    }
  }
}

async function scoreAll(
  total: number,
  pairs: Iterable<readonly [string, string]>,
  score: PairScorer,
): Promise<Float32Array> {
  const values = new Float32Array(total);
  let done = 0;
  let batch: (readonly [string, string])[] = [];
  for (const pair of pairs) {
    batch.push(pair);
    if (batch.length < SCORED_AT_ONCE && done + batch.length < total) continue;
    const found = await score(batch);
    if (found.length !== batch.length) {
      throw new EvaluationError("the scorer did not give one score for each pair", {
        expected: `${batch.length}, one a pair`,
        found: `${found.length}`,
      });
    }
    const bad = found.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new EvaluationError("a score is not finite", {
        found: `${found[bad]}`,
        where: batch[bad]!.map((text) => JSON.stringify(text.slice(0, 80))).join(" and "),
      });
    }
    values.set(found, done);
    done += batch.length;
    batch = [];
  }
  return values;
}

function checkRows(embeddings: Embeddings, rows: number): Embeddings {
  if (embeddings.rows === rows) return embeddings;
  throw new EvaluationError("there is not one embedding for each text", {
    expected: `${rows}`,
    found: `${embeddings.rows}`,
  });
}

/** Row i of a with row j of b, in float64. */
function similarityOf(a: Embeddings, i: number, b: Embeddings, j: number, similarity: NearestSimilarity): number {
  const { width } = a;
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let f = 0; f < width; f++) {
    const x = a.data[i * width + f]!;
    const y = b.data[j * width + f]!;
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return similarity === "dot" ? dot : aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}
