/**
 * How much two words differ.
 *
 * @module
 */

/**
 * Levenshtein's distance (letters put in, left out or changed) of a word to every beginning of another.
 *
 * @param a m letters.
 * @param b n letters.
 * @returns n + 1 distances: of `a` to the first 0 … n letters of `b`; the last one is that to all of it.
 */
export function editDistances(a: string, b: string): readonly number[] {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row;
}
