/**
 * Noise for denoising auto-encoders: texts with words missing.
 *
 * @module
 */
import { philox, randomPurpose } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import { joinWords, splitWords } from "../text/words.ts";

/** What a draw depends on, and nothing else: not on batches, nor on what was drawn before. */
export interface NoiseDraw {
  /** The run's seed. */
  readonly seed: number;
  /** Pass over the data, from 0. */
  readonly epoch: number;
  /** Row of the dataset. */
  readonly row: number;
}

/** Damages a text. */
export type Noise = (text: string, draw: NoiseDraw) => string;

/** Options of {@linkcode deletion}. */
export interface DeletionOptions {
  /** Share of words that are deleted, each by itself; 0 ≤ ratio < 1. Default .6 */
  readonly ratio?: number;
  /** Damage a text once, the same way in every epoch. Default false: afresh in each. */
  readonly fixed?: boolean;
}

/**
 * Deletes words at random and keeps at least one; a text without words stays as it is. Words are nltk's: see
 * `splitWords` and `joinWords`.
 *
 * Wang et al. 2021 (TSDAE, arXiv 2104.06979) delete 60 % of the words, as `DenoisingAutoEncoderDataset` of
 * sentence-transformers does, which draws afresh whenever a row is read. The scripts and the docstring that
 * sentence-transformers ships since version 3 have the ratio inverted: with the same `del_ratio=0.6` they keep 60 %.
 * `fixed` is what the book "Hands-On Large Language Models" does.
 *
 * @param options Which share of the words goes, by which draw.
 * @returns Noise for `denoisingObjective`.
 * @throws {UsageError} A share that is not between 0 and 1.
 *
 * @example
 * ```ts
 * import { deletion } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const damage = deletion({ ratio: 0.5 });
 * const [text, draw] = ["The bird sings in the tree, and the fish can't hear it.", { seed: 1, epoch: 0, row: 0 }];
 * assert.ok(damage(text, draw).length < text.length);
 * assert.equal(damage(text, draw), damage(text, draw));
 * assert.notEqual(damage(text, draw), damage(text, { ...draw, epoch: 1 }));
 * assert.equal(damage("One", draw), "One");
 * ```
 */
export function deletion(options: DeletionOptions = {}): Noise {
  const { ratio = 0.6, fixed = false } = options;
  if (!(ratio >= 0 && ratio < 1)) {
    throw new UsageError("the share of words to delete is out of range", {
      expected: "at least 0 and below 1",
      found: `${ratio}`,
    });
  }
  const purpose = randomPurpose("noise");
  const bits = new Uint32Array(4);
  return (text, { seed, epoch, row }) => {
    const pass = fixed ? 0 : epoch;
    const words = splitWords(text);
    if (words.length === 0) return text;
    const kept = words.filter((_, i) => {
      if (i % 4 === 0) philox(seed, purpose, i / 4, row, pass, 0, bits);
      return bits[i % 4]! >= ratio * 2 ** 32;
    });
    if (kept.length > 0) return joinWords(kept);
    philox(seed, purpose, 0, row, pass, 1, bits);
    return joinWords([words[bits[0]! % words.length]!]);
  };
}
