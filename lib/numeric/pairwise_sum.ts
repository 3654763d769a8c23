/**
 * Sums in numpy's order: where the last bit decides, the same bits.
 *
 * @module
 */

/** Σ values[start … end − 1] in numpy's order of addition: eight running sums up to 128 values, halves above. */
export function pairwiseSum(values: Float64Array, start: number, end: number): number {
  const n = end - start;
  if (n > 128) {
    const half = (n >> 1) - (n >> 1) % 8;
    return pairwiseSum(values, start, start + half) + pairwiseSum(values, start + half, end);
  }
  let i = start;
  let sum = 0;
  if (n >= 8) {
    const r = values.slice(start, start + 8);
    for (i = start + 8; i + 8 <= end; i += 8) for (let j = 0; j < 8; j++) r[j]! += values[i + j]!;
    sum = ((r[0]! + r[1]!) + (r[2]! + r[3]!)) + ((r[4]! + r[5]!) + (r[6]! + r[7]!));
  }
  for (; i < end; i++) sum += values[i]!;
  return sum;
}
