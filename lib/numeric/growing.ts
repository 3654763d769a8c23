/**
 * Numbers whose count is not known before the last of them has come.
 *
 * @module
 */

/** A column of numbers that grows. */
export interface GrowingNumbers {
  /** Appends numbers. */
  readonly append: (values: ArrayLike<number>) => void;
  /** All of them so far: a view, which the next `append` may end. */
  readonly values: () => Float64Array;
}

/** Begins an empty column, of eight bytes a number and at most a quarter of them more for room. */
export function growingNumbers(): GrowingNumbers {
  let all = new Float64Array(1 << 10);
  let count = 0;
  return {
    append(values) {
      const needed = count + values.length;
      if (needed > all.length) {
        // The memory itself moves: no copy waits for a collection.
        all = new Float64Array(all.buffer.transfer(8 * Math.max(needed, Math.ceil(1.25 * all.length))));
      }
      all.set(values, count);
      count = needed;
    },
    values: () => all.subarray(0, count),
  };
}
