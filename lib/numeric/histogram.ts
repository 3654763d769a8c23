/**
 * Histograms: how many values lie in each of equal bins.
 *
 * @module
 */

/** Counts of values in equal bins. */
export interface Histogram {
  /** Lower end of the first bin. */
  readonly low: number;
  /** Upper end of the last bin. */
  readonly high: number;
  /** Values in each bin. */
  readonly counts: readonly number[];
}

/**
 * Counts values in equal bins.
 *
 * @param values The values; those outside of the range, and what is not a number, are left out.
 * @param options `bins`: how many, default 24; `range`: from where to where, default: the range of the values.
 * @returns The counts, and the range.
 *
 * @example
 * ```ts
 * import { histogramOf } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.deepEqual(histogramOf([0, 0.1, 0.9], { bins: 2, range: [0, 1] }).counts, [2, 1]);
 * ```
 */
export function histogramOf(
  values: Iterable<number>,
  options: { readonly bins?: number; readonly range?: readonly [number, number] | undefined } = {},
): Histogram {
  const { bins = 24, range } = options;
  const list = [...values];
  const [low, high] = range ?? (list.length === 0 ? [0, 1] : [least(list), greatest(list)]);
  const counts = new Array<number>(bins).fill(0);
  for (const value of list) {
    if (!(value >= low && value <= high)) continue;
    counts[high > low ? Math.min(bins - 1, Math.floor(bins * (value - low) / (high - low))) : 0]!++;
  }
  return { low, high, counts };
}

const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
const greatest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
