/**
 * Static embeddings, awaited: distilled, at random, pruned. `finetune` trains them.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import { counted } from "../counted.ts";
import { datasetOf } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { folderFacts, originOf } from "../pipeline/card.ts";
import { checkOutput, copyFolder } from "../pipeline/output.ts";
import { distilStatic, pruneStatic, randomStatic, type StaticModel } from "../pipeline/stages/static.ts";
import { given, type RunOptions, runStages } from "../stage/run.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Field } from "../train/fields.ts";
import { NUMBERS, oneOf } from "../train/fields.ts";
import { modelCard } from "../train/model_card.ts";
import { A_LIST, A_MODEL, A_SHARE, checkTexts, checkTraining } from "./fields.ts";
import { type OutputOptions, startingModel } from "./training.ts";

/** What {@linkcode distill}, {@linkcode randomVectors} and {@linkcode prune} take. */
export interface StaticOptions extends RunOptions, OutputOptions {
  /** Keep the tokens alone that these texts have. Default: all. */
  readonly pruneTexts?: readonly string[];
  /** A token stays that stands so often in them, at least. Default 1. */
  readonly minCount?: number;
}

/** What {@linkcode distill} takes. */
export interface DistillInput extends StaticOptions {
  /** The encoder: a folder or a model of the hub. */
  readonly teacher: string;
  /** Words that become tokens of their own. Default: none. */
  readonly vocabulary?: readonly string[];
  /** Features of a row at most, by principal components; 0: none. Default 256. */
  readonly pcaDims?: number;
  /** How little frequent tokens weigh; 0: all the same. Default 1e-4. */
  readonly sifCoefficient?: number;
  /** What the teacher's output for a token alone is. Default mean. */
  readonly pooling?: "mean" | "cls" | "lasttoken";
}

/** What {@linkcode randomVectors} takes. */
export interface RandomVectorsInput extends StaticOptions {
  /** The model whose tokenizer it has: a folder or a model of the hub. */
  readonly tokenizer: string;
  /** Features of a row. Default 1024. */
  readonly width?: number;
  /** Seed. Default 42. */
  readonly seed?: number;
}

/** What {@linkcode prune} takes. */
export interface PruneInput extends StaticOptions {
  /** A static model: a folder or a model of the hub. */
  readonly model: string;
  /** Keep the tokens alone that these texts have. */
  readonly pruneTexts: readonly string[];
}

/** What came of it. */
export interface StaticResult {
  /** Tokens of the model. */
  readonly tokens: number;
  /** Tokens before they were pruned. */
  readonly of: number;
  /** Features of an embedding. */
  readonly width: number;
}

const COMMON: Readonly<Record<string, Field>> = { pruneTexts: A_LIST, minCount: NUMBERS["positive"] };

/**
 * Distils an encoder into static embeddings, as model2vec does: a row for each token, and a text is the mean of its tokens'.
 * Hundreds of times as fast, and smaller; model2vec and sentence-transformers load the folder, and `finetune` trains it.
 *
 * @param input The teacher, where to save, and how it is distilled.
 * @returns How many tokens and features it has.
 * @throws {UsageError} Settings that cannot be right, or an output folder that is not ours.
 * @throws {CheckpointError} The teacher cannot be loaded.
 *
 * @example
 * ```ts
 * import { distill, encode } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const { width } = await distill({
 *   teacher: await sampleBaseModel(), // or "sentence-transformers/all-MiniLM-L6-v2"
 *   pcaDims: 64,
 *   output: `${folder}/static`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal((await encode(`${folder}/static`, ["the boy eats"])).width, width);
 * ```
 */
export async function distill(input: DistillInput): Promise<StaticResult> {
  const { teacher, vocabulary, pcaDims, sifCoefficient, pooling, ...rest } = input;
  checkTraining(input, {
    teacher: A_MODEL,
    vocabulary: A_LIST,
    pcaDims: NUMBERS["whole"],
    sifCoefficient: A_SHARE,
    pooling: oneOf(["mean", "cls", "lasttoken"]),
    ...COMMON,
  });
  if (vocabulary !== undefined) checkTexts(vocabulary, "vocabulary");
  const work = Effect.gen(function* () {
    const encoder = yield* startingModel(teacher);
    const words = vocabulary && (yield* given(datasetOf({ text: [...vocabulary] })));
    return yield* distilStatic({ teacher: encoder, ...(words && { words }) }, { pcaDims, sifCoefficient, pooling });
  });
  return await save(work, rest, teacher, "Distilled by Kindred, as model2vec distils,");
}

/**
 * Static embeddings that know nothing yet: vectors at random for the tokens of a tokenizer, for `finetune` to train on many
 * pairs.
 *
 * @param input Whose tokens, how wide, and where to save.
 * @returns How many tokens and features it has.
 * @throws {UsageError} Settings that cannot be right, or an output folder that is not ours.
 *
 * @example
 * ```ts
 * import { finetune, randomVectors } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const cacheDir = `${folder}/cache`;
 * const tokenizer = await sampleBaseModel(); // or "sentence-transformers/all-MiniLM-L6-v2"
 * await randomVectors({ tokenizer, width: 16, output: `${folder}/random`, cacheDir });
 * const { steps } = await finetune({
 *   model: `${folder}/random`,
 *   anchor: ["the boy eats", "the dog runs"],
 *   positive: ["the lad eats", "the dog jogs"],
 *   output: `${folder}/trained`,
 *   cacheDir,
 * });
 * assert.equal(steps, 1);
 * ```
 */
export async function randomVectors(input: RandomVectorsInput): Promise<StaticResult> {
  const { tokenizer, width, seed = 42, ...rest } = input;
  checkTraining(input, { tokenizer: A_MODEL, width: NUMBERS["positive"], seed: NUMBERS["whole"], ...COMMON });
  const work = Effect.gen(function* () {
    return yield* randomStatic({ tokenizer: yield* startingModel(tokenizer) }, { width, seed });
  });
  return await save(work, rest, tokenizer, "Vectors at random, made by Kindred for the tokens");
}

/**
 * Keeps the tokens of a static model that texts have: these have the same embeddings as before, and the model is smaller.
 *
 * @param input The model, the texts, and where to save.
 * @returns How many tokens are left.
 * @throws {UsageError} Settings that cannot be right, or an output folder that is not ours.
 *
 * @example
 * ```ts
 * import { distill, prune } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const [model, cacheDir] = [`${folder}/static`, `${folder}/cache`];
 * await distill({ teacher: await sampleBaseModel(), output: model, cacheDir });
 * const texts = ["the boy opens the door", "the dog runs"];
 * const { tokens, of } = await prune({ model, pruneTexts: texts, output: `${folder}/small`, cacheDir });
 * assert.ok(tokens < 15 && of > 500);
 * ```
 */
export async function prune(input: PruneInput): Promise<StaticResult> {
  const { model, ...rest } = input;
  checkTraining(input, { model: A_MODEL, ...COMMON });
  checkTexts(input.pruneTexts, "pruneTexts");
  return await save(startingModel(model), rest, model, "Pruned by Kindred to the tokens of a corpus,");
}

async function save(
  work: Effect.Effect<Artifact<StaticModel> | Artifact<{ readonly folder: string }>, KindredError, Services>,
  { pruneTexts, minCount, output, force = false, cacheDir, engine, progress, signal }: StaticOptions,
  source: string,
  how: string,
): Promise<StaticResult> {
  if (pruneTexts !== undefined) checkTexts(pruneTexts, "pruneTexts");
  await checkOutput(output, force);
  const whole = Effect.gen(function* () {
    const made = yield* work;
    if (pruneTexts === undefined) return yield* valueOf(made as Artifact<StaticModel>);
    const texts = yield* given(datasetOf({ text: [...pruneTexts] }));
    return yield* valueOf(yield* pruneStatic({ model: made, texts }, { minCount }));
  });
  const card = Effect.flatMap(whole, (model) =>
    attempt(async () => {
      const { name, baseModel, license } = await originOf(source);
      const text = modelCard({
        title: "Static embeddings",
        story: `${how} from ${name}; ${counted(model.tokens, "token")}.`,
        baseModel,
        license,
        facts: await folderFacts(model.folder),
        settings: {},
      });
      return { model, text };
    }));
  try {
    const { model, text } = await runStages(card, { cacheDir, engine, progress, signal });
    await copyFolder(model.folder, output);
    await Deno.writeTextFile(join(output, "README.md"), text);
    return { tokens: model.tokens, of: model.of, width: model.width };
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
