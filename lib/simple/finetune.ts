/**
 * Fine-tuning, awaited.
 *
 * @module
 */
import { Effect } from "effect";
import { UsageError } from "../error.ts";
import { multipleNegativesRanking } from "../loss/multiple_negatives_ranking.ts";
import { loadBiEncoder, saveBiEncoder } from "../model/bi_encoder.ts";
import { modelFolder } from "../pipeline/roots.ts";
import { tokenize } from "../text/tokenizer.ts";
import { biEncoderObjective } from "../train/bi_encoder_objective.ts";
import type { TrainingRecord } from "../train/record.ts";
import { train } from "../train/trainer.ts";
import { withEngine } from "./encode.ts";

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
