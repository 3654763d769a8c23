/**
 * Models that stay loaded: for a server, or whoever embeds one text after the other.
 *
 * @module
 */
import { encodeTexts } from "../embed/encode.ts";
import { type Embeddings, rowsOf, type Similarity, similarityMatrix } from "../embed/pairwise.ts";
import { rolePrompts } from "../embed/roles.ts";
import type { Engine } from "../engine/engine.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
import { UsageError } from "../error.ts";
import * as crossEncoders from "../evaluate/cross_encoder.ts";
import type { RankedDocument } from "../evaluate/cross_encoder.ts";
import { loadBiEncoder } from "../model/bi_encoder.ts";
import { loadCrossEncoder } from "../model/cross_encoder.ts";
import { type PromptChoice, promptOf } from "../model/prompts.ts";
import { modelFolder } from "../stage/roots.ts";
import { NUMBERS } from "../train/fields.ts";
import { checkJob, checkTexts } from "./fields.ts";
import { checkPairs, predictRows } from "./pairs.ts";
import { turns } from "./turns.ts";

/** Options of {@linkcode openModel}. */
export interface OpenModelOptions {
  /** Which engine computes. Default: the best that is present. */
  readonly engine?: EngineChoice | undefined;
  /** So many features of each embedding are kept, of a Matryoshka model. Default: as the model's folder says. */
  readonly truncateDim?: number | undefined;
}

/** A model that is loaded. It is to be closed, by `close` or by `using`. */
export interface OpenModel extends Disposable, AsyncDisposable {
  /** Features of an embedding. */
  readonly width: number;
  /** Tokens that a text may have; longer ones are cut. */
  readonly maxSeqLength: number;
  /**
   * Embeddings of texts, one row each, in their order. Calls may overlap, as those of a server do: they take turns, and
   * small ones that wait go through the model together.
   *
   * @throws EngineError after `close`.
   * @throws UsageError for what is no list of texts.
   */
  readonly encode: (texts: readonly string[], options?: PromptChoice) => Promise<Embeddings>;
  /** The same for what looks for something: with the model's prompt `query`, if it has one. */
  readonly encodeQuery: (texts: readonly string[]) => Promise<Embeddings>;
  /** The same for what is found: with the model's prompt `document`, `passage` or `corpus`, if it has one. */
  readonly encodeDocument: (texts: readonly string[]) => Promise<Embeddings>;
  /** [a.rows · b.rows] the similarity of each row of a with each of b, of the model's kind: more is more similar. */
  readonly similarity: (a: Embeddings, b: Embeddings) => Float32Array;
  /** Tokens of a text as the model sees it, special ones and the prompt included, before anything is cut. */
  readonly tokenCount: (text: string, options?: PromptChoice) => number;
  /** Gives back memory and threads. Calls that are under way fail with an `EngineError`. */
  readonly close: () => void;
}

/** Most texts of small requests that go through the model together. */
const TOGETHER = 64;
/** Longest text in tokens where it is only counted. */
const UNCUT = 2 ** 31 - 1;

/**
 * Loads a model once, to encode with it many times.
 *
 * @param model A folder, or a model of the hub.
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
 * ```
 */
export async function openModel(model: string, options: OpenModelOptions = {}): Promise<OpenModel> {
  checkJob(options, { truncateDim: NUMBERS["positive"] });
  const { engine, loaded } = await open(options.engine, async (engine) => {
    const loaded = await loadBiEncoder(engine, await modelFolder(model));
    const { truncateDim = loaded.truncateDim } = options;
    if (truncateDim === undefined || truncateDim <= loaded.width) return { ...loaded, truncateDim };
    throw new UsageError("truncateDim is more than the model has", {
      expected: `at most ${loaded.width}`,
      found: `${truncateDim}`,
    });
  });
  interface Request {
    readonly texts: readonly string[];
    readonly prompt: string;
  }
  const queue = turns<Request, Embeddings>(
    (waiting) => {
      let [count, texts] = [1, waiting[0]!.texts.length];
      while (waiting[count]?.prompt === waiting[0]!.prompt && texts + waiting[count]!.texts.length <= TOGETHER) {
        texts += waiting[count++]!.texts.length;
      }
      return count;
    },
    async (requests) => {
      const texts = requests.flatMap(({ texts }) => texts);
      const all = await encodeTexts(engine, loaded, texts, { prefix: requests[0]!.prompt });
      if (requests.length === 1) return [all];
      let row = 0;
      return requests.map(({ texts }) => rowsOf(all, Int32Array.from(texts, () => row++)));
    },
  );
  const ask = async (texts: readonly string[], choice: PromptChoice = {}): Promise<Embeddings> => {
    checkTexts(texts, "texts");
    return await queue.ask({ texts, prompt: promptOf(loaded, choice) ?? "" });
  };
  const prompts = rolePrompts(loaded);
  const close = closing(queue, engine);
  return {
    width: Math.min(loaded.width, loaded.truncateDim ?? loaded.width),
    maxSeqLength: loaded.maxSeqLength,
    encode: ask,
    encodeQuery: (texts) => ask(texts, prompts.query),
    encodeDocument: (texts) => ask(texts, prompts.document),
    similarity: (a, b) => similarityMatrix(loaded.similarity as Similarity, a, b),
    tokenCount: (text, choice = {}) => loaded.tokenizer.ids((promptOf(loaded, choice) ?? "") + text, UNCUT).length,
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
 * @param model A folder, or a model of the hub.
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
  checkJob(options);
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
