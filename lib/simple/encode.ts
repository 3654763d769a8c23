/**
 * Embeddings and their evaluation, awaited.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { encodeTexts } from "../embed/encode.ts";
import { selectEngine } from "../engine/select.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { type SimilarityMetrics, similarityMetrics } from "../evaluate/similarity.ts";
import { loadBiEncoder } from "../model/bi_encoder.ts";
import type { PromptChoice } from "../model/prompts.ts";
import { modelFolder } from "../stage/roots.ts";

/** An engine for one job. */
export async function withEngine<A>(use: (engine: Engine) => Promise<A>): Promise<A> {
  const { engine } = await selectEngine();
  try {
    return await use(engine);
  } finally {
    engine.close();
  }
}

/**
 * Embeddings of texts.
 *
 * @param model A folder, or a model of the hub.
 * @param texts The texts; an empty one is embedded like any other.
 * @param options `promptName`: one of the model's prompts; or `prefix`: a text of your own, before every input.
 * @returns One row for each text, in their order.
 * @throws UsageError if the model has no prompt of this name.
 *
 * @example
 * ```ts
 * import { encode } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * assert.equal((await encode(await sampleBaseModel(), ["the dog chases the cat"])).width, 128);
 * ```
 */
export async function encode(
  model: string,
  texts: readonly string[],
  options: PromptChoice = {},
): Promise<Embeddings> {
  return await withEngine(async (engine) =>
    await encodeTexts(engine, await loadBiEncoder(engine, await modelFolder(model)), texts, options)
  );
}

/**
 * How well a model's similarities agree with graded pairs: sentence-transformers' ten metrics.
 *
 * @param model A folder, or a model of the hub.
 * @param pairs Sentences, and scores that people gave, on any scale.
 * @returns Ten correlations by key.
 * @throws {EvaluationError} Fewer than two different scores, or columns of unequal length.
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
 * ```
 */
export async function evaluate(
  model: string,
  pairs: {
    readonly sentence1: readonly string[];
    readonly sentence2: readonly string[];
    readonly score: ArrayLike<number>;
  },
): Promise<SimilarityMetrics> {
  return await withEngine(async (engine) => {
    const biEncoder = await loadBiEncoder(engine, await modelFolder(model));
    const [first, second] = [
      await encodeTexts(engine, biEncoder, pairs.sentence1),
      await encodeTexts(engine, biEncoder, pairs.sentence2),
    ];
    return similarityMetrics(first, second, pairs.score);
  });
}
