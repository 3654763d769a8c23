/**
 * What a model of some kind is trained with where nothing is said.
 *
 * @module
 */
import { openTensors } from "../checkpoint/safetensors.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { type ResolvedTrainSettings, STATIC_RATES } from "./settings.ts";

/** What it is trained on, where that is known. */
export interface RecipeRows {
  /** Rows. */
  readonly rows: number;
  /** Whether the loss takes other rows of the batch for negatives. */
  readonly inBatch: boolean;
}

/** Rows of a batch of static embeddings: as many as sentence-transformers' own had, and of few rows fewer. */
const LARGEST_BATCH = 2048;
const SMALLEST_BATCH = 32;
/** Updates that an epoch has at least, unless there are too few rows for the smallest batch. */
const UPDATES = 16;

/**
 * Defaults of the kind of model that a folder holds. Static embeddings, of which a step touches few rows, want a far higher
 * learning rate than a transformer: 0.2 from vectors at random, 0.01 from others; and with in-batch negatives larger
 * batches, of up to 2048 rows as long as an epoch has 16 updates. Nothing where the defaults of every training hold.
 *
 * @param folder The model's.
 * @param data What it is trained on. Default: not known, and nothing is said of batches.
 * @returns For `resolveSettings`.
 *
 * @example
 * ```ts
 * import { recipeOf, resolveSettings } from "@kindred/kindred/train";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * assert.equal(resolveSettings({}, await recipeOf(await sampleBaseModel())).learningRate, 5e-5);
 * ```
 */
export async function recipeOf(folder: string, data?: RecipeRows): Promise<Partial<ResolvedTrainSettings>> {
  // A folder that cannot be read is for who loads it: that says what is wrong.
  const read = await readFolder(folder).catch(() => undefined);
  if (read === undefined || read.input === "transformer") return {};
  const isRandom = await knowsNothing(read.weights).catch(() => false);
  return {
    learningRate: isRandom ? STATIC_RATES.random : STATIC_RATES.taught,
    ...(data?.inBatch === true && { batchSize: batchOf(data.rows) }),
  };
}

/** The largest power of 2 that leaves an epoch its updates. */
function batchOf(rows: number): number {
  const batch = 2 ** Math.floor(Math.log2(Math.max(1, rows / UPDATES)));
  return Math.min(Math.max(batch, SMALLEST_BATCH), LARGEST_BATCH);
}

/** Moments of N(0, 1), the second and the fourth, and how far off those of so many numbers may be. */
const [SECOND, FOURTH, APART, ENOUGH] = [1, 3, 0.05, 4096];

/** Whether the numbers of a table are those that it starts with, N(0, 1): no training leaves them there. */
async function knowsNothing(folder: string): Promise<boolean> {
  const reader = await openTensors(folder);
  try {
    const name = ["embedding.weight", "embeddings"].find((name) => reader.tensors.has(name));
    if (name === undefined || reader.tensors.has("weights")) return false;
    const values = await reader.readF32(name);
    if (values.length < ENOUGH) return false;
    let [sum, squares, fourth] = [0, 0, 0];
    for (const x of values) {
      sum += x;
      squares += x * x;
      fourth += x ** 4;
    }
    const moment = (of: number) => of / values.length;
    const near = (found: number, expected: number) => Math.abs(found - expected) <= APART * expected;
    return Math.abs(moment(sum)) < APART && near(moment(squares), SECOND) && near(moment(fourth), FOURTH);
  } finally {
    reader.close();
  }
}
