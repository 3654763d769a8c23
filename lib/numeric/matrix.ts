/**
 * The form of all numbers in rows: embeddings, features of a classifier, points of a map.
 *
 * @module
 */

/** Rows of equal width, one after another. */
export interface Matrix {
  /** [rows × width] */
  readonly data: Float32Array;
  /** Values of a row. */
  readonly width: number;
  /** Number of rows. */
  readonly rows: number;
}
