/**
 * The sample that ships inside: scenes of two domains with true labels, generated from a seed. The first is everyday
 * life; the second, the target of domain adaptation, is computing, which shares with it the grammar, the numbers and a
 * few verbs.
 *
 * The scale of the graded pairs, in agreement with the labels of the training pairs:
 *
 * | score | relation | label |
 * | --- | --- | --- |
 * | 5 | the same scene in other words | entailment |
 * | 4 | the second leaves out a detail, or says it in more general words | entailment |
 * | 3 | the second adds a detail | neutral |
 * | 1 | close in words, but they exclude each other | contradiction |
 * | 0 | nothing to do with each other | neutral |
 *
 * @module
 */
import type { Dataset, LabelledPairs, RankedDocuments, ScoredPairs } from "../dataset.ts";
import { COMPUTING } from "./computing.ts";
import { EVERYDAY } from "./everyday.ts";
import { gradedLists, gradedPairs, labelledPairs, sampleStream, sentence, wordsOf } from "./generate.ts";

/** Options of the generators. */
export interface SampleOptions {
  /** Another seed, another sample. Default 1. */
  readonly seed?: number;
  /** Number of rows. */
  readonly rows?: number;
}

/**
 * NLI pairs of a small made-up language of everyday life, with true labels: 0 entailment, 1 neutral, 2 contradiction;
 * all distinct.
 *
 * @param options How many rows, and the seed. Default 20,000.
 * @returns Premise, hypothesis, label.
 *
 * @example
 * ```ts
 * import { sampleNli } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const { columns, rows } = sampleNli({ rows: 300 });
 * assert.equal(rows, 300);
 * assert.deepEqual([...new Set(columns.label)].sort(), [0, 1, 2]);
 * ```
 */
export function sampleNli(options: SampleOptions = {}): Dataset<LabelledPairs> {
  const { seed = 1, rows = 20_000 } = options;
  return labelledPairs(EVERYDAY, sampleStream(seed, 0), rows);
}

/**
 * Graded pairs whose sentences occur in no pair of `sampleNli` and no text of `sampleTexts` (of the default seeds).
 * Default 1,500.
 *
 * @param options How many rows, and the seed.
 * @returns sentence1, sentence2, score from 0 to 5.
 */
export function sampleSts(options: SampleOptions = {}): Dataset<ScoredPairs> {
  const { seed = 1, rows = 1500 } = options;
  return gradedPairs(EVERYDAY, sampleStream(seed, 1), rows);
}

/**
 * Graded pairs of the training side, as the gold pairs of Augmented SBERT are: graded as those of {@linkcode sampleSts}, whose
 * sentences are not among them, but from 0 to 1. Default 20,000.
 *
 * @param options How many rows, and the seed.
 * @returns sentence1, sentence2, score from 0 to 1.
 *
 * @example
 * ```ts
 * import { sampleGraded } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const { columns } = sampleGraded({ rows: 6 });
 * assert.deepEqual([...columns.score], [1, 0.8, 0.6, 0.2, 0.2, 0]);
 * ```
 */
export function sampleGraded(options: SampleOptions = {}): Dataset<ScoredPairs> {
  const { seed = 1, rows = 20_000 } = options;
  const { columns } = gradedPairs(EVERYDAY, sampleStream(seed, 12), rows, false);
  return { columns: { ...columns, score: columns.score.map((grade) => grade / 5) }, rows };
}

/**
 * Lists of sentences by how near they are to another one, from 5 to 0 as the graded pairs are: three to six in a list, in
 * any order; no sentence is that of two lists. Default 1,200.
 *
 * @param options How many lists, and the seed.
 * @returns list, query, document, relevance.
 *
 * @example
 * ```ts
 * import { sampleLists } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const { columns } = sampleLists({ rows: 3 });
 * assert.deepEqual([...new Set(columns.list)], [0, 1, 2]);
 * assert.ok(Math.max(...columns.relevance) === 5);
 * ```
 */
export function sampleLists(options: SampleOptions = {}): Dataset<RankedDocuments> {
  const { seed = 1, rows = 1200 } = options;
  return gradedLists(EVERYDAY, sampleStream(seed, 11), rows);
}

/**
 * Plain sentences of the training side, for language modelling. Default 40,000.
 *
 * @param options How many rows, and the seed.
 * @returns The sentences.
 */
export function sampleTexts(options: SampleOptions = {}): readonly string[] {
  const { seed = 1, rows = 40_000 } = options;
  const random = sampleStream(seed, 2);
  return Array.from({ length: rows }, () => sentence(EVERYDAY, random));
}

/**
 * NLI pairs as {@linkcode sampleNli}, of another domain: that to which a model is adapted.
 *
 * @param options How many rows, and the seed. Default 20,000.
 * @returns Premise, hypothesis, label.
 */
export function sampleTargetNli(options: SampleOptions = {}): Dataset<LabelledPairs> {
  const { seed = 1, rows = 20_000 } = options;
  return labelledPairs(COMPUTING, sampleStream(seed, 8), rows);
}

/**
 * Graded pairs of the target domain, on the same scale; their sentences occur in no pair of `sampleTargetNli` and no
 * text of `sampleTargetTexts`, of any seeds. Default 1,500.
 *
 * @param options How many rows, and the seed.
 * @returns sentence1, sentence2, score from 0 to 5.
 */
export function sampleTargetSts(options: SampleOptions = {}): Dataset<ScoredPairs> {
  const { seed = 1, rows = 1500 } = options;
  return gradedPairs(COMPUTING, sampleStream(seed, 9), rows);
}

/**
 * Plain sentences of the target domain, all distinct, nothing known about them. Default 20,000.
 *
 * @param options How many rows, and the seed.
 * @returns The sentences.
 */
export function sampleTargetTexts(options: SampleOptions = {}): readonly string[] {
  const { seed = 1, rows = 20_000 } = options;
  const random = sampleStream(seed, 10);
  const texts = new Set<string>();
  while (texts.size < rows) texts.add(sentence(COMPUTING, random));
  return [...texts];
}

/**
 * The WordPiece vocabulary of the sample, and of its base model: letters, endings, and the words of the first domain.
 * Those of the target are pieced together, as a real base model pieces words that it does not know.
 */
export function sampleVocabulary(): readonly string[] {
  const letters = [..."abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"];
  const common = "the a is are never by not of and in on at to with".split(" ");
  const words = (of: Iterable<string>) => [...of].filter((word) => word.length > 1).sort();
  return [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    ...letters,
    ...letters.map((letter) => `##${letter}`),
    "##s",
    "##es",
    "##ies",
    "##ves",
    ...words([...wordsOf(EVERYDAY), ...common]),
  ].filter((token, i, all) => all.indexOf(token) === i);
}

export { sampleBaseModel, type SampleModelOptions, samplePairModel } from "./models.ts";
export { ATTITUDES, sampleAttitudes, type SampleAttitudesOptions } from "./attitudes.ts";
export { sampleNextSentences, samplePassages, sampleStories, type SampleStoriesOptions } from "./stories.ts";
