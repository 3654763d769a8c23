/**
 * A matrix product as the cpu engine enqueues it.
 *
 * @module
 */

/** Products of a sum that are taken at once; with those before them they are one chain: as in `kernels/product.h`. */
export const DEPTH = 384;

/** One product, with byte addresses. */
export interface Product {
  /** A: [m, k], or [k, m] transposed. */
  readonly a: number;
  /** B: [k, n], or [n, k] transposed. */
  readonly b: number;
  /** Whether B is a weight that is packed. */
  readonly isPacked?: boolean;
  /** C: [m, n] */
  readonly c: number;
  /** Read A as its transpose. */
  readonly transposeA: boolean;
  /** Read B as its transpose. */
  readonly transposeB: boolean;
  /** Rows of C. */
  readonly m: number;
  /** Columns of C. */
  readonly n: number;
  /** Length of the sums. */
  readonly k: number;
  /** Multiplies the product. */
  readonly scale: number;
  /** Add to C. */
  readonly accumulate: boolean;
  /** Round A and B to 16 bits; the sums keep 32. */
  readonly isRounded: boolean;
  /** What follows, if anything does. */
  readonly epilogue?: Epilogue;
}

/** Bias [n] and activation, with byte addresses. */
export interface Epilogue {
  /** Added to each row; 0: nothing. */
  readonly bias: number;
  /** Where the sum goes that the activation is applied to; 0: nowhere. */
  readonly pre: number;
  /** Number of the activation; −1: none. */
  readonly kind: number;
}

/** None. */
export const NOTHING: Epilogue = { bias: 0, pre: 0, kind: -1 };
