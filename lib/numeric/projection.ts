/**
 * Principal components: a map of embeddings.
 *
 * @module
 */
import type { Matrix } from "./matrix.ts";
import { addTransposedTimes, timesTransposed } from "./products.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** Embeddings on their principal components. */
export interface Projection {
  /** [rows · dimensions] coordinates. */
  readonly projected: Float64Array;
  /** [dimensions · width] the axes: of length 1, the entry largest in size positive. 0 where nothing varies any more. */
  readonly components: Float64Array;
  /** [width] the origin. */
  readonly mean: Float64Array;
  /** [dimensions] the share of the whole variance that each axis holds; 0 where nothing varies. */
  readonly explained: Float64Array;
}

/** Options of {@linkcode principalComponents}. */
export interface ProjectionOptions {
  /** Number of axes. Default 2. */
  readonly dimensions?: number;
}

/**
 * Coordinates on the axes along which embeddings vary most, equal to scikit-learn's PCA, signs included.
 *
 * The axes are the first eigenvectors of XᵀX (X [rows, width], centred) or, for fewer rows than features, Xᵀ times those
 * of XXᵀ; in float64, by {@linkcode symmetricEigen}. 2,000 × 768 take about a second. Without rows the map is empty, and
 * where rows do not differ it is all 0.
 *
 * @param embeddings [rows, width].
 * @param options How many axes.
 * @returns The coordinates of the rows, the axes, and how much of the whole variance each holds.
 *
 * @example
 * ```ts
 * import { principalComponents } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const line = { data: Float32Array.of(0, 0, 3, 4, 6, 8), width: 2, rows: 3 };
 * const { projected, explained } = principalComponents(line);
 * assert.deepEqual(Array.from(projected, (x) => Math.round(x * 1e9) / 1e9 + 0), [-5, 0, 0, 0, 5, 0]);
 * assert.ok(explained[0]! > 0.999999);
 * ```
 */
export function principalComponents(embeddings: Matrix, options: ProjectionOptions = {}): Projection {
  const { rows, width } = embeddings;
  const { dimensions = 2 } = options;
  const { mean, centred } = centre(embeddings);
  const side = Math.min(rows, width);
  const products = new Float64Array(side * side);
  if (width <= rows) addTransposedTimes(products, centred, centred, rows, width, width);
  else timesTransposed(products, centred, centred, rows, rows, width);
  let whole = 0;
  for (let i = 0; i < side; i++) whole += products[i * side + i]!;

  const components = new Float64Array(dimensions * width);
  const explained = new Float64Array(dimensions);
  const projected = new Float64Array(rows * dimensions);
  if (!(whole > 0)) return { projected, components, mean, explained };
  const { values, vectors } = symmetricEigen(products, side, Math.min(dimensions, side));
  for (const [c, value] of values.entries()) {
    if (value <= 1e-12 * whole) continue; // rounding is all that is left
    const axis = components.subarray(c * width, (c + 1) * width);
    const vector = vectors.subarray(c * side, (c + 1) * side);
    if (width <= rows) axis.set(vector);
    else addTransposedTimes(axis, vector, centred, rows, 1, width);
    orient(axis);
    explained[c] = value / whole;
  }
  timesTransposed(projected, centred, components, rows, dimensions, width);
  return { projected, components, mean, explained };
}

function centre({ data, rows, width }: Matrix): { mean: Float64Array; centred: Float64Array } {
  const mean = new Float64Array(width);
  for (let r = 0; r < rows; r++) for (let i = 0; i < width; i++) mean[i]! += data[r * width + i]!;
  for (let i = 0; i < width && rows > 0; i++) mean[i]! /= rows;
  const centred = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < width; i++) centred[r * width + i] = data[r * width + i]! - mean[i]!;
  }
  return { mean, centred };
}

/** Length 1, and the entry largest in size positive (scikit-learn's svd_flip). */
function orient(axis: Float64Array): void {
  let [largest, squares] = [0, 0];
  for (const x of axis) {
    squares += x * x;
    if (Math.abs(x) > Math.abs(largest)) largest = x;
  }
  const scale = Math.sign(largest) / Math.sqrt(squares);
  for (let i = 0; i < axis.length; i++) axis[i]! *= scale;
}
