/**
 * Masking for language modelling (Devlin et al. 2018, arXiv 1810.04805).
 *
 * @module
 */
import { philox, randomPurpose } from "../engine/philox.ts";
import { TokenizerError } from "../error.ts";
import type { PackedBatch } from "./packed.ts";
import { tokenizeBy, type Tokenizer } from "./tokenizer.ts";

/** Options of {@linkcode maskTokens}. */
export interface MaskingOptions {
  /** Share of tokens (or words) to predict. Default .15 */
  readonly rate?: number;
  /**
   * Decide for whole words, all pieces of a word or none: for every token of the batch, 1 where a word begins, else 0, as
   * `wordStarts` of the tokenizer has it. Default: decide for each token.
   */
  readonly wordStarts?: ArrayLike<number> | undefined;
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
 * Draws the tokens to predict: 80 % become the mask, 10 % another ordinary token, 10 % stay. Special tokens are left
 * alone, wherever they stand: also one that a text holds literally. The draw depends on seed, step, row and position
 * alone.
 *
 * @param batch The sequences.
 * @param tokenizer Theirs: it knows the mask and all special tokens.
 * @param key Of the random numbers: the run's seed, and the update.
 * @param options How much is masked, and whether whole words are.
 * @returns What the model sees, and what it shall say.
 * @throws {TokenizerError} The tokenizer has no mask.
 */
export function maskTokens(
  batch: PackedBatch,
  tokenizer: Tokenizer,
  key: { readonly seed: number; readonly step: number },
  options: MaskingOptions = {},
): MaskedBatch {
  const { rate = 0.15, wordStarts } = options;
  const { special: { mask }, specialIds } = tokenizer;
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
    if (wordStarts === undefined || wordStarts[t] !== 0) chosen = words[0]! / 2 ** 32 < rate;
    if (!chosen || specialIds.has(id)) continue;
    positions.push(t);
    const kind = words[1]! / 2 ** 32;
    if (kind < 0.8) ids[t] = mask;
    else if (kind < 0.9) ids[t] = ordinary(tokenizer, words[2]!);
  }
  return { ids, positions: Int32Array.from(positions), targets: Int32Array.from(positions, (t) => batch.ids[t]!) };
}

/** The ordinary token at this place of the vocabulary, or the next one behind it: there is one, that which was masked. */
function ordinary({ vocabSize, specialIds }: Tokenizer, place: number): number {
  let id = place % vocabSize;
  while (specialIds.has(id)) id = (id + 1) % vocabSize;
  return id;
}

/**
 * Where words begin in many texts: for every token that `tokenize` gives them, 1 at the first of a word, else 0.
 *
 * @param tokenizer The one that the texts were tokenised with.
 * @param texts The texts.
 * @param maxLength The limit that they were cut to.
 * @returns One number for each token of all texts, laid end to end.
 */
export async function wordStartsOf(
  tokenizer: Tokenizer,
  texts: readonly string[],
  maxLength: number,
): Promise<Int32Array> {
  return (await tokenizeBy((text) => tokenizer.wordStarts(text, maxLength), texts)).ids;
}
