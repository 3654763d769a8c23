/**
 * A hash table from pairs of ids to a number, over typed arrays: what a merge looks up for every two neighbours.
 *
 * @module
 */

/** Pairs of ids and their numbers; −1 for a pair that is not there. */
export interface PairTable {
  /** The number of a pair. */
  readonly get: (left: number, right: number) => number;
  /** Sets the number of a pair, also anew. */
  readonly set: (left: number, right: number, value: number) => void;
}

/** A table with room for `count` pairs. */
export function pairTable(count: number): PairTable {
  let size = 16;
  while (size < 2 * count) size *= 2;
  const lefts = new Int32Array(size).fill(-1);
  const rights = new Int32Array(size);
  const values = new Int32Array(size);
  const slot = (left: number, right: number): number => {
    let hash = Math.imul(left, 0x9e3779b1) ^ Math.imul(right, 0x85ebca6b);
    hash ^= hash >>> 15;
    let at = hash & (size - 1);
    while (lefts[at] !== -1 && (lefts[at] !== left || rights[at] !== right)) at = (at + 1) & (size - 1);
    return at;
  };
  return {
    get(left, right) {
      const at = slot(left, right);
      return lefts[at] === -1 ? -1 : values[at]!;
    },
    set(left, right, value) {
      const at = slot(left, right);
      lefts[at] = left;
      rights[at] = right;
      values[at] = value;
    },
  };
}
