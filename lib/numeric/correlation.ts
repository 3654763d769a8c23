/**
 * Correlations, in float64, equal to scipy's.
 *
 * @module
 */

/** Numbers by index. */
export type Values = ArrayLike<number>;

/**
 * Pearson's correlation r = Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²), in float64, equal to `scipy.stats.pearsonr`.
 *
 * @param x Numbers, for instance cosines of pairs.
 * @param y As many others, for instance scores that people gave.
 * @returns r from −1 to 1; NaN if either side is constant, or empty.
 *
 * @example
 * ```ts
 * import { pearson } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const cosines = [0.1, 0.4, 0.7];
 * assert.equal(pearson(cosines, [1, 2, 3]), 1); // on a line
 * assert.ok(pearson(cosines, [1, 2, 9]) < 1);
 * ```
 */
export function pearson(x: Values, y: Values): number {
  const n = x.length;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    meanX += x[i]!;
    meanY += y[i]!;
  }
  meanX /= n;
  meanY /= n;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xx === 0 || yy === 0 ? NaN : Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

/**
 * Ranks from 1 in ascending order, as `scipy.stats.rankdata` gives them.
 *
 * @param x Numbers.
 * @returns The rank of each; equal numbers share the mean of their ranks. What is not a number has none: NaN.
 *
 * @example
 * ```ts
 * import { ranks } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.deepEqual([...ranks([0.2, 0.9, 0.2])], [1.5, 3, 1.5]);
 * ```
 */
export function ranks(x: Values): Float64Array {
  return ranksInto(x, new Float64Array(x.length), new Float64Array(x.length));
}

/** Most numbers whose ranks are float32 to the last bit: halves have 24 bits up to there. */
export const MOST_FLOAT32_RANKS = 2 ** 23;

/**
 * The same in memory that is there already: as many numbers for the result, of float32 up to `MOST_FLOAT32_RANKS` of them,
 * and as many that are sorted on the way.
 */
export function ranksInto<Ranks extends Float32Array | Float64Array>(
  x: Values,
  result: Ranks,
  sorted: Float64Array,
): Ranks {
  sorted.set(x);
  sorted.sort(); // without a function that compares: in place, and fast
  /** How many are below a value; or below it or equal. */
  const count = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    result[i] = Number.isNaN(value) ? NaN : (count(value, false) + count(value, true) + 1) / 2;
  }
  return result;
}

/**
 * Spearman's correlation ρ: {@linkcode pearson} of the {@linkcode ranks}, equal to `scipy.stats.spearmanr`.
 *
 * @param x Numbers, for instance cosines of pairs.
 * @param y As many others, for instance scores that people gave.
 * @returns ρ from −1 to 1, 1 wherever both sides have the same order; NaN if either side is constant, or empty.
 *
 * @example
 * ```ts
 * import { spearman } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.equal(spearman([1, 2, 3], [1, 8, 27]), 1);
 * assert.equal(spearman([1, 2, 3], [9, 4, 1]), -1);
 * ```
 */
export function spearman(x: Values, y: Values): number {
  return pearson(ranks(x), ranks(y));
}
