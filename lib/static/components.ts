/**
 * The principal components of many rows, block by block, as model2vec takes them.
 *
 * @module
 */
import { allEigen } from "../numeric/tridiagonal_eigen.ts";
import { timesTransposed } from "../numeric/products.ts";
import { turn } from "../turn.ts";

/** Rows that are in float64 at once. */
const BLOCK = 1024;

/** Rows on fewer axes. */
export interface Reduced {
  /** [rows · dimensions] */
  readonly data: Float32Array;
  /** Features of a row. */
  readonly dimensions: number;
  /** Share of the variance that they hold. */
  readonly explained: number;
}

/** Rows without their mean, a block at a time. */
interface Centred {
  /** [BLOCK · width], of which the block has the first rows. */
  readonly block: Float64Array;
  /** Fills it with the rows from `first` on; how many they are. */
  readonly fill: (first: number) => number;
}

/** μ [width] of rows [count · width], and the rows without it. */
function centredRows(rows: Float32Array, width: number): Centred {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  for (let at = 0; at < rows.length; at += width) for (let i = 0; i < width; i++) mean[i]! += rows[at + i]!;
  for (let i = 0; i < width; i++) mean[i]! /= count;
  const block = new Float64Array(BLOCK * width);
  const fill = (first: number): number => {
    const size = Math.min(BLOCK, count - first);
    for (let r = 0; r < size; r++) {
      for (let i = 0; i < width; i++) block[r * width + i] = rows[(first + r) * width + i]! - mean[i]!;
    }
    return size;
  };
  return { block, fill };
}

/** All eigenvalues and eigenvectors of (X − μ)ᵀ(X − μ), the largest first, and Σ of the values. */
async function components(rows: Float32Array, width: number, { block, fill }: Centred) {
  const count = rows.length / width;
  const products = new Float64Array(width * width);
  for (let first = 0; first < count; first += BLOCK) {
    addSquares(products, block, fill(first), width);
    await turn();
  }
  for (let i = 0; i < width; i++) for (let j = 0; j < i; j++) products[i * width + j] = products[j * width + i]!;
  let whole = 0;
  for (let i = 0; i < width; i++) whole += products[i * width + i]!;
  return { ...allEigen(products, width), whole };
}

/**
 * The axes along which rows vary most, as scikit-learn's `PCA.components_` has them but for their signs.
 *
 * @param rows [rows · width].
 * @param width Features of a row.
 * @param dimensions How many axes, at most `width`.
 * @returns [dimensions · width], each of length 1, the longest spread first.
 */
export async function principalAxes(rows: Float32Array, width: number, dimensions: number): Promise<Float64Array> {
  const { vectors } = await components(rows, width, centredRows(rows, width));
  return vectors.subarray(0, dimensions * width);
}

/**
 * Rows on the axes along which they vary most: S = (X − μ) V with the first eigenvectors of (X − μ)ᵀ(X − μ), in float64. An
 * axis points to where its largest entry of S, in size, is positive: so model2vec has it.
 *
 * @param rows [rows · width].
 * @param width Features of a row.
 * @param dimensions How many axes, at most `width`.
 * @returns S.
 */
export async function reduceRows(rows: Float32Array, width: number, dimensions: number): Promise<Reduced> {
  const count = rows.length / width;
  const centred = centredRows(rows, width);
  const { values, vectors, whole } = await components(rows, width, centred);
  const axes = vectors.subarray(0, dimensions * width);
  const data = new Float32Array(count * dimensions);
  const scores = new Float64Array(BLOCK * dimensions);
  const largest = new Float64Array(dimensions);
  for (let first = 0; first < count; first += BLOCK) {
    const size = centred.fill(first);
    timesTransposed(scores, centred.block, axes, size, dimensions, width);
    data.set(scores.subarray(0, size * dimensions), first * dimensions);
    for (let i = 0; i < size * dimensions; i++) {
      const axis = i % dimensions;
      if (Math.abs(scores[i]!) > Math.abs(largest[axis]!)) largest[axis] = scores[i]!;
    }
    await turn();
  }
  for (let i = 0; i < data.length; i++) if (largest[i % dimensions]! < 0) data[i] = -data[i]!;
  const held = values.subarray(0, dimensions).reduce((sum, value) => sum + Math.max(value, 0), 0);
  return { data, dimensions, explained: whole > 0 ? held / whole : 1 };
}

/** out [d, d] += xᵀ x, its upper half; four rows at a time, so that the sums are stored less often. */
function addSquares(out: Float64Array, x: Float64Array, rows: number, d: number): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    const [a, b, c, e] = [r * d, (r + 1) * d, (r + 2) * d, (r + 3) * d];
    for (let j = 0; j < d; j++) {
      const [xa, xb, xc, xe] = [x[a + j]!, x[b + j]!, x[c + j]!, x[e + j]!];
      for (let k = j; k < d; k++) out[j * d + k]! += xa * x[a + k]! + xb * x[b + k]! + xc * x[c + k]! + xe * x[e + k]!;
    }
  }
  for (; r < rows; r++) {
    for (let j = 0; j < d; j++) {
      const value = x[r * d + j]!;
      for (let k = j; k < d; k++) out[j * d + k]! += value * x[r * d + k]!;
    }
  }
}
