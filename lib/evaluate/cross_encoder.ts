/**
 * Predictions of a cross-encoder: sorted by length, packed by a budget of tokens, returned in the order they came.
 *
 * @module
 */
import { type Engine, scopeAsync } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
import { type CrossEncoder, score } from "../model/cross_encoder.ts";
import { type PromptChoice, promptOf } from "../model/prompts.ts";
import { uploadBatch } from "../model/batch.ts";
import { inference } from "../tensor/tape.ts";
import type { PackedColumn } from "../text/packed.ts";
import { packPairs, pairLength, tokenizeBare } from "../text/pairs.ts";
import { rankByScore } from "./ranking.ts";
import type { PairScorer } from "../embed/search.ts";

/** What a cross-encoder says of n pairs, row-major. */
export interface Scores {
  /** [n · width] */
  readonly data: Float32Array;
  /** Labels of the model: 1 for a score, else classes. */
  readonly width: number;
  /** Number of pairs. */
  readonly rows: number;
}

/** Options of {@linkcode scorePairs} and {@linkcode predict}. */
export interface PredictOptions {
  /** What is done to logits: default, the model's own activation; `softmax` over classes comes after that. */
  readonly activation?: CrossEncoder["activation"] | undefined;
  /** Probabilities of classes instead of their logits. Default false. */
  readonly softmax?: boolean;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number;
}

/**
 * Scores pairs of bare texts (`tokenizeBare`): text `first.rows[i]` with `second.rows[i]`. Nothing is padded.
 *
 * @param engine Computes.
 * @param model From `loadCrossEncoder`, on the same engine.
 * @param first n first texts.
 * @param second n second texts.
 * @param options What is done to logits.
 * @returns [n, labels] scores.
 * @throws {EvaluationError} A prediction is not a number.
 */
async function scorePairs(
  engine: Engine,
  model: CrossEncoder,
  first: PackedColumn,
  second: PackedColumn,
  options: PredictOptions = {},
): Promise<Scores> {
  const { activation = model.activation, softmax = false, tokenBudget = 4096 } = options;
  const rows = first.rows.length;
  const width = model.labels;
  const lengthOf = ({ texts, rows }: PackedColumn, i: number) =>
    texts.offsets[rows[i]! + 1]! - texts.offsets[rows[i]!]!;
  const lengths = Int32Array.from(
    { length: rows },
    (_, i) => pairLength(model.pair, lengthOf(first, i), lengthOf(second, i), model.maxSeqLength),
  );
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const data = new Float32Array(rows * width);
  for (let start = 0; start < rows;) {
    let end = start;
    let tokens = 0;
    while (end < rows && (end === start || tokens + lengths[order[end]!]! <= tokenBudget)) {
      tokens += lengths[order[end++]!]!;
    }
    const batch = order.subarray(start, end);
    await scopeAsync(engine, async () => {
      const pick = ({ texts, rows }: PackedColumn) => ({ texts, rows: batch.map((i) => rows[i]!) });
      const packed = packPairs(model.pair, pick(first), pick(second), { maxLength: model.maxSeqLength });
      const logits = await engine.read(score(inference(engine), model, uploadBatch(engine, packed)).value);
      batch.forEach((row, i) => data.set(logits.subarray(i * width, (i + 1) * width), row * width));
    });
    start = end;
  }
  activate(data, activation);
  if (softmax && width > 1) softmaxRows(data, width);
  return { data, width, rows };
}

/** Options of {@linkcode predict} that concern its texts; a prompt goes before each first text. */
export interface PairTextOptions extends PromptChoice {
  /** Take off white space at both ends of texts, as sentence-transformers did before version 4. Default false. */
  readonly strip?: boolean;
}

/**
 * Scores pairs of texts, row by row, as sentence-transformers' `CrossEncoder.predict`; no pairs give no scores.
 *
 * @param engine Computes.
 * @param model From `loadCrossEncoder`, on the same engine.
 * @param first n first texts: queries, premises.
 * @param second n second texts: documents, hypotheses.
 * @param options What is done to logits, and what stands before the first texts.
 * @returns [n, labels] scores, in the order of the pairs.
 * @throws {EvaluationError} Another number of second texts, or a prediction that is not a number.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { predict } from "@kindred/kindred/evaluate";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 3, seed: 1 });
 * const pairs = { first: ["the boy eats", "a dog runs"], second: ["the child eats", "the queen sleeps"] };
 * const { data, width } = await predict(engine, model, pairs.first, pairs.second, { softmax: true });
 * assert.equal(width, 3);
 * assert.ok(Math.abs(data[0]! + data[1]! + data[2]! - 1) < 1e-6);
 * engine.close();
 * ```
 */
export async function predict(
  engine: Engine,
  model: CrossEncoder,
  first: readonly string[],
  second: readonly string[],
  options: PredictOptions & PairTextOptions = {},
): Promise<Scores> {
  if (first.length !== second.length) {
    throw new EvaluationError("the numbers of first and second texts differ", {
      expected: `as many second texts as first ones, ${first.length}`,
      found: `${second.length}`,
    });
  }
  const { strip = false } = options;
  const prompt = promptOf(model, options);
  const rows = Int32Array.from(first, (_, i) => i);
  return await scorePairs(
    engine,
    model,
    { texts: await tokenizeBare(model.tokenizer, first, { prompt, strip }), rows },
    { texts: await tokenizeBare(model.tokenizer, second, { strip }), rows },
    options,
  );
}

/** A document and its score. */
export interface RankedDocument {
  /** Its place in the list that was given. */
  readonly index: number;
  /** Its score with the query. */
  readonly score: number;
}

/** Options of {@linkcode rank}. */
export interface RankDocumentsOptions extends PredictOptions, PairTextOptions {
  /** How many documents to return. Default: all. */
  readonly topK?: number;
}

/**
 * Documents by their score with a query, highest first, as sentence-transformers' `CrossEncoder.rank`; of equal ones
 * the first.
 *
 * @param engine Computes.
 * @param model From `loadCrossEncoder`, on the same engine, with one label.
 * @param query What is looked for.
 * @param documents What is ranked.
 * @param options How many to return, and how pairs are predicted.
 * @returns Places in the list, and scores.
 * @throws {EvaluationError} The model gives classes.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { rank } from "@kindred/kindred/evaluate";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 1, seed: 1 });
 * const ranking = await rank(engine, model, "the boy eats", ["a castle", "an apple", "a dog"], { topK: 2 });
 * assert.ok(ranking.length === 2 && ranking[0]!.score >= ranking[1]!.score);
 * engine.close();
 * ```
 */
export async function rank(
  engine: Engine,
  model: CrossEncoder,
  query: string,
  documents: readonly string[],
  options: RankDocumentsOptions = {},
): Promise<RankedDocument[]> {
  expectScore(model);
  const { topK = documents.length } = options;
  const { data } = await predict(engine, model, documents.map(() => query), documents, options);
  return Array.from(rankByScore(data).subarray(0, topK), (index) => ({ index, score: data[index]! }));
}

/**
 * A cross-encoder as a scorer of pairs, for `searchCorpus`, `similarPairs` and `findCandidates`.
 *
 * @param engine Computes.
 * @param model From `loadCrossEncoder`, on the same engine: one label is the score; of two classes the second means "yes",
 *   and its probability is the score.
 * @param options How pairs are predicted.
 * @returns Scores pairs, one number each.
 * @throws {EvaluationError} The model has more than two classes.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { pairScorer } from "@kindred/kindred/evaluate";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const score = pairScorer(engine, await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 2, seed: 1 }));
 * const scores = await score([["the boy eats", "a child eats"], ["the boy eats", "the queen sleeps"]]);
 * assert.ok(scores.length === 2 && scores.every((probability) => 0 < probability && probability < 1));
 * engine.close();
 * ```
 */
export function pairScorer(
  engine: Engine,
  model: CrossEncoder,
  options: Omit<PredictOptions, "softmax"> & PairTextOptions = {},
): PairScorer {
  expectScore(model, 2);
  return async (pairs) => {
    const [first, second] = [pairs.map(([text]) => text), pairs.map(([, text]) => text)];
    return singleScores(await predict(engine, model, first, second, { ...options, softmax: true }));
  };
}

/** One number for each pair: a score as it is, of the probabilities of two classes that of the second. */
export function singleScores({ data, width, rows }: Scores): Float32Array {
  return width === 1 ? data : Float32Array.from({ length: rows }, (_, i) => data[i * width + 1]!);
}

/** Refuses a model that gives more classes where pairs are put in an order. */
function expectScore(model: CrossEncoder, labels = 1): void {
  if (model.labels <= labels) return;
  throw new EvaluationError("pairs are ranked by a score, and this model gives classes", {
    expected: labels === 1 ? "1 label" : `1 label, or ${labels} classes`,
    found: `${model.labels}`,
  });
}

function activate(data: Float32Array, activation: CrossEncoder["activation"]): void {
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Number.isNaN(x)) throw new EvaluationError("a prediction is not a number", { where: `value ${i}` });
    if (activation === "sigmoid") data[i] = 1 / (1 + Math.exp(-x));
    else if (activation === "tanh") data[i] = Math.tanh(x);
  }
}

/** exp(x − max) / Σ by row, in place */
function softmaxRows(data: Float32Array, width: number): void {
  for (let start = 0; start < data.length; start += width) {
    const row = data.subarray(start, start + width);
    const most = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, x) => total + Math.exp(x - most), 0);
    for (let i = 0; i < width; i++) row[i] = Math.exp(row[i]! - most) / sum;
  }
}
