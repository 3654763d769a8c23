/**
 * Which tokens a masked language model has to guess (Devlin et al. 2019, arXiv 1810.04805).
 *
 * @module
 */
import { philox, randomPurpose } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import type { PackedBatch } from "./packed.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** How tokens are masked. */
export interface MaskingOptions {
  /** Share of the tokens (or words) that are to be guessed. Default .15. */
  readonly rate?: number;
  /** Mask all pieces of a word or none. Default false. */
  readonly wholeWords?: boolean;
  /** The run's seed. */
  readonly seed: number;
  /** The update: the same text gets another mask in another step. */
  readonly step: number;
}

/** A masked batch. */
export interface MaskedBatch {
  /** The batch with other ids. */
  readonly packed: PackedBatch;
  /** [T] the id to be guessed, −1 where there is nothing to guess. */
  readonly targets: Int32Array;
}

/**
 * Chooses tokens at `rate`, never special ones; of these 80 % become the mask token, 10 % any token, 10 % stay.
 *
 * Like a dropout mask, the choice is a function of seed, step, the row's place in the epoch and the token's position: it
 * does not depend on how rows were packed. If chance chose none of the batch, the token that came closest is taken, so
 * that there is a loss.
 *
 * @example
 * ```ts
 * import { maskTokens, pack, tokenizerFromVocabulary } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "fish"]);
 * const ids = Int32Array.from(tokenizer.encode("red fish", 8));
 * const batch = pack([{ texts: { ids, typeIds: undefined, offsets: Int32Array.of(0, ids.length) }, rows: [0] }]);
 * const { targets } = maskTokens(batch, tokenizer, { seed: 1, step: 1, rate: 1 });
 * assert.deepEqual([...targets], [-1, 5, 6, -1]);
 * ```
 */
export function maskTokens(batch: PackedBatch, tokenizer: Tokenizer, options: MaskingOptions): MaskedBatch {
  const { rate = 0.15, wholeWords = false, seed, step } = options;
  const { pad, cls, sep, mask } = tokenizer.special;
  if (mask === undefined) throw new UsageError("this tokenizer has no mask token", { expected: "[MASK] or <mask>" });
  if (!(rate > 0 && rate <= 1)) {
    throw new UsageError("no share of tokens", { expected: "0 < rate ≤ 1", found: `${rate}` });
  }
  const special = new Set([pad, cls, sep, mask]);
  const ids = batch.ids.slice();
  const targets = new Int32Array(ids.length).fill(-1);
  const purpose = randomPurpose("masking");
  const words = new Uint32Array(4);
  const draw = (t: number) => philox(seed, purpose, batch.places[2 * t + 1]!, step, batch.places[2 * t]!, 0, words);

  // The token whose draw decides for token t: itself, or the first piece of its word; −1 for special tokens.
  const leaders = new Int32Array(ids.length);
  const hide = (t: number) => {
    targets[t] = batch.ids[t]!;
    draw(t);
    const kind = words[1]! / 0x100000000;
    if (kind < 0.8) ids[t] = mask;
    else if (kind < 0.9) ids[t] = Math.floor(words[2]! / 0x100000000 * tokenizer.vocabSize);
  };

  let closest = -1;
  let lowest = Infinity;
  let chosen = false;
  for (let t = 0; t < ids.length; t++) {
    const id = batch.ids[t]!;
    leaders[t] = -1;
    if (special.has(id)) continue;
    const goesOn = wholeWords && batch.positions[t]! > 0 && leaders[t - 1]! >= 0 && tokenizer.continues(id);
    leaders[t] = goesOn ? leaders[t - 1]! : t;
    draw(leaders[t]!);
    const first = words[0]!;
    if (first < lowest) [lowest, closest] = [first, leaders[t]!];
    if (first >= rate * 0x100000000) continue;
    chosen = true;
    hide(t);
  }
  if (!chosen && closest >= 0) leaders.forEach((leader, t) => leader === closest && hide(t));
  return { packed: { ...batch, ids }, targets };
}
