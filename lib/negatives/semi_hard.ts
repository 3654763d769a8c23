/**
 * Semi-hard negatives: near to the anchor by its embedding, yet clearly less so than the positive.
 *
 * The parameters are those of sentence-transformers' `mine_hard_negatives`, with the same results where it is right.
 * Here, a cross-encoder counts whether or not there is a margin, sampling follows the seed, a text is no negative of
 * itself, and what a bound leaves out is counted among candidates alone, not among positives and gaps.
 *
 * @module
 */
import type { Dataset, Pairs } from "../data/dataset.ts";
import type { RoleEncoder } from "../embed/roles.ts";
import type { Engine } from "../engine/engine.ts";
import { type CandidateOptions, findCandidates, indexPairs } from "./candidates.ts";
import { expectRange, type Selection, selectNegatives, type SelectOptions } from "./select.ts";

/** Options of {@linkcode semiHardNegatives}. */
export interface SemiHardOptions extends Omit<CandidateOptions, "count">, SelectOptions {
  /**
   * Candidates looked at, from the best. Default: `rangeMin`, the most positives of an anchor, and the negatives: ten
   * times as many where a margin, `maxScore` or a scorer may leave some out.
   */
  readonly rangeMax?: number | undefined;
}

/** Negatives and how they came about. */
export interface SemiHardResult extends Selection {
  /** The range, also where it was derived. */
  readonly range: { readonly min: number; readonly max: number };
}

/**
 * The nearest texts of each anchor that are no positives of it and keep the bounds.
 *
 * Defaults of `mine_hard_negatives`; NV-Retriever (Moreira et al. 2024, arXiv 2407.15831) found `relativeMargin` .05
 * with `sampling` top best. The result is what `toTriplets`, `toTuples`, `toLabelledPairs` and `toLabelledLists` write
 * out, and `withNegatives` joins to a dataset.
 *
 * @param engine Compares embeddings.
 * @param pairs Anchors and their positives.
 * @param encode Embeds anchors as queries, and texts as documents: a `roleEncoder`, or a function of your own.
 * @param options Where to look, bounds, range, how many.
 * @returns The negatives of every anchor, what each bound left out, and the range.
 * @throws {UsageError} A number that is not whole, a bound that is not finite, or a range that holds fewer candidates
 *   than are wanted.
 * @throws {DatasetError} There are no pairs.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { semiHardNegatives, toTriplets } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const angle: Record<string, number> = { dog: 0, hound: .1, puppy: .11, cat: .5, car: 1.5 };
 * const encode = (texts: readonly string[]) => Promise.resolve({
 *   data: Float32Array.from(texts.flatMap((text) => [Math.cos(angle[text]!), Math.sin(angle[text]!)])),
 *   width: 2,
 *   rows: texts.length,
 * });
 * const pairs = { columns: { anchor: ["dog"], positive: ["hound"] }, rows: 1 };
 * const { negatives } = await semiHardNegatives(engine, pairs, encode, {
 *   corpus: ["puppy", "cat", "car"],
 *   negatives: 1,
 *   absoluteMargin: .05, // leaves out the puppy
 * });
 * assert.deepEqual(toTriplets(negatives).dataset.columns.negative, ["cat"]);
 * engine.close();
 * ```
 */
export async function semiHardNegatives(
  engine: Engine,
  pairs: Dataset<Pairs>,
  encode: RoleEncoder,
  options: SemiHardOptions = {},
): Promise<SemiHardResult> {
  const { negatives = 3, rangeMin = 0, maxScore, absoluteMargin, relativeMargin, score } = options;
  expectRange(negatives, rangeMin, options.rangeMax);
  const isBounded = [maxScore, absoluteMargin, relativeMargin, score].some((option) => option !== undefined);
  const rangeMax = options.rangeMax ?? rangeMin + negatives * (isBounded ? 10 : 1) + indexPairs(pairs).mostPositives;
  const candidates = await findCandidates(engine, pairs, encode, { ...options, count: rangeMax });
  return { ...selectNegatives(candidates, { ...options, rangeMax }), range: { min: rangeMin, max: rangeMax } };
}
