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

/** Letters and digits of a name: other libraries write it with capitals, and with other signs or none between its words. */
const lettersOf = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");

/**
 * The longest name that another one begins with, however it is written: `cosent` of `CoSENTLoss`.
 *
 * @param name What was written.
 * @param known The names there are; those of fewer than three letters do not count.
 * @returns The longest; undefined if it begins with none.
 */
export function longestBeginning<A extends string>(name: string, known: readonly A[]): A | undefined {
  const letters = lettersOf(name);
  const begun = known.filter((each) => lettersOf(each).length > 2 && letters.startsWith(lettersOf(each)));
  return begun.toSorted((a, b) => b.length - a.length)[0];
}

/**
 * The name that a mistyped one was probably meant to be, or one that another library writes otherwise.
 *
 * @param name What was written.
 * @param known The names there are.
 * @returns The one with the fewest edits, the first of equals; if it takes more than three, or than half of the letters,
 * the longest that the name begins with; undefined if there is none.
 */
export function nearestName<A extends string>(name: string, known: readonly A[]): A | undefined {
  let [nearest, fewest]: [A | undefined, number] = [undefined, Math.min(MISTYPED, Math.ceil(name.length / 2)) + 1];
  for (const each of known) {
    const edits = editDistances(name, each).at(-1)!;
    if (edits < fewest) [nearest, fewest] = [each, edits];
  }
  return nearest ?? longestBeginning(name, known);
}

/** The hint of an error for a name that is none. */
export const didYouMean = (meant: string | undefined): { readonly hint?: string } =>
  meant === undefined ? {} : { hint: `did you mean ${meant}?` };
