/**
 * Masking for language modelling (Devlin et al. 2018, arXiv 1810.04805).
 *
 * @module
 */
import { philox, randomPurpose } from "../engine/philox.ts";
import { TokenizerError } from "../error.ts";
import type { PackedBatch } from "./packed.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** Options of {@linkcode maskTokens}. */
export interface MaskingOptions {
  /** Share of tokens (or words) to predict. Default .15 */
  readonly rate?: number;
  /** Decide for whole words: all pieces of a word are masked, or none. Default false. */
  readonly wholeWords?: boolean;
}

/** A masked batch: what the model sees, and what it shall say. */
export interface MaskedBatch {
  /** [T] ids with masks. */
  readonly ids: Int32Array;
  /** Tokens to predict. */
  readonly positions: Int32Array;
  /** Their true ids. */
  readonly targets: Int32Array;
}

/**
 * Draws the tokens to predict: 80 % become the mask, 10 % another token, 10 % stay. Special tokens are left alone. The
 * draw depends on seed, step, row and position alone.
 */
export function maskTokens(
  batch: PackedBatch,
  tokenizer: Tokenizer,
  key: { readonly seed: number; readonly step: number },
  options: MaskingOptions = {},
): MaskedBatch {
  const { rate = 0.15, wholeWords = false } = options;
  const { cls, sep, pad, mask } = tokenizer.special;
  if (mask === undefined) {
    throw new TokenizerError("the tokenizer has no mask token", { expected: "[MASK] or <mask>" });
  }
  const purpose = randomPurpose("masking");
  const words = new Uint32Array(4);
  const ids = batch.ids.slice();
  const positions: number[] = [];
  let chosen = false;
  for (let t = 0; t < ids.length; t++) {
    const id = batch.ids[t]!;
    philox(key.seed, purpose, batch.places[2 * t + 1]!, batch.places[2 * t]!, key.step, 0, words);
    if (!(wholeWords && tokenizer.continues(id))) chosen = words[0]! / 2 ** 32 < rate;
    if (id === cls || id === sep || id === pad || !chosen) continue;
    positions.push(t);
    const kind = words[1]! / 2 ** 32;
    if (kind < 0.8) ids[t] = mask;
    else if (kind < 0.9) ids[t] = words[2]! % tokenizer.vocabSize;
  }
  return { ids, positions: Int32Array.from(positions), targets: Int32Array.from(positions, (t) => batch.ids[t]!) };
}
