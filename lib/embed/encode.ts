/**
 * Embedding many texts: sorted by length, packed by a budget of tokens, returned in the order they came.
 *
 * @module
 */
import { type Engine, scopeAsync } from "../engine/engine.ts";
import { type BiEncoder, embed } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { inference } from "../tensor/tape.ts";
import { pack, type TokenizedTexts } from "../text/packed.ts";
import { tokenize } from "../text/tokenizer.ts";
import type { Embeddings } from "./pairwise.ts";

/** Options of {@linkcode encodeTokens}. */
export interface EncodeOptions {
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number;
  /** Leading tokens that do not count in the pooling: a prompt that the model leaves out. */
  readonly skip?: number;
}

/** Embeds tokenised texts. Nothing is padded; of a model with `truncateDim`, so many features are kept. */
export async function encodeTokens(
  engine: Engine,
  model: BiEncoder,
  texts: TokenizedTexts,
  options: EncodeOptions = {},
): Promise<Embeddings> {
  const { tokenBudget = 4096, skip = 0 } = options;
  const rows = texts.offsets.length - 1;
  const length = (row: number) => texts.offsets[row + 1]! - texts.offsets[row]!;
  const order = Int32Array.from({ length: rows }, (_, i) => i).sort((a, b) => length(b) - length(a) || a - b);

  let data = new Float32Array(0);
  let width = 0;
  for (let start = 0; start < rows;) {
    let end = start;
    let tokens = 0;
    while (end < rows && (end === start || tokens + length(order[end]!) <= tokenBudget)) {
      tokens += length(order[end++]!);
    }
    const batch = order.subarray(start, end);
    await scopeAsync(engine, async () => {
      const packed = pack([{ texts, rows: batch }]);
      const embeddings = embed(inference(engine), model, uploadBatch(engine, packed), undefined, skip).value;
      const values = await engine.read(embeddings);
      const whole = embeddings.shape[1]!;
      if (start === 0) {
        width = Math.min(whole, model.truncateDim ?? whole);
        data = new Float32Array(rows * width);
      }
      batch.forEach((row, i) => data.set(values.subarray(i * whole, i * whole + width), row * width));
    });
    start = end;
  }
  return { data, width, rows };
}

/** Options of {@linkcode embedTexts}. */
export interface EmbedOptions {
  /** Name of one of the model's prompts, or a text to put before every input. Default: the model's own default. */
  readonly prompt?: string | undefined;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
}

/** Tokenises and embeds texts, in their order; an empty text is embedded like any other. */
export async function embedTexts(
  engine: Engine,
  model: BiEncoder,
  texts: readonly string[],
  options: EmbedOptions = {},
): Promise<Embeddings> {
  const name = options.prompt ?? model.defaultPromptName;
  const prompt = name === undefined ? undefined : model.prompts[name] ?? options.prompt;
  const tokens = await tokenize(model.tokenizer, texts, { maxLength: model.maxSeqLength, prompt });
  // The prompt's own tokens, without the separator at its end: what a model may leave out of its pooling.
  const skip = prompt === undefined ? 0 : model.tokenizer.encode(prompt, model.maxSeqLength).length - 1;
  const { tokenBudget = 4096 } = options;
  return await encodeTokens(engine, model, tokens, { tokenBudget, skip });
}
