/**
 * A model that stays loaded: for a server, or whoever embeds one text after the other.
 *
 * @module
 */
import { encodeTexts } from "../embed/encode.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
import { EngineError } from "../error.ts";
import { loadBiEncoder } from "../model/bi_encoder.ts";
import type { PromptChoice } from "../model/prompts.ts";
import { modelFolder } from "../stage/roots.ts";
import { checkJob, checkTexts } from "./fields.ts";

/** A model that is loaded. It is to be closed, by `close` or by `using`. */
export interface OpenModel extends Disposable {
  /** Features of an embedding. */
  readonly width: number;
  /**
   * Embeddings of texts, one row each, in their order. Calls may overlap, as those of a server do: they take turns.
   *
   * @throws EngineError after `close`.
   * @throws UsageError for what is no list of texts.
   */
  readonly encode: (texts: readonly string[], options?: PromptChoice) => Promise<Embeddings>;
  /** Gives back memory and threads. Calls that are under way fail with an `EngineError`. */
  readonly close: () => void;
}

/**
 * Loads a model once, to encode with it many times.
 *
 * @param model A folder, or a model of the hub.
 * @param options `engine`: which one computes. Default: the best that is present.
 * @returns The loaded model.
 * @throws CheckpointError if the folder cannot be loaded.
 *
 * @example
 * ```ts
 * import { openModel } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * using model = await openModel(await sampleBaseModel());
 * const [one, two] = await Promise.all([model.encode(["the dog runs"]), model.encode(["the hound runs"])]);
 * assert.deepEqual([one.width, two.rows], [model.width, 1]);
 * ```
 */
export async function openModel(
  model: string,
  options: { readonly engine?: EngineChoice | undefined } = {},
): Promise<OpenModel> {
  checkJob(options);
  const folder = await modelFolder(model);
  const { engine } = await selectEngine(options.engine);
  const loaded = await loadBiEncoder(engine, folder).catch((error) => {
    engine.close();
    throw error;
  });
  let closed = false;
  // An engine's arenas nest, so computations must not interleave: each waits for the one before it.
  let last: Promise<unknown> = Promise.resolve();
  const encode = async (texts: readonly string[], prompt?: PromptChoice): Promise<Embeddings> => {
    checkTexts(texts, "texts");
    const turn = last.then(() => {
      if (closed) throw new EngineError("the model is closed", { hint: "open it again" });
      return encodeTexts(engine, loaded, texts, prompt);
    });
    last = turn.catch(() => {});
    return await turn;
  };
  const close = () => {
    if (closed) return;
    closed = true;
    engine.close();
  };
  const width = Math.min(loaded.width, loaded.truncateDim ?? loaded.width);
  return { width, encode, close, [Symbol.dispose]: close };
}
