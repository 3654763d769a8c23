/**
 * What texts can be encoded to: embeddings as they are computed, in another precision, or those of their tokens.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { type EncodeOptions, encodeTexts } from "./encode.ts";
import { type Embeddings, rowsOf } from "./pairwise.ts";
import { type Calibration, type OutputPrecision, type QuantizedEmbeddings, quantizeEmbeddings } from "./quantize.ts";
import { type TokenEmbeddings, tokenEmbeddings } from "./token_embeddings.ts";

/** Options of one embedding for each text. */
export interface SentenceOptions extends Calibration {
  /** One embedding for each text: the default. */
  readonly output?: "sentence" | undefined;
  /**
   * How the embeddings are kept, as sentence-transformers' `precision`. Default float32. That of the computation is an
   * option of the engine.
   */
  readonly precision?: OutputPrecision | undefined;
  /** Whether embeddings come with length 1. Default false. */
  readonly normalize?: boolean | undefined;
}

/** Options of one embedding for each token. */
export interface TokenOptions {
  /** One embedding for each token, as sentence-transformers' `output_value="token_embeddings"`. */
  readonly output: "tokens";
}

/** What comes out. */
export type Encoded = Embeddings | QuantizedEmbeddings | TokenEmbeddings;

/**
 * Encodes texts to float32: one row for each, or one for each token.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param texts The texts.
 * @param options What comes out.
 * @returns Rows in the order of the texts.
 */
export async function encodeOutput(
  engine: Engine,
  model: BiEncoder,
  texts: readonly string[],
  options: EncodeOptions & { readonly output?: "sentence" | "tokens" | undefined },
): Promise<Embeddings | TokenEmbeddings> {
  const { output, ...rest } = options;
  return await (output === "tokens" ? tokenEmbeddings : encodeTexts)(engine, model, texts, rest);
}

/** Some texts' part of what {@linkcode encodeOutput} made of many: `count` from `start` on. */
export function partOf(all: Embeddings | TokenEmbeddings, start: number, count: number): Embeddings | TokenEmbeddings {
  if (!("offsets" in all)) return rowsOf(all, Int32Array.from({ length: count }, (_, i) => start + i));
  const { data, offsets, width } = all;
  const first = offsets[start]!;
  const own = offsets.slice(start, start + count + 1);
  return {
    data: data.slice(first * width, own.at(-1)! * width),
    offsets: own.map((offset) => offset - first),
    width,
    rows: count,
  };
}

/** Embeddings in the precision that is asked for; without one, as they are. */
export function inPrecision(encoded: Embeddings | TokenEmbeddings, options: SentenceOptions | TokenOptions): Encoded {
  if ("offsets" in encoded || options.output === "tokens" || options.precision === undefined) return encoded;
  return quantizeEmbeddings(encoded, options.precision, options);
}
