/**
 * Embeddings of tokens: what the encoder makes of each token of a text, before anything is pooled, as
 * sentence-transformers' `encode(…, output_value="token_embeddings")` gives it.
 *
 * @module
 */
import { type Engine, scopeAsync } from "../engine/engine.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { encode } from "../model/encoder.ts";
import { promptOf } from "../model/prompts.ts";
import { giveBack } from "../numeric/give_back.ts";
import { inference } from "../tensor/tape.ts";
import { pack } from "../text/packed.ts";
import { tokenize } from "../text/tokenizer.ts";
import { batchesOf, type EncodeOptions } from "./encode.ts";

/** One matrix of [tokens, width] for each text, laid end to end. */
export interface TokenEmbeddings {
  /** [T, width] rows of all tokens. */
  readonly data: Float32Array<ArrayBuffer>;
  /** Text i has the rows from offsets[i], before offsets[i + 1]. */
  readonly offsets: Int32Array<ArrayBuffer>;
  /** Features of the encoder: those of an embedding only where nothing changes them behind the pooling. */
  readonly width: number;
  /** Number of texts. */
  readonly rows: number;
}

/**
 * The features of every token, special tokens and those of the prompt among them, as sentence-transformers gives them:
 * whatever follows the encoder (pooling, dense layers, normalisation, `truncateDim`) does not touch them. Of static
 * embeddings, for which that library gives none, they are the rows of the table.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param texts n texts; longer ones than the model takes are cut.
 * @param options The prompt, and how much goes through the encoder at once.
 * @returns Rows of all tokens, and where each text begins, in the order of the texts.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { tokenEmbeddings } from "@kindred/kindred/embed";
 * import { loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadBiEncoder(engine, await sampleBaseModel());
 * const { data, offsets, width } = await tokenEmbeddings(engine, model, ["boy", ""]);
 * assert.deepEqual([...offsets], [0, 3, 5]); // [CLS] boy [SEP], [CLS] [SEP]
 * const second = data.subarray(offsets[1]! * width, offsets[2]! * width);
 * assert.equal(second.length, 2 * 128);
 * engine.close();
 * ```
 */
export async function tokenEmbeddings(
  engine: Engine,
  model: BiEncoder,
  texts: readonly string[],
  options: EncodeOptions = {},
): Promise<TokenEmbeddings> {
  const { tokenBudget = 4096 } = options;
  const tokens = await tokenize(model.tokenizer, texts, {
    maxLength: model.maxSeqLength,
    prompt: promptOf(model, options),
  });
  const { offsets } = tokens;
  const width = model.encoder.config.hiddenSize;
  const data = new Float32Array(offsets.at(-1)! * width);
  for (const batch of batchesOf(tokens, tokenBudget)) {
    await scopeAsync(engine, async () => {
      const packed = pack([{ texts: tokens, rows: batch }]);
      const values = await engine.read(
        encode(inference(engine), model.encoder, uploadBatch(engine, packed)).value,
      );
      for (let i = 0; i < batch.length; i++) {
        const [from, to] = [packed.offsets[i]! * width, packed.offsets[i + 1]! * width];
        data.set((values as Float32Array).subarray(from, to), offsets[batch[i]!]! * width);
      }
      giveBack(values);
    });
  }
  return { data, offsets: Int32Array.from(offsets), width, rows: texts.length };
}
