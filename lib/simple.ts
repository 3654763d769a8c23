/**
 * The common jobs as functions that can be awaited, with no Effect type in sight.
 *
 * @module
 */
import { Effect } from "effect";
import { createCpuEngine } from "./engine/cpu/engine.ts";
import { openNativeGemm } from "./engine/cpu/native_gemm.ts";
import type { Engine } from "./engine/engine.ts";
import { UsageError } from "./error.ts";
import { embedTexts } from "./evaluate/encode.ts";
import type { Embeddings } from "./evaluate/pairwise.ts";
import { type SimilarityMetrics, similarityMetrics } from "./evaluate/similarity.ts";
import { multipleNegativesRanking } from "./loss/multiple_negatives_ranking.ts";
import { loadBiEncoder, saveBiEncoder } from "./model/bi_encoder.ts";
import { modelFolder } from "./pipeline/roots.ts";
import { tokenize } from "./text/tokenizer.ts";
import { biEncoderObjective } from "./train/bi_encoder_objective.ts";
import type { TrainingRecord } from "./train/record.ts";
import { train } from "./train/trainer.ts";

async function withEngine<A>(use: (engine: Engine) => Promise<A>): Promise<A> {
  const threads = navigator.hardwareConcurrency;
  const engine = createCpuEngine({ threads, gemm: openNativeGemm({ gemm: "auto", threads }).gemm });
  try {
    return await use(engine);
  } finally {
    engine.close();
  }
}

/**
 * Embeddings of texts, in their order. `model` is a folder or a model of the hub; `prompt` the name of one of its prompts,
 * or a text to put before every input.
 *
 * @example
 * ```ts
 * import { encode } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * assert.equal((await encode(sampleBaseModel(), ["the dog chases the cat"])).width, 128);
 * ```
 */
export async function encode(
  model: string,
  texts: readonly string[],
  options: { readonly prompt?: string } = {},
): Promise<Embeddings> {
  return await withEngine(async (engine) =>
    await embedTexts(engine, await loadBiEncoder(engine, await modelFolder(model)), texts, options)
  );
}

/**
 * How well a model's similarities agree with graded pairs: sentence-transformers' ten metrics.
 *
 * @example
 * ```ts
 * import { evaluate } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const metrics = await evaluate(sampleBaseModel(), {
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
      await embedTexts(engine, biEncoder, pairs.sentence1),
      await embedTexts(engine, biEncoder, pairs.sentence2),
    ];
    return similarityMetrics(first, second, pairs.score);
  });
}

/** Options of {@linkcode finetune}. */
export interface FinetuneOptions {
  /** Model to start from: a folder or a model of the hub. */
  readonly model: string;
  /** What belongs together. */
  readonly anchor: readonly string[];
  /** Row by row. */
  readonly positive: readonly string[];
  /** What does not belong to the anchor, if there is such a column. */
  readonly negative?: readonly string[];
  /** Folder of the new model. */
  readonly output: string;
  /** Default 1 */
  readonly epochs?: number;
  /** Default 32 */
  readonly batchSize?: number;
  /** Default 5e-5 */
  readonly learningRate?: number;
  /** Default 42 */
  readonly seed?: number;
}

/**
 * Fine-tunes a model on pairs or triplets by multiple-negatives ranking, and saves it as a folder that
 * sentence-transformers loads.
 *
 * @example
 * ```ts
 * import { finetune } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const output = await Deno.makeTempDir();
 * const record = await finetune({
 *   model: sampleBaseModel(),
 *   anchor: ["the boy opens the door", "the cook slices the bread"],
 *   positive: ["the lad unlocks the gate", "the loaf is cut by the chef"],
 *   output: `${output}/model`,
 * });
 * assert.equal(record.steps, 1);
 * ```
 */
export async function finetune(options: FinetuneOptions): Promise<TrainingRecord> {
  const { anchor, positive, negative, epochs = 1, batchSize = 32, learningRate = 5e-5, seed = 42 } = options;
  const columns = negative === undefined ? [anchor, positive] : [anchor, positive, negative];
  if (columns.some((column) => column.length !== anchor.length)) {
    throw new UsageError("the columns have different lengths", {
      found: columns.map(({ length }) => length).join(", "),
    });
  }
  return await withEngine(async (engine) => {
    const model = await loadBiEncoder(engine, await modelFolder(options.model), { trained: true });
    const texts = [];
    for (const column of columns) {
      texts.push(await tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength }));
    }
    const objective = biEncoderObjective({
      model,
      loss: multipleNegativesRanking(),
      head: {},
      texts,
      distinct: columns,
    });
    const record = await Effect.runPromise(train(engine, objective, {
      epochs,
      batchSize,
      accumulate: 1,
      seed,
      learningRate,
      schedule: "linear",
      warmupSteps: 0,
      warmupRatio: 0.1,
      optimizer: {},
      loggingSteps: 100,
      saveSteps: 500,
    }));
    await saveBiEncoder(engine, model, options.output, `# Fine-tuned from ${options.model} with Kindred\n`);
    return record;
  });
}
