/**
 * Densities of scores by Gaussian kernels.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { DatasetError } from "../error.ts";
import { turnTaker } from "../numeric/turn.ts";

/** An estimated density. */
export interface Density {
  /** Standard deviation of the kernels. */
  readonly bandwidth: number;
  /** The density at a place. */
  readonly at: (x: number) => number;
}

/**
 * f(x) = 1/n Σ φ((x − xᵢ) / h) / h with Scott's bandwidth h = s · n^(−1/5), s the sample standard deviation (divided by
 * n − 1): `scipy.stats.gaussian_kde` as it comes. A density of equal values does not exist and is a `DatasetError`.
 *
 * @param values n ≥ 2 numbers, not all equal.
 * @returns The density at any place, and the bandwidth.
 * @throws {DatasetError} Fewer than two different values, or one that is not finite.
 *
 * @example
 * ```ts
 * import { kernelDensity } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const density = kernelDensity([0, 0, 1]);
 * assert.ok(density.at(0) > density.at(1));
 * ```
 */
export function kernelDensity(values: ArrayLike<number>): Density {
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i]! - mean) ** 2;
  const bandwidth = Math.sqrt(squares / (n - 1)) * n ** -.2;
  // Asked of the values: the mean of equal ones is rounded, and then they seem to vary.
  let differs = false;
  for (let i = 1; i < n && !differs; i++) differs = values[i] !== values[0];
  if (!differs || !(bandwidth > 0 && bandwidth < Infinity)) {
    throw new DatasetError("no density can be estimated", {
      expected: "at least two different finite values",
      found: n < 2 ? counted(n, "value") : `${counted(n, "value")} like ${values[0]}`,
    });
  }
  const factor = 1 / (n * bandwidth * Math.sqrt(2 * Math.PI));
  return {
    bandwidth,
    at(x) {
      let sum = 0;
      for (let i = 0; i < n; i++) {
        const z = (x - values[i]!) / bandwidth;
        sum += Math.exp(-.5 * z * z);
      }
      return sum * factor;
    },
  };
}

/** Values of a density at equal distances, from `low`. */
export interface DensityTable {
  /** The first place. */
  readonly low: number;
  /** From one place to the next. */
  readonly step: number;
  /** The density at each. */
  readonly values: Float64Array;
}

/** A density where it is needed, so that n scores cost far fewer than n² kernels. Lets the event loop turn meanwhile. */
export async function tabulateDensity(
  density: Density,
  { low, high, step }: { readonly low: number; readonly high: number; readonly step: number },
): Promise<DensityTable> {
  const values = new Float64Array(Math.floor((high - low) / step) + 2);
  const turn = turnTaker();
  for (let i = 0; i < values.length; i++) {
    values[i] = density.at(low + i * step);
    await turn();
  }
  return { low, step, values };
}

/** The density at `x` by linear interpolation; `x` is within the table. */
export function lookUpDensity({ low, step, values }: DensityTable, x: number): number {
  const place = (x - low) / step;
  const i = Math.min(Math.floor(place), values.length - 2);
  return values[i]! + (values[i + 1]! - values[i]!) * (place - i);
}

/** ∫ p ln(p / q), the divergence of q from p (Kullback and Leibler 1951), over tables of the same places. */
export function divergence(p: DensityTable, q: DensityTable): number {
  let sum = 0;
  for (let i = 0; i < p.values.length; i++) {
    if (p.values[i]! > 0) {
      sum += p.values[i]! * Math.log(p.values[i]! / Math.max(q.values[i]!, Number.MIN_VALUE)) * p.step;
    }
  }
  return sum;
}
