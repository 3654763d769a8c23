/**
 * Numbers for texts.
 *
 * @module
 */

/** Gives equal texts equal numbers, from 0 on, in the order in which they are first met. */
export interface Numbering {
  /** The number of a text: the next one, if it was not met before. */
  readonly numberOf: (text: string) => number;
  /** All texts that were met, by their numbers. */
  readonly texts: () => readonly string[];
}

/** A numbering that has met no text yet. */
export function startNumbering(): Numbering {
  const numbers = new Map<string, number>();
  return {
    numberOf(text) {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, numbers.size);
      return numbers.size - 1;
    },
    texts: () => [...numbers.keys()],
  };
}
