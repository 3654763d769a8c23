/**
 * Embeddings and their evaluation, awaited.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { type Encoded, encodeOutput, inPrecision, type SentenceOptions, type TokenOptions } from "../embed/outputs.ts";
import type { OutputPrecision, QuantizedEmbeddings } from "../embed/quantize.ts";
import type { TokenEmbeddings } from "../embed/token_embeddings.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { type Columns, datasetOf } from "../data/rows.ts";
import type { SimilarityMetrics } from "../evaluate/similarity.ts";
import { loadBiEncoder } from "../model/bi_encoder.ts";
import type { PromptChoice } from "../model/prompts.ts";
import type { RetrievalSet } from "../data/retrieval_sets.ts";
import { UsageError } from "../error.ts";
import { evaluateRetrievalSets } from "../evaluate/retrieval_sets.ts";
import { blockEncoder, evaluateRows, similaritiesOf } from "../pipeline/stages/evaluate_rows.ts";
import { modelFolder } from "../stage/roots.ts";
import type { Metrics } from "../train/record.ts";
import { checkFields, NUMBERS } from "../train/fields.ts";
import { A_LIST, A_TEXT, checkJob, checkNumbers, checkTexts } from "./fields.ts";
import { checkOutputs, ENCODING, encodingOf } from "./outputs.ts";

/** What computes a job, and what ends it. */
export interface JobOptions {
  /** Default: the best engine that is present. */
  readonly engine?: EngineChoice | undefined;
  /** Ends the job, which rejects with its reason: before the model is loaded, and before texts are encoded. */
  readonly signal?: AbortSignal | undefined;
}

/** An engine for one job. */
export async function withEngine<A>(
  { engine: choice, signal }: JobOptions,
  use: (engine: Engine) => Promise<A>,
): Promise<A> {
  signal?.throwIfAborted();
  const { engine } = await selectEngine(choice);
  try {
    const result = await use(engine);
    signal?.throwIfAborted();
    return result;
  } finally {
    engine.close();
  }
}

/** Options of {@linkcode encode} beside those of what comes out. */
export interface EncodeJobOptions extends PromptChoice, JobOptions {
  /** So many features of each embedding are kept; nothing is normalised anew. Default: as the model's folder says. */
  readonly truncateDim?: number | undefined;
  /** Tokens that a text may have; longer ones are cut. Default: as the model's folder says. */
  readonly maxSeqLength?: number | undefined;
}

/**
 * Embeddings of texts.
 *
 * @param model A folder, or a model of the hub; behind a `#` the name of an adapter within it.
 * @param texts The texts; an empty one is embedded like any other.
 * @param options `promptName`: one of the model's prompts; or `prefix`: a text of your own, before every input;
 * `truncateDim`, `maxSeqLength`, `normalize`; `precision`: how embeddings are kept, and `ranges` or
 * `calibrationEmbeddings`, by which int8 and uint8 are measured; `output: "tokens"`: one row for each token;
 * `engine` and `signal`.
 * @returns One row for each text, in their order.
 * @throws {UsageError} The model has no prompt of this name, or what should be texts is something else.
 * @throws {DatasetError} int8 or uint8 of a single text without ranges.
 *
 * @example
 * ```ts
 * import { encode } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const model = await sampleBaseModel();
 * assert.equal((await encode(model, ["the dog chases the cat"])).width, 128);
 * const { data, columns } = await encode(model, ["the dog chases the cat"], { precision: "ubinary" });
 * assert.ok(data instanceof Uint8Array && columns === 16); // 128 bits
 * const tokens = await encode(model, ["the dog"], { output: "tokens" });
 * assert.deepEqual([...tokens.offsets], [0, 4]); // [CLS] the dog [SEP]
 * ```
 */
export async function encode(
  model: string,
  texts: readonly string[],
  options: TokenOptions & EncodeJobOptions,
): Promise<TokenEmbeddings>;
/** The same in another precision. */
export async function encode<P extends OutputPrecision>(
  model: string,
  texts: readonly string[],
  options: SentenceOptions & { readonly precision: P } & EncodeJobOptions,
): Promise<QuantizedEmbeddings<P>>;
/** The same as it is computed. */
export async function encode(
  model: string,
  texts: readonly string[],
  options?: Omit<SentenceOptions, "precision"> & EncodeJobOptions,
): Promise<Embeddings>;
export async function encode(
  model: string,
  texts: readonly string[],
  options: (SentenceOptions | TokenOptions) & EncodeJobOptions = {},
): Promise<Encoded> {
  checkJob(options, { ...ENCODING, truncateDim: NUMBERS["positive"], maxSeqLength: NUMBERS["positive"] });
  checkTexts(texts, "texts");
  checkOutputs(options);
  const { engine, signal, truncateDim, maxSeqLength } = options;
  return await withEngine({ engine, signal }, async (engine) => {
    const biEncoder = await loadBiEncoder(engine, await modelFolder(model), { truncateDim, maxSeqLength });
    signal?.throwIfAborted();
    return inPrecision(await encodeOutput(engine, biEncoder, texts, encodingOf(options)), options);
  });
}

/** Graded pairs, row by row. */
export interface GradedPairs {
  /** First sentence. */
  readonly sentence1: readonly string[];
  /** Second sentence. */
  readonly sentence2: readonly string[];
  /** Scores that people gave, on any scale. */
  readonly score: ArrayLike<number>;
}

/** Pairs of what belongs together, row by row. */
export interface RetrievalPairs {
  /** Questions, or whatever looks for something. */
  readonly anchor: readonly string[];
  /** What belongs to each. */
  readonly positive: readonly string[];
  /** Further texts that may be found by mistake. */
  readonly negative?: readonly string[];
}

/** Queries, a corpus, and what is relevant. */
export interface RetrievalCorpus {
  /** What is looked for. */
  readonly queries: readonly string[];
  /** What is searched in. */
  readonly documents: readonly string[];
  /** Of each query, the numbers of the relevant documents, from 0; below 0 for those that the corpus lacks. */
  readonly relevant: readonly ArrayLike<number>[];
  /** That of a set of several; it changes nothing. */
  readonly name?: string | undefined;
}

/**
 * How good a model is on rows of your own. On graded pairs: how well its similarities agree, in sentence-transformers' ten
 * metrics. On pairs of what belongs together: how well each anchor finds its positives among all, and on a corpus: how
 * well each query finds what is relevant to it, in the metrics of its InformationRetrievalEvaluator.
 *
 * @param model A folder, or a model of the hub; behind a `#` the name of an adapter within it.
 * @param rows Graded pairs, anchors and positives, or queries with documents; `readRetrievalSets` of `./evaluate` reads
 *   those of a folder.
 * @param options `engine` and `signal`.
 * @returns Metrics by key: `spearman_cosine` and so on, `cosine_ndcg@10` and so on.
 * @throws {UsageError} Columns of other names, or values that are no texts or numbers.
 * @throws {EvaluationError} Fewer than two different scores.
 * @throws {DatasetError} Columns of unequal length.
 * @throws {CheckpointError} The model cannot be loaded.
 *
 * @example
 * ```ts
 * import { evaluate } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const metrics = await evaluate(await sampleBaseModel(), {
 *   sentence1: ["the boy eats", "the boy eats"],
 *   sentence2: ["the boy eats", "a queen in the castle"],
 *   score: [5, 0],
 * });
 * assert.equal(metrics.spearman_cosine, 1);
 * const corpus = { queries: ["the boy eats"], documents: ["a castle", "the boy eats an apple"], relevant: [[1]] };
 * assert.equal((await evaluate(await sampleBaseModel(), corpus))["cosine_mrr@10"], 1);
 * ```
 */
export async function evaluate(model: string, rows: GradedPairs, options?: JobOptions): Promise<SimilarityMetrics>;
/** The same for pairs of what belongs together: metrics of finding it. */
export async function evaluate(model: string, rows: RetrievalPairs, options?: JobOptions): Promise<Metrics>;
/** The same for queries in a corpus. */
export async function evaluate(model: string, rows: RetrievalCorpus, options?: JobOptions): Promise<Metrics>;
export async function evaluate(
  model: string,
  rows: GradedPairs | RetrievalPairs | RetrievalCorpus,
  options: JobOptions = {},
): Promise<SimilarityMetrics | Metrics> {
  checkJob(options);
  if (typeof rows === "object" && rows !== null && "documents" in rows) {
    const set = retrievalSetOf(rows);
    return await withEngine(options, async (engine) => {
      const biEncoder = await loadBiEncoder(engine, await modelFolder(model));
      options.signal?.throwIfAborted();
      const encode = blockEncoder(engine, biEncoder);
      const similarities = similaritiesOf(biEncoder);
      return (await evaluateRetrievalSets(engine, encode, [set], { similarities })).metrics;
    });
  }
  checkRows(rows);
  const [kind, columns] = "score" in rows
    ? ["similarity", {
      sentence1: rows.sentence1,
      sentence2: rows.sentence2,
      score: Float64Array.from(rows.score),
    }] as const
    : ["retrieval", {
      anchor: rows.anchor,
      positive: rows.positive,
      ...(rows.negative !== undefined && { negative: rows.negative }),
    }] as const;
  const dataset = datasetOf<Columns>(columns as Columns);
  return await withEngine(options, async (engine) => {
    const biEncoder = await loadBiEncoder(engine, await modelFolder(model));
    options.signal?.throwIfAborted();
    return (await evaluateRows(engine, biEncoder, dataset, { kind })).metrics;
  });
}

/** A corpus, checked. */
function retrievalSetOf(rows: RetrievalCorpus): RetrievalSet {
  checkFields(rows, { queries: A_LIST, documents: A_LIST, relevant: A_LIST, name: A_TEXT }, "rows");
  const { queries, documents, relevant } = rows;
  checkTexts(queries, "queries");
  checkTexts(documents, "documents");
  const wrong = queries.findIndex((_, query) => {
    const own = Array.from(relevant?.[query] ?? []);
    return own.length === 0 || !own.every((row) => Number.isInteger(row) && row < documents.length);
  });
  if (wrong >= 0 || relevant.length !== queries.length) {
    throw new UsageError("every query wants the numbers of its relevant documents", {
      expected: `${queries.length} lists of whole numbers from 0 to ${documents.length - 1}, none of them empty`,
      found: wrong < 0 ? `${relevant.length} lists` : JSON.stringify(Array.from(relevant?.[wrong] ?? [])),
      ...(wrong >= 0 && { where: `relevant, query ${wrong}` }),
    });
  }
  return { name: "", queries, documents, relevant: relevant.map((rows) => Int32Array.from(rows)) };
}

/** The columns of what is evaluated: all that are wanted must be there. */
function checkRows(rows: GradedPairs | RetrievalPairs): void {
  const graded = ["sentence1", "sentence2", "score"] as const;
  const pairs = ["anchor", "positive", "negative"] as const;
  checkFields(rows, Object.fromEntries([...graded, ...pairs].map((name) => [name, A_LIST])), "rows");
  const isGraded = graded.some((name) => name in rows);
  const columns: Readonly<Record<string, unknown>> = { ...rows };
  for (const name of isGraded ? graded.slice(0, 2) : pairs) {
    if (name !== "negative" || columns[name] !== undefined) checkTexts(columns[name], name);
  }
  if (isGraded) checkNumbers(columns["score"] as ArrayLike<unknown> | undefined, "score");
}
