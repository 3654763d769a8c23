/**
 * Models that stay loaded: for a server, or whoever embeds one text after the other.
 *
 * @module
 */
import { type Encoded, encodeOutput, inPrecision, type SentenceOptions, type TokenOptions } from "../embed/outputs.ts";
import { type Embeddings, type Similarity, similarityMatrix } from "../embed/pairwise.ts";
import { isScalar, type OutputPrecision, type QuantizedEmbeddings } from "../embed/quantize.ts";
import { type Role, rolePrompts } from "../embed/roles.ts";
import { textChunks } from "../embed/text_chunks.ts";
import type { TokenEmbeddings } from "../embed/token_embeddings.ts";
import type { Engine } from "../engine/engine.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
import { UsageError } from "../error.ts";
import * as crossEncoders from "../evaluate/cross_encoder.ts";
import type { RankedDocument } from "../evaluate/cross_encoder.ts";
import { keptWidth, loadBiEncoder } from "../model/bi_encoder.ts";
import { loadCrossEncoder } from "../model/cross_encoder.ts";
import { type PromptChoice, promptOf } from "../model/prompts.ts";
import { modelFolder } from "../stage/roots.ts";
import { checkFields, NUMBERS } from "../train/fields.ts";
import { encodeQueue } from "./encode_queue.ts";
import { checkOpening, checkStream, checkTexts } from "./fields.ts";
import { checkOutputs, ENCODING, encodingOf, type OutputChoice } from "./outputs.ts";
import { checkPairs, predictRows } from "./pairs.ts";
import { turns } from "./turns.ts";

/** Options of {@linkcode openModel}. */
export interface OpenModelOptions {
  /**
   * Which engine computes, and in which precision: of a model in `int8`, linear layers have 8 bits (what `encode` calls
   * precision is that of the embeddings). To static embeddings, which multiply nothing, it does nothing. Default: the best
   * that is present, fp32.
   */
  readonly engine?: EngineChoice | undefined;
  /**
   * So many features of each embedding are kept, of a Matryoshka model; as in sentence-transformers nothing is normalised
   * anew. Default: as the model's folder says.
   */
  readonly truncateDim?: number | undefined;
  /** Tokens that a text may have; longer ones are cut. Default: as the model's folder says. */
  readonly maxSeqLength?: number | undefined;
}

/** Encodes texts to what the options ask for. */
export interface Encode {
  /** One row for each token of each text. */
  (texts: readonly string[], options: TokenOptions & PromptChoice): Promise<TokenEmbeddings>;
  /** One row for each text, in another precision. */
  <P extends OutputPrecision>(
    texts: readonly string[],
    options: SentenceOptions & { readonly precision: P } & PromptChoice,
  ): Promise<QuantizedEmbeddings<P>>;
  /** One row for each text. */
  (texts: readonly string[], options?: Omit<SentenceOptions, "precision"> & PromptChoice): Promise<Embeddings>;
}

/** Encodes texts to one row each, in the precision that the options ask for. */
export interface EncodeRole {
  /** In another precision. */
  <P extends OutputPrecision>(
    texts: readonly string[],
    options: SentenceOptions & { readonly precision: P },
  ): Promise<QuantizedEmbeddings<P>>;
  /** As they are computed. */
  (texts: readonly string[], options?: Omit<SentenceOptions, "precision">): Promise<Embeddings>;
}

/** Encodes texts as they come. */
export interface EncodeStream {
  /** In another precision; int8 and uint8 want `ranges` or `calibrationEmbeddings`. */
  <P extends OutputPrecision>(
    texts: Iterable<string> | AsyncIterable<string>,
    options: SentenceOptions & { readonly precision: P } & StreamOptions,
  ): AsyncGenerator<QuantizedEmbeddings<P>>;
  /** As they are computed. */
  (
    texts: Iterable<string> | AsyncIterable<string>,
    options?: Omit<SentenceOptions, "precision"> & StreamOptions,
  ): AsyncGenerator<Embeddings>;
}

/** Options of a stream of texts. */
export interface StreamOptions extends PromptChoice {
  /** Texts of a chunk at most. Default 1024. */
  readonly chunkTexts?: number | undefined;
}

/** A model that is loaded. It is to be closed, by `close` or by `using`. */
export interface OpenModel extends Disposable, AsyncDisposable {
  /** Features of an embedding. */
  readonly width: number;
  /** Tokens that a text may have; longer ones are cut. */
  readonly maxSeqLength: number;
  /**
   * Embeddings of texts, one row each, in their order. Calls may overlap, as those of a server do: they take turns, and
   * small ones that wait go through the model together. With `precision`, in another one; with `output: "tokens"`, one
   * row for each token.
   *
   * @throws EngineError after `close`.
   * @throws UsageError for what is no list of texts.
   */
  readonly encode: Encode;
  /** The same for what looks for something: with the model's prompt `query`, if it has one. */
  readonly encodeQuery: EncodeRole;
  /** The same for what is found: with the model's prompt `document`, `passage` or `corpus`, if it has one. */
  readonly encodeDocument: EncodeRole;
  /**
   * Embeddings of any number of texts, in chunks and in their order. Memory holds one chunk: no text is asked for before
   * the embeddings of the chunk before were taken. Chunks take turns with other calls.
   */
  readonly encodeStream: EncodeStream;
  /** [a.rows · b.rows] the similarity of each row of a with each of b, of the model's kind: more is more similar. */
  readonly similarity: (a: Embeddings, b: Embeddings) => Float32Array;
  /** Tokens of a text as the model sees it, special ones and the prompt included, before anything is cut. */
  readonly tokenCount: (text: string, options?: PromptChoice) => number;
  /** Gives back memory and threads. Calls that are under way fail with an `EngineError`. */
  readonly close: () => void;
}

/** Longest text in tokens where it is only counted. */
const UNCUT = 2 ** 31 - 1;

/**
 * Loads a model once, to encode with it many times.
 *
 * @param model A folder, or a model of the hub; behind a `#` the name of an adapter within it.
 * @param options Which engine computes, and how many features are kept.
 * @returns The loaded model.
 * @throws CheckpointError if the folder cannot be loaded.
 *
 * @example
 * ```ts
 * import { openModel } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * using model = await openModel(await sampleBaseModel());
 * const [queries, documents] = await Promise.all([
 *   model.encodeQuery(["the boy eats"]),
 *   model.encodeDocument(["a castle on a hill", "the boy eats an apple"]),
 * ]);
 * const [castle, apple] = model.similarity(queries, documents);
 * assert.ok(apple! > castle!);
 * const lines = ["the dog runs", "the cat sleeps", "a queen in the castle"];
 * for await (const { data } of model.encodeStream(lines, { precision: "ubinary" })) assert.equal(data.length, 3 * 16);
 * ```
 */
export async function openModel(model: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  checkOpening(options, { truncateDim: NUMBERS["positive"], maxSeqLength: NUMBERS["positive"] });
  const { truncateDim, maxSeqLength } = options;
  const { engine, loaded } = await open(
    options.engine,
    async (engine) => await loadBiEncoder(engine, await modelFolder(model), { truncateDim, maxSeqLength }),
  );
  const queue = encodeQueue((texts, { prompt, output, normalize }) =>
    encodeOutput(engine, loaded, texts, { prefix: prompt, output, normalize })
  );
  const ask = async (texts: readonly string[], choice: OutputChoice = {}): Promise<Encoded> => {
    checkFields(choice, ENCODING);
    checkTexts(texts, "texts");
    checkOutputs(choice);
    const { output, normalize } = encodingOf(choice);
    const prompt = promptOf(loaded, choice) ?? "";
    return inPrecision(await queue.ask({ texts, prompt, output, normalize }), choice);
  };
  async function* stream(
    texts: Iterable<string> | AsyncIterable<string>,
    options: SentenceOptions & StreamOptions = {},
  ): AsyncGenerator<Encoded> {
    checkFields(options, { ...ENCODING, chunkTexts: NUMBERS["positive"] });
    checkStream(texts);
    const { chunkTexts, ...choice } = options;
    const { precision, ranges, calibrationEmbeddings } = choice;
    if (precision !== undefined && isScalar(precision) && (ranges ?? calibrationEmbeddings) === undefined) {
      throw new UsageError(`a stream in ${precision} must be measured by something`, {
        expected: "ranges, or calibrationEmbeddings",
        found: "neither: every chunk would have ranges of its own",
      });
    }
    for await (const chunk of textChunks(texts, chunkTexts)) yield await ask(chunk, choice);
  }
  const prompts = rolePrompts(loaded);
  const inRole = (role: Role) =>
    ((texts: readonly string[], options?: SentenceOptions) =>
      ask(texts, { ...options, ...prompts[role] })) as EncodeRole;
  const close = closing(queue, engine);
  return {
    width: keptWidth(loaded),
    maxSeqLength: loaded.maxSeqLength,
    encode: ask as Encode,
    encodeQuery: inRole("query"),
    encodeDocument: inRole("document"),
    encodeStream: stream as EncodeStream,
    similarity: (a, b) => similarityMatrix(loaded.similarity as Similarity, a, b),
    tokenCount(text, choice = {}) {
      checkTexts([text], "text");
      return loaded.tokenizer.ids((promptOf(loaded, choice) ?? "") + text, UNCUT).length;
    },
    close,
    [Symbol.dispose]: close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

/** A cross-encoder that is loaded. It is to be closed, by `close` or by `using`. */
export interface OpenCrossEncoder extends Disposable, AsyncDisposable {
  /** Labels: 1 for a score, else classes. */
  readonly labels: number;
  /** One row for each pair, with one column for each label; see `predict`. Calls take turns. */
  readonly predict: (pairs: readonly (readonly [first: string, second: string])[]) => Promise<number[][]>;
  /** Documents by their score with the query, highest first; see `rank`. Calls take turns. */
  readonly rank: (
    query: string,
    documents: readonly string[],
    options?: { readonly topK?: number },
  ) => Promise<RankedDocument[]>;
  /** Gives back memory and threads. */
  readonly close: () => void;
}

/**
 * Loads a cross-encoder once, to score with it many times.
 *
 * @param model A folder, or a model of the hub; behind a `#` the name of an adapter within it.
 * @param options `engine`: which one computes. Default: the best that is present.
 * @returns The loaded model.
 * @throws CheckpointError if the folder cannot be loaded, or has no trained head.
 *
 * @example
 * ```ts ignore
 * import { openCrossEncoder } from "@kindred/kindred/simple";
 * using judge = await openCrossEncoder("cross-encoder/ms-marco-MiniLM-L6-v2");
 * const [best] = await judge.rank("how do bees make honey", ["The bridge was built in 1932.", "Bees dry nectar."]);
 * ```
 */
export async function openCrossEncoder(
  model: string,
  options: Pick<OpenModelOptions, "engine"> = {},
): Promise<OpenCrossEncoder> {
  checkOpening(options);
  const { engine, loaded } = await open(
    options.engine,
    async (engine) => await loadCrossEncoder(engine, await modelFolder(model), { requireHead: true }),
  );
  const queue = turns<() => Promise<unknown>, unknown>(() => 1, async ([job]) => [await job!()]);
  const close = closing(queue, engine);
  return {
    labels: loaded.labels,
    async predict(pairs) {
      checkPairs(pairs);
      return await queue.ask(() => predictRows(engine, loaded, pairs)) as number[][];
    },
    async rank(query, documents, options = {}) {
      checkTexts([query], "query");
      checkTexts(documents, "documents");
      return await queue.ask(() => crossEncoders.rank(engine, loaded, query, documents, options)) as RankedDocument[];
    },
    close,
    [Symbol.dispose]: close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

/** Closes both, once. */
function closing(queue: { readonly close: () => void }, engine: Engine): () => void {
  let isClosed = false;
  return () => {
    if (isClosed) return;
    isClosed = true;
    queue.close();
    engine.close();
  };
}

/** An engine with a model on it; closed again where that cannot be loaded. */
async function open<Model>(
  choice: EngineChoice | undefined,
  load: (engine: Engine) => Promise<Model>,
): Promise<{ readonly engine: Engine; readonly loaded: Model }> {
  const { engine } = await selectEngine(choice);
  try {
    return { engine, loaded: await load(engine) };
  } catch (error) {
    engine.close();
    throw error;
  }
}
