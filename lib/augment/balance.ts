/**
 * Silver pairs with the distribution of the gold ones. Random pairs are nearly all unrelated; a bi-encoder that learns
 * from them learns that (Thakur et al. 2021, https://arxiv.org/abs/2010.08240, §3.1, "Kernel Density Estimation").
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { type Density, divergence, kernelDensity, lookUpDensity, tabulateDensity } from "./density.ts";

/** Which silver pairs stay. */
export interface DensitySample {
  /** Rows of the silver pairs, ascending. */
  readonly rows: Int32Array;
  /** ∫ gold ln(gold / silver) of the densities, before and after; 0 if the distributions are the same. */
  readonly divergence: { readonly before: number; readonly after: number };
}

/** Options of {@linkcode sampleByDensity}. */
export interface DensitySampleOptions {
  /** Decides who stays. */
  readonly seed: number;
  /** How often the rule is applied to what it left: more is nearer to the gold distribution, and less remains. Default 1. */
  readonly rounds?: number;
}

/**
 * Keeps a silver pair of score s with probability min(1, F_gold(s) / F_silver(s)): the rule of the paper, once as there.
 * What remains has the density min(F_gold, F_silver), normalised: the gold one where there were enough.
 *
 * Densities are {@linkcode kernelDensity}s, read from tables of a sixteenth of the narrower bandwidth. Whether a pair
 * stays depends on the seed, its row, and the scores.
 *
 * @param gold Scores of the gold pairs.
 * @param silver Scores of the silver pairs.
 * @param options Seed and rounds.
 * @returns Rows of the silver pairs that stay, and how far the distributions were apart before and after.
 * @throws {UsageError} Rounds that are not a whole number from 1.
 * @throws {DatasetError} Scores on either side that are all equal, or not finite.
 *
 * @example
 * ```ts
 * import { sampleByDensity } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * // Gold scores are spread evenly; nine in ten silver ones are near 0.
 * const gold = Array.from({ length: 50 }, (_, i) => i / 50);
 * const silver = Array.from({ length: 500 }, (_, i) => i % 10 === 0 ? i / 500 : 0.1 * i / 500);
 * const { rows, divergence } = await sampleByDensity(gold, silver, { seed: 1 });
 * assert.ok(rows.length < 500 && divergence.after < divergence.before);
 * ```
 */
export async function sampleByDensity(
  gold: ArrayLike<number>,
  silver: ArrayLike<number>,
  options: DensitySampleOptions,
): Promise<DensitySample> {
  const { seed, rounds = 1 } = options;
  expectWholeNumber("rounds", rounds);
  const target = densityOf("gold", gold);
  let rows = Int32Array.from({ length: silver.length }, (_, row) => row);
  let before = NaN;
  for (let round = 0; round < rounds; round++) {
    const { p, q } = await tables(rows);
    if (round === 0) before = divergence(p, q);
    rows = rows.filter((row) => {
      const ratio = lookUpDensity(p, silver[row]!) / lookUpDensity(q, silver[row]!);
      return randomStream(seed, randomPurpose("pairs", 1 + round), row).uniform() < ratio;
    });
  }
  const { p, q } = await tables(rows);
  return { rows, divergence: { before, after: divergence(p, q) } };

  /** Both densities at places that cover all scores and the tails of both. */
  async function tables(rows: Int32Array) {
    const scores = Float64Array.from(rows, (row) => silver[row]!);
    const source = densityOf("silver", scores);
    const widest = Math.max(target.bandwidth, source.bandwidth);
    let low = Infinity;
    let high = -Infinity;
    for (const values of [gold, scores]) {
      for (let i = 0; i < values.length; i++) {
        low = Math.min(low, values[i]!);
        high = Math.max(high, values[i]!);
      }
    }
    const places = {
      low: low - 3 * widest,
      high: high + 3 * widest,
      step: Math.min(target.bandwidth, source.bandwidth) / 16,
    };
    return { p: await tabulateDensity(target, places), q: await tabulateDensity(source, places) };
  }
}

function densityOf(name: string, scores: ArrayLike<number>): Density {
  try {
    return kernelDensity(scores);
  } catch (error) {
    if (!(error instanceof DatasetError)) throw error;
    throw new DatasetError(`no density of the ${name} scores`, {
      expected: error.expected!,
      found: error.found!,
      hint: "sample classes by their share, or take other pairs",
    });
  }
}

/**
 * Keeps as many silver pairs of each class as there must be for the shares of the gold ones: a scarce class stays
 * whole, and the abundant ones are thinned out at random.
 *
 * @param gold Classes of the gold pairs.
 * @param silver Classes of the silver pairs.
 * @param options The seed.
 * @returns Rows of the silver pairs that stay, ascending.
 * @throws {DatasetError} No silver pair is of a class that gold pairs have.
 *
 * @example
 * ```ts
 * import { sampleByClass } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const rows = sampleByClass([1, 0, 1, 0], [0, 0, 0, 1, 0, 0, 1], { seed: 1 });
 * assert.equal(rows.length, 4);
 * assert.ok(rows.includes(3) && rows.includes(6));
 * ```
 */
export function sampleByClass(
  gold: ArrayLike<number>,
  silver: ArrayLike<number>,
  options: { readonly seed: number },
): Int32Array {
  const shares = new Map<number, number>();
  for (let i = 0; i < gold.length; i++) shares.set(gold[i]!, (shares.get(gold[i]!) ?? 0) + 1 / gold.length);
  const members = new Map<number, number[]>([...shares.keys()].map((label) => [label, []]));
  for (let row = 0; row < silver.length; row++) members.get(silver[row]!)?.push(row);
  let total = Infinity;
  for (const [label, share] of shares) {
    const { length } = members.get(label)!;
    if (length === 0) {
      throw new DatasetError(`no silver pair has class ${label}`, {
        expected: `classes ${[...shares.keys()].sort((a, b) => a - b).join(", ")}, as the gold pairs have`,
        found: `${silver.length} silver pairs without it`,
        hint: "take more pairs, or pairs that are nearer to each other: --pairs bm25",
      });
    }
    total = Math.min(total, length / share);
  }
  const kept: number[] = [];
  for (const [label, rows] of members) {
    randomStream(options.seed, randomPurpose("pairs", 1000), label).shuffle(rows);
    kept.push(...rows.slice(0, Math.round(total * shares.get(label)!)));
  }
  return Int32Array.from(kept).sort();
}
