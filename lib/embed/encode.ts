/**
 * Embedding many texts: sorted by length, packed by a budget of tokens, returned in the order they came.
 *
 * @module
 */
import { type Engine, scopeAsync } from "../engine/engine.ts";
import { type BiEncoder, embed, keptWidth } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { type PromptChoice, promptLength, promptOf } from "../model/prompts.ts";
import { giveBack } from "../numeric/give_back.ts";
import { inference } from "../tensor/tape.ts";
import { pack, type TokenizedTexts } from "../text/packed.ts";
import { tokenize } from "../text/tokenizer.ts";
import type { Embeddings } from "./pairwise.ts";

/** Options of {@linkcode encodeTokens}. */
export interface EncodeTokensOptions {
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number;
  /** Leading tokens that do not count in the pooling: a prompt that the model leaves out. */
  readonly skip?: number;
}

/**
 * Embeds tokenised texts: sorted by length, packed by a budget of tokens, returned in the order they came. Nothing is
 * padded; of a model with `truncateDim`, so many features are kept.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param texts Token ids of n texts, the special tokens included.
 * @param options How much goes through the encoder at once, and what the pooling leaves out.
 * @returns [n, width] embeddings.
 */
export async function encodeTokens(
  engine: Engine,
  model: BiEncoder,
  texts: TokenizedTexts,
  options: EncodeTokensOptions = {},
): Promise<Embeddings> {
  const { tokenBudget = 4096, skip = 0 } = options;
  const rows = texts.offsets.length - 1;
  const width = keptWidth(model);
  const data = new Float32Array(rows * width);
  for (const batch of batchesOf(texts, tokenBudget)) {
    await scopeAsync(engine, async () => {
      const packed = pack([{ texts, rows: batch }]);
      const embeddings = embed(inference(engine), model, uploadBatch(engine, packed), undefined, skip).value;
      const values = await engine.read(embeddings);
      const whole = embeddings.shape[1]!;
      for (let i = 0; i < batch.length; i++) {
        const to = batch[i]! * width;
        for (let feature = 0; feature < width; feature++) data[to + feature] = values[i * whole + feature]!;
      }
      giveBack(values);
    });
  }
  return { data, width, rows };
}

/** Rows that go through the encoder together, the longest first: as many as a budget of tokens holds. */
export function* batchesOf({ offsets }: TokenizedTexts, tokenBudget: number): Generator<Int32Array> {
  const rows = offsets.length - 1;
  const length = (row: number) => offsets[row + 1]! - offsets[row]!;
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => length(b) - length(a) || a - b);
  for (let start = 0; start < rows;) {
    let end = start;
    let tokens = 0;
    while (end < rows && (end === start || tokens + length(order[end]!) <= tokenBudget)) {
      tokens += length(order[end++]!);
    }
    yield order.subarray(start, end);
    start = end;
  }
}

/** Options of {@linkcode encodeTexts}. */
export interface EncodeOptions extends PromptChoice {
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
  /** Whether embeddings come with length 1, after `truncateDim`; a zero vector stays one. Default false. */
  readonly normalize?: boolean | undefined;
}

/**
 * Texts to embeddings, with the model's tokenizer, prompt and pooling. An empty text is embedded like any other.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param texts n texts; longer ones than the model takes are cut.
 * @param options The prompt, and how much goes through the encoder at once.
 * @returns [n, width] embeddings, in the order of the texts.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { encodeTexts, pairwiseSimilarities } from "@kindred/kindred/embed";
 * import { loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadBiEncoder(engine, await sampleBaseModel());
 * const first = await encodeTexts(engine, model, ["the boy eats an apple", "the boy eats an apple"]);
 * const second = await encodeTexts(engine, model, ["the boy eats an apple", "a castle on a hill"]);
 * const { cosine } = pairwiseSimilarities(first, second);
 * assert.ok(cosine[0]! > 0.999 && cosine[0]! > cosine[1]!);
 * engine.close();
 * ```
 */
export async function encodeTexts(
  engine: Engine,
  model: BiEncoder,
  texts: readonly string[],
  options: EncodeOptions = {},
): Promise<Embeddings> {
  const prompt = promptOf(model, options);
  const tokens = await tokenize(model.tokenizer, texts, { maxLength: model.maxSeqLength, prompt });
  const skip = promptLength(model.tokenizer, prompt, model.maxSeqLength);
  const { tokenBudget = 4096, normalize = false } = options;
  const embeddings = await encodeTokens(engine, model, tokens, { tokenBudget, skip });
  if (normalize) normalizeInPlace(embeddings);
  return embeddings;
}

function normalizeInPlace({ data, rows, width }: Embeddings): void {
  for (let row = 0; row < rows; row++) {
    const embedding = data.subarray(row * width, (row + 1) * width);
    const norm = Math.sqrt(embedding.reduce((sum, x) => sum + x * x, 0)) || 1;
    embedding.forEach((x, i) => embedding[i] = x / norm);
  }
}
