/**
 * How probable a correlation is where there is none.
 *
 * @module
 */

/**
 * Two-sided p-value of a correlation r of n pairs by Student's t with n − 2 degrees of freedom, as scipy's `pearsonr`
 * (exact for normal values) and `spearmanr` (approximate) give it: t² = r² (n − 2) / (1 − r²),
 * p = I(ν / (ν + t²); ν/2, ½), I the regularised incomplete beta function. NaN for fewer than three pairs.
 *
 * @param r A correlation, from −1 to 1.
 * @param n How many pairs it is of.
 * @returns The probability of a correlation at least as far from 0 if there is none in truth.
 *
 * @example
 * ```ts
 * import { correlationPValue } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.ok(Math.abs(correlationPValue(0.5, 10) - 0.14111328125) < 1e-12);
 * ```
 */
export function correlationPValue(r: number, n: number): number {
  if (n < 3 || Number.isNaN(r)) return NaN;
  return incompleteBeta(1 - r * r, (n - 2) / 2, 0.5);
}

/** I(x; a, b) by its continued fraction (Lentz), where it converges fast. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  return x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b;
}

function fraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const safe = (value: number) => Math.abs(value) < tiny ? tiny : value;
  let c = 1;
  let d = 1 / safe(1 - (a + b) * x / (a + 1));
  let result = d;
  for (let m = 1; m <= 500; m++) {
    const even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / safe(1 + even * d);
    c = safe(1 + even / c);
    result *= d * c;
    const odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / safe(1 + odd * d);
    c = safe(1 + odd / c);
    result *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return result;
}

/** ln Γ(x) for x > 0: Stirling's series, after x has been raised by Γ(x + 1) = x Γ(x). */
function logGamma(x: number): number {
  let shift = 0;
  while (x < 15) shift += Math.log(x++);
  const y = 1 / (x * x);
  const series = 1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)));
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x - shift;
}
