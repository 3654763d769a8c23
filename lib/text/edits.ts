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

/** Edits up to which a mistyped name is taken for another one; of a short name, half of its letters. */
const MISTYPED = 3;

/**
 * The name that a mistyped one was probably meant to be.
 *
 * @param name What was written.
 * @param known The names there are.
 * @returns The one with the fewest edits, the first of equals; undefined if it takes more than three, or than half of the
 * letters.
 */
export function nearestName<A extends string>(name: string, known: readonly A[]): A | undefined {
  let [nearest, fewest]: [A | undefined, number] = [undefined, Math.min(MISTYPED, Math.ceil(name.length / 2)) + 1];
  for (const each of known) {
    const edits = editDistances(name, each).at(-1)!;
    if (edits < fewest) [nearest, fewest] = [each, edits];
  }
  return nearest;
}
