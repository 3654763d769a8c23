/**
 * Where the unlabelled pairs of Augmented SBERT come from (Thakur et al. 2021, https://arxiv.org/abs/2010.08240, §3.1):
 * the gold sentences put together anew, at random or by lexical or semantic nearness.
 *
 * No source gives a gold pair, a sentence with itself, or a pair twice, in whichever order the two stand. The scripts of
 * sentence-transformers mean to leave these out as well, but the one with semantic search compares by the identity of
 * tensors, so that nothing is ever found to be a repetition, and the one with BM25 knows only one of the two orders of
 * the silver pairs.
 *
 * @module
 */
import type { Dataset } from "../data/dataset.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import type { Engine } from "../engine/engine.ts";
import { DatasetError, UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { nearest } from "../embed/nearest.ts";
import { turnTaker } from "../numeric/turn.ts";
import { type Bm25Options, buildBm25 } from "./bm25.ts";
import { collectPairs, indexSentences, type PairSample, type SentencePairs } from "./pairs.ts";

/**
 * The names of the sources: pairs that are given, a random recombination of the gold sentences, their nearest by BM25 or
 * by embeddings, or by both. What the paper calls KDE is `recombine`, labelled, and then sampled by its scores
 * ({@linkcode sampleByDensity}) or classes ({@linkcode sampleByClass}).
 */
export type PairSource = "given" | "recombine" | "bm25" | "semantic" | "bm25+semantic";

/**
 * Random pairs of gold sentences. Most of them have nothing to do with each other, which is what random pairs are.
 *
 * @param gold Pairs of sentences.
 * @param options The seed, and how many new pairs there shall be for each gold one: default 10, or as many as there
 *   are.
 * @returns Pairs that are not gold, each once.
 * @throws {UsageError} `pairsPerGold` is not above 0.
 * @throws {DatasetError} There are fewer than two different sentences.
 *
 * @example
 * ```ts
 * import { recombinePairs } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const gold = { columns: { sentence1: ["a", "c"], sentence2: ["b", "d"] }, rows: 2 };
 * const { dataset } = recombinePairs(gold, { seed: 1 });
 * assert.equal(dataset.rows, 4); // of six pairs of four sentences two are gold
 * ```
 */
export function recombinePairs(
  gold: Dataset<SentencePairs>,
  options: { readonly seed: number; readonly pairsPerGold?: number },
): PairSample {
  const { seed, pairsPerGold = 10 } = options;
  if (!(pairsPerGold > 0)) {
    throw new UsageError("pairsPerGold must be a number above 0", {
      expected: "a number above 0",
      found: String(pairsPerGold),
    });
  }
  const index = indexSentences(gold);
  const n = index.sentences.length;
  expectSentences(n);
  const possible = n * (n - 1) / 2 - index.gold.size;
  const wanted = Math.min(Math.ceil(pairsPerGold * gold.rows), possible);
  const pairs = collectPairs(index, wanted);
  const random = randomStream(seed, randomPurpose("pairs"));
  if (2 * wanted <= possible) {
    while (pairs.size() < wanted) pairs.add(random.int(n), random.int(n));
    return pairs.finish();
  }
  // So many that most draws would repeat one: shuffle all there are.
  const all = new Float64Array(possible);
  let count = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) if (!index.gold.has(i, j)) all[count++] = i * n + j;
  }
  for (let at = 0; at < wanted; at++) {
    const other = at + random.int(possible - at);
    [all[at], all[other]] = [all[other]!, all[at]!];
    const [i, j] = [Math.floor(all[at]! / n), all[at]! % n];
    if (random.int(2) === 0) pairs.add(i, j);
    else pairs.add(j, i);
  }
  return pairs.finish();
}

/** Options of {@linkcode bm25Pairs}. */
export interface Bm25PairOptions extends Bm25Options {
  /** Sentences that are found for each; what is gold or repeated among them is left out. Default 5. */
  readonly topK?: number;
}

/**
 * Each gold sentence with the `topK` others that share most with it by {@linkcode buildBm25}.
 *
 * @param gold Pairs of sentences.
 * @param options How many, and the settings of BM25.
 * @returns Pairs that are not gold, each once.
 * @throws {UsageError} A `topK` that is not a whole number from 1.
 * @throws {DatasetError} There are fewer than two different sentences.
 *
 * @example
 * ```ts
 * import { bm25Pairs } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const sentence1 = ["a man plays the guitar", "the guitar is old"];
 * const sentence2 = ["someone makes music", "a horse is ridden"];
 * const { dataset } = await bm25Pairs({ columns: { sentence1, sentence2 }, rows: 2 }, { topK: 1 });
 * assert.deepEqual([dataset.columns.sentence1[0], dataset.columns.sentence2[0]], [sentence1[0], sentence1[1]]);
 * ```
 */
export async function bm25Pairs(gold: Dataset<SentencePairs>, options: Bm25PairOptions = {}): Promise<PairSample> {
  const { topK = 5 } = options;
  expectWholeNumber("topK", topK);
  const index = indexSentences(gold);
  expectSentences(index.sentences.length);
  const bm25 = buildBm25(index.sentences, options);
  const pairs = collectPairs(index, topK * index.sentences.length);
  const turn = turnTaker();
  for (const [i, sentence] of index.sentences.entries()) {
    for (const j of bm25.search(sentence, topK, i).rows) pairs.add(i, j);
    await turn();
  }
  return pairs.finish();
}

/**
 * Each gold sentence with the `topK` others nearest to it, by the cosine of embeddings, exactly. The embeddings come
 * from a model that knows the task a little: the paper trains one on the gold pairs.
 *
 * @param engine Compares embeddings.
 * @param gold Pairs of sentences.
 * @param encode Embeds sentences: `encodeTexts` with a model, or a function of your own.
 * @param options How many. Default 5.
 * @returns Pairs that are not gold, each once.
 * @throws {UsageError} A `topK` that is not a whole number from 1.
 * @throws {DatasetError} There are fewer than two different sentences, or another number of embeddings.
 */
export async function semanticPairs(
  engine: Engine,
  gold: Dataset<SentencePairs>,
  encode: (sentences: readonly string[]) => Promise<Embeddings>,
  options: { readonly topK?: number } = {},
): Promise<PairSample> {
  const { topK = 5 } = options;
  expectWholeNumber("topK", topK);
  const index = indexSentences(gold);
  expectSentences(index.sentences.length);
  const embeddings = await encode(index.sentences);
  if (embeddings.rows !== index.sentences.length) {
    throw new DatasetError("there is not one embedding for each sentence", {
      expected: String(index.sentences.length),
      found: String(embeddings.rows),
    });
  }
  const found = await nearest(engine, embeddings, embeddings, { k: topK, excludeSelf: true });
  const pairs = collectPairs(index, topK * index.sentences.length);
  for (let i = 0; i < index.sentences.length; i++) {
    for (let at = 0; at < found.counts[i]!; at++) pairs.add(i, found.indices[i * found.k + at]!);
  }
  return pairs.finish();
}

/**
 * The pairs of several samples of the same gold pairs, each once, the first sample first.
 *
 * @param gold The pairs that all samples were drawn from.
 * @param samples What {@linkcode bm25Pairs}, {@linkcode semanticPairs} and {@linkcode recombinePairs} gave.
 * @returns One sample.
 * @throws {DatasetError} A pair that is not made of gold sentences.
 */
export function joinPairs(gold: Dataset<SentencePairs>, samples: readonly PairSample[]): PairSample {
  const index = indexSentences(gold);
  const numbers = new Map(index.sentences.map((text, i) => [text, i]));
  const pairs = collectPairs(index, samples.reduce((sum, { dataset }) => sum + dataset.rows, 0));
  let goldLeftOut = 0;
  for (const { dataset: { columns, rows }, counts } of samples) {
    goldLeftOut += counts.gold;
    for (let row = 0; row < rows; row++) {
      const [i, j] = [numbers.get(columns.sentence1[row]!), numbers.get(columns.sentence2[row]!)];
      if (i === undefined || j === undefined) {
        throw new DatasetError("a pair is not made of gold sentences", {
          where: `row ${row + 1}`,
          found: JSON.stringify([columns.sentence1[row], columns.sentence2[row]]),
        });
      }
      pairs.add(i, j);
    }
  }
  const { dataset, counts } = pairs.finish();
  const repeated = counts.repeated + samples.reduce((sum, sample) => sum + sample.counts.repeated, 0);
  return { dataset, counts: { ...counts, gold: counts.gold + goldLeftOut, repeated } };
}

function expectSentences(count: number): void {
  if (count >= 2) return;
  throw new DatasetError("no pairs can be made", { expected: "at least two different sentences", found: `${count}` });
}
