/**
 * Rounding to decimal places.
 *
 * @module
 */

/**
 * Python's `round(value, places)`: the nearest decimal of the exact value, exact halves to the even digit.
 *
 * @param value Any number.
 * @param places Decimal places, from 0.
 * @returns The rounded number; one that is not finite, or from 10²¹ on, as it is.
 *
 * @example
 * ```ts
 * import { roundTo } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.equal(roundTo(0.015625, 5), 0.01562);
 * assert.equal(roundTo(2.675, 2), 2.67);
 * ```
 */
export function roundTo(value: number, places: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e21) return value;
  const rounded = value.toFixed(places); // halves away from 0
  const exact = value.toFixed(Math.min(100, places + 50));
  const isHalf = /^50*$/.test(exact.slice(exact.indexOf(".") + 1 + places));
  if (!isHalf || "02468".includes(rounded.at(-1)!)) return Number(rounded);
  return Number(exact.slice(0, exact.indexOf(".") + 1 + places)); // cut: towards the even neighbour
}

/** Python's `round(value)` to a whole number: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  return value - floor === 0.5 ? floor + floor % 2 : Math.round(value);
}
