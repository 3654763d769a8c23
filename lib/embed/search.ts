/**
 * Search by meaning: the nearest texts of a corpus to a query, and the closest pairs within a corpus; found by embeddings,
 * judged again by a scorer of pairs where there is one, and what each way costs.
 *
 * A bi-encoder embeds every text once: n inferences. A cross-encoder judges pairs: n(n − 1)/2 inferences for all of them,
 * which is why it gets to see only those that the embeddings propose.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
import type { NearestSimilarity } from "./blocks.ts";
import { closestPairs } from "./closest_pairs.ts";
import { nearest } from "./nearest.ts";
import type { Embeddings } from "./pairwise.ts";
import type { QuantizedEmbeddings } from "./quantize.ts";
import { nearestQuantized, type QuantizedSearchOptions } from "./quantized_search.ts";

/** One number for each pair of texts, the higher the more alike: a cross-encoder's predictions. */
export type PairScorer = (pairs: readonly (readonly [string, string])[]) => Promise<Float32Array>;

/** Texts and their embeddings, row by row. */
export interface EmbeddedTexts {
  /** The texts. */
  readonly texts: readonly string[];
  /** Theirs. */
  readonly embeddings: Embeddings;
}

/** Texts and their embeddings in some precision, row by row. */
export interface QuantizedTexts {
  /** The texts. */
  readonly texts: readonly string[];
  /** Theirs. */
  readonly embeddings: QuantizedEmbeddings;
}

/** Options of {@linkcode searchCorpus} and {@linkcode similarPairs}. */
export interface SearchOptions {
  /** Hits of a query, or pairs in all; as many as there are, if those are fewer. Default 10. */
  readonly k?: number;
  /** Default cosine. */
  readonly similarity?: NearestSimilarity;
  /** Judges what was found again, and orders it anew. */
  readonly rerank?: PairScorer | undefined;
}

/** Options of {@linkcode searchCorpus} for corpora in some precision. */
export type CorpusSearchOptions = SearchOptions & Pick<QuantizedSearchOptions, "rescoreMultiplier" | "rescoreWith">;

/** Work done. */
export interface Effort {
  /** Forward passes of single texts, or of pairs. */
  readonly inferences: number;
  /** Wall time. */
  readonly seconds: number;
}

/** A text of the corpus that was found. */
export interface Hit {
  /** Its row. */
  readonly row: number;
  /** Similarity of the embeddings. */
  readonly similarity: number;
  /** What the scorer says, if there was one: hits are then ordered by it. */
  readonly score?: number;
}

/** Two texts of the corpus that were found. */
export interface SimilarPair {
  /** The lower row. */
  readonly first: number;
  /** The higher row. */
  readonly second: number;
  /** Similarity of the embeddings. */
  readonly similarity: number;
  /** What the scorer says, if there was one: pairs are then ordered by it. */
  readonly score?: number;
}

/** What was found, and what it took. */
export interface Found<A> {
  /** Best first. */
  readonly found: readonly A[];
  /** Comparing embeddings: no inferences. */
  readonly comparing: Effort;
  /** Judging again: one inference a pair. */
  readonly reranking: Effort;
}

/**
 * The k most similar texts of a corpus to each query, best first; of equal ones the lower row first.
 *
 * @param engine Compares embeddings.
 * @param queries n texts and their embeddings.
 * @param corpus m texts and their embeddings, by the same model; these may be quantised, see `nearestQuantized`.
 * @param options How many, by which similarity, among how many candidates, and who judges the hits again.
 * @returns The hits of each query, and what it took.
 * @throws {EvaluationError} There are no queries or no corpus, embeddings for other texts, or a scorer that does not
 *   give every pair a finite number.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { searchCorpus } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const corpus = { texts: ["east", "north"], embeddings: { data: Float32Array.of(1, 0, 0, 1), width: 2, rows: 2 } };
 * const queries = { texts: ["up"], embeddings: { data: Float32Array.of(0, 5), width: 2, rows: 1 } };
 * const { found } = await searchCorpus(engine, queries, corpus, { k: 1 });
 * assert.deepEqual(found, [[{ row: 1, similarity: 1 }]]);
 * engine.close();
 * ```
 */
export async function searchCorpus(
  engine: Engine,
  queries: EmbeddedTexts,
  corpus: EmbeddedTexts | QuantizedTexts,
  options: CorpusSearchOptions = {},
): Promise<Found<readonly Hit[]>> {
  const { k = 10, similarity = "cosine", rerank, rescoreMultiplier = 4, rescoreWith } = options;
  expectTexts(corpus, "the corpus");
  expectTexts(queries, "the queries");
  const started = performance.now();
  const neighbors = "precision" in corpus.embeddings
    ? await nearestQuantized(engine, queries.embeddings, corpus.embeddings, {
      k,
      similarity,
      rescoreMultiplier,
      rescoreWith,
    })
    : await nearest(engine, queries.embeddings, corpus.embeddings, { k, similarity });
  const found = queries.texts.map((_, q): readonly Hit[] =>
    Array.from({ length: neighbors.counts[q]! }, (_, i) => {
      const at = q * neighbors.k + i;
      return { row: neighbors.indices[at]!, similarity: neighbors.scores[at]! };
    })
  );
  const comparing = { inferences: 0, seconds: since(started) };
  if (rerank === undefined) return { found, comparing, reranking: NOTHING };
  const pairs = found.flatMap((hits, q) => hits.map(({ row }) => [queries.texts[q]!, corpus.texts[row]!] as const));
  const { scores, effort } = await judge(rerank, pairs);
  let next = 0;
  const judged = found.map((hits) => reordered(hits.map((hit) => ({ ...hit, score: scores[next++]! }))));
  return { found: judged, comparing, reranking: effort };
}

/**
 * The k most similar pairs of texts within a corpus, best first.
 *
 * Equal texts are pairs too, and the most similar of all: take them out first, with {@linkcode firstOccurrences}.
 *
 * @param engine Compares embeddings.
 * @param corpus m ≥ 2 texts and their embeddings.
 * @param options How many, by which similarity, and who judges the pairs again.
 * @returns The pairs, and what it took.
 * @throws {EvaluationError} There are fewer than two texts, embeddings for other texts, or a scorer that does not give
 *   every pair a finite number.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { similarPairs } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const texts = ["east", "north", "north by east"];
 * const embeddings = { data: Float32Array.of(1, 0, 0, 1, 1, 9), width: 2, rows: 3 };
 * const { found } = await similarPairs(engine, { texts, embeddings }, { k: 1 });
 * assert.deepEqual([found[0]!.first, found[0]!.second], [1, 2]);
 * engine.close();
 * ```
 */
export async function similarPairs(
  engine: Engine,
  corpus: EmbeddedTexts,
  options: SearchOptions = {},
): Promise<Found<SimilarPair>> {
  const { k = 10, similarity = "cosine", rerank } = options;
  const { texts } = corpus;
  expectTexts(corpus, "the corpus");
  if (texts.length < 2) {
    throw new EvaluationError("a single text makes no pair", { expected: "two texts or more", found: "1" });
  }
  const started = performance.now();
  const { first, second, scores: similarities } = await closestPairs(engine, corpus.embeddings, {
    pairs: k,
    similarity,
  });
  const found = Array.from(first, (row, i) => ({ first: row, second: second[i]!, similarity: similarities[i]! }));
  const comparing = { inferences: 0, seconds: since(started) };
  if (rerank === undefined) return { found, comparing, reranking: NOTHING };
  const { scores, effort } = await judge(rerank, found.map((pair) => [texts[pair.first]!, texts[pair.second]!]));
  return { found: reordered(found.map((pair, i) => ({ ...pair, score: scores[i]! }))), comparing, reranking: effort };
}

const NOTHING: Effort = { inferences: 0, seconds: 0 };

const since = (started: number): number => (performance.now() - started) / 1000;

async function judge(
  rerank: PairScorer,
  pairs: readonly (readonly [string, string])[],
): Promise<{ readonly scores: Float32Array; readonly effort: Effort }> {
  const started = performance.now();
  const scores = pairs.length === 0 ? new Float32Array(0) : await rerank(pairs);
  if (scores.length !== pairs.length || !scores.every(Number.isFinite)) {
    throw new EvaluationError("the scorer does not give every pair a finite number", {
      expected: `${pairs.length} finite scores`,
      found: `${scores.filter(Number.isFinite).length} of ${scores.length}`,
      hint: "a cross-encoder with one output gives one score a pair",
    });
  }
  return { scores, effort: { inferences: pairs.length, seconds: since(started) } };
}

/** By score; equal ones stay in the order of their similarity. */
function reordered<A extends { readonly score: number }>(found: readonly A[]): readonly A[] {
  return [...found].sort((a, b) => b.score - a.score);
}

function expectTexts({ texts, embeddings }: EmbeddedTexts | QuantizedTexts, what: string): void {
  if (texts.length === 0) throw new EvaluationError(`${what}: there are no texts`, { expected: "one text or more" });
  if (texts.length !== embeddings.rows) {
    throw new EvaluationError(`${what}: every text needs an embedding`, {
      expected: `${texts.length}`,
      found: `${embeddings.rows}`,
    });
  }
}

/**
 * The first row of every distinct text.
 *
 * @param texts Texts, repeated or not.
 * @returns Their rows, ascending.
 *
 * @example
 * ```ts
 * import { firstOccurrences } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * assert.deepEqual(firstOccurrences(["a", "b", "a", "c"]), Int32Array.of(0, 1, 3));
 * ```
 */
export function firstOccurrences(texts: readonly string[]): Int32Array {
  const rows = new Map<string, number>();
  texts.forEach((text, row) => rows.has(text) || rows.set(text, row));
  return Int32Array.from(rows.values());
}

/** What finding the closest of n texts takes by either way. */
export interface SearchCost {
  /** n */
  readonly texts: number;
  /** n(n − 1)/2, the inferences of a cross-encoder that judges all pairs. */
  readonly pairs: number;
  /** n embeddings and their comparison, measured. */
  readonly biEncoder: Effort;
  /** What the cross-encoder did, measured. */
  readonly crossEncoder: Effort;
  /** All n(n − 1)/2 pairs at the measured speed, extrapolated; undefined without a measurement. */
  readonly allPairs: Effort | undefined;
}

/**
 * Sets the two ways of finding the closest of n texts side by side: embedding each once, or having a cross-encoder
 * judge all pairs.
 *
 * @param texts n
 * @param embedding The work of embedding the n texts.
 * @param found What the search measured.
 * @returns Inferences and seconds of either way.
 *
 * @example
 * ```ts
 * import { searchCost } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const cost = searchCost(1000, { inferences: 1000, seconds: 2 }, {
 *   comparing: { inferences: 0, seconds: 0.5 },
 *   reranking: { inferences: 100, seconds: 1 },
 * });
 * assert.deepEqual(cost.biEncoder, { inferences: 1000, seconds: 2.5 });
 * assert.deepEqual(cost.allPairs, { inferences: 499_500, seconds: 4995 });
 * ```
 */
export function searchCost(
  texts: number,
  embedding: Effort,
  found: Pick<Found<unknown>, "comparing" | "reranking">,
): SearchCost {
  const { comparing, reranking } = found;
  const pairs = texts * (texts - 1) / 2;
  return {
    texts,
    pairs,
    biEncoder: { inferences: embedding.inferences, seconds: embedding.seconds + comparing.seconds },
    crossEncoder: reranking,
    allPairs: reranking.inferences === 0
      ? undefined
      : { inferences: pairs, seconds: pairs * reranking.seconds / reranking.inferences },
  };
}
