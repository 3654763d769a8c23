/**
 * Similarities of pairs of embeddings, row by row, in float64.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { expectOneOf } from "../expect.ts";
import type { Matrix } from "../numeric/matrix.ts";

/** Embeddings of texts, one row each. */
export type Embeddings = Matrix;

/** Cosine; dot product; negative Euclidean and Manhattan distance: more is more similar. */
export type Similarity = "cosine" | "dot" | "euclidean" | "manhattan";

/** All four. */
export const SIMILARITIES: readonly Similarity[] = ["cosine", "manhattan", "euclidean", "dot"];

/**
 * All four similarities of row i of `a` with row i of `b`. The cosine with a zero vector is 0.
 *
 * @param a [n, width] embeddings.
 * @param b [n, width] embeddings.
 * @returns [n] of each kind, in float64. Distances are negative: more is more similar.
 * @throws {DatasetError} Rows or widths differ; they are of bits, or of other rows than they say; or not finite.
 *
 * @example
 * ```ts
 * import { pairwiseSimilarities } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const a = { data: Float32Array.of(1, 0), width: 2, rows: 1 };
 * const b = { data: Float32Array.of(4, 4), width: 2, rows: 1 };
 * const { cosine, dot, euclidean, manhattan } = pairwiseSimilarities(a, b);
 * assert.deepEqual([dot[0], euclidean[0], manhattan[0]], [4, -5, -7]);
 * assert.ok(Math.abs(cosine[0]! - Math.SQRT1_2) < 1e-12);
 * ```
 */
export function pairwiseSimilarities(a: Embeddings, b: Embeddings): Readonly<Record<Similarity, Float64Array>> {
  expectComparable(a, b);
  const { rows, width } = a;
  if (b.rows !== rows) {
    throw new DatasetError("embeddings are compared row by row", { expected: `${rows} rows`, found: `${b.rows}` });
  }
  const result = {
    cosine: new Float64Array(rows),
    dot: new Float64Array(rows),
    euclidean: new Float64Array(rows),
    manhattan: new Float64Array(rows),
  };
  for (let row = 0; row < rows; row++) {
    let dot = 0;
    let aa = 0;
    let bb = 0;
    let squares = 0;
    let absolutes = 0;
    for (let i = row * width; i < (row + 1) * width; i++) {
      const x = a.data[i]!;
      const y = b.data[i]!;
      dot += x * y;
      aa += x * x;
      bb += y * y;
      squares += (x - y) * (x - y);
      absolutes += Math.abs(x - y);
    }
    if (!Number.isFinite(aa + bb)) {
      throw new DatasetError("an embedding is not finite", { expected: "finite numbers", where: `row ${row}` });
    }
    result.dot[row] = dot;
    result.cosine[row] = aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
    result.euclidean[row] = -Math.sqrt(squares);
    result.manhattan[row] = -absolutes;
  }
  return result;
}

/**
 * The similarity of each row of `a` with each row of `b`, summed in float64. The cosine with a zero vector is 0.
 *
 * @param kind Which similarity; distances are negative: more is more similar.
 * @param a [n, width] embeddings.
 * @param b [m, width] embeddings.
 * @returns [n · m], row by row.
 * @throws {DatasetError} The widths differ; or they are of bits, or of other rows than they say.
 * @throws {UsageError} There is no such similarity.
 *
 * @example
 * ```ts
 * import { similarityMatrix } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const a = { data: Float32Array.of(1, 0), width: 2, rows: 1 };
 * const b = { data: Float32Array.of(4, 4, 2, 0), width: 2, rows: 2 };
 * assert.deepEqual([...similarityMatrix("dot", a, b)], [4, 2]);
 * ```
 */
export function similarityMatrix(kind: Similarity, a: Embeddings, b: Embeddings): Float32Array {
  expectOneOf("similarity", kind, SIMILARITIES);
  expectComparable(a, b);
  const { width } = a;
  const [ofA, ofB] = [a, b].map((of) => kind === "cosine" ? inverseNorms(of) : undefined);
  const result = new Float32Array(a.rows * b.rows);
  for (let i = 0; i < a.rows; i++) {
    for (let j = 0; j < b.rows; j++) {
      let sum = 0;
      for (let f = 0; f < width; f++) {
        const [x, y] = [a.data[i * width + f]!, b.data[j * width + f]!];
        sum += kind === "euclidean" ? (x - y) * (x - y) : kind === "manhattan" ? Math.abs(x - y) : x * y;
      }
      result[i * b.rows + j] = kind === "cosine"
        ? sum * ofA![i]! * ofB![j]!
        : kind === "euclidean"
        ? -Math.sqrt(sum)
        : kind === "manhattan"
        ? -sum
        : sum;
    }
  }
  return result;
}

/** Of one width, with a number for each feature. */
function expectComparable(a: Embeddings, b: Embeddings): void {
  const { width } = a;
  if (b.width !== width) {
    throw new DatasetError("embeddings of different widths cannot be compared", {
      expected: `${width} features`,
      found: `${b.width}`,
      hint: "embed both with the same model",
    });
  }
  const packed = [a, b].find(({ data, rows }) => data.length !== rows * width);
  if (packed === undefined) return;
  throw new DatasetError("the embeddings do not have a number for each feature", {
    expected: `${packed.rows * width} numbers`,
    found: `${packed.data.length}`,
    hint: "embeddings of bits are compared by searchCorpus, or by dequantizeEmbeddings first",
  });
}

/** 1 / ‖x‖ by row; 0 for a zero vector. */
function inverseNorms({ data, width, rows }: Embeddings): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = row * width; i < (row + 1) * width; i++) sum += data[i]! * data[i]!;
    return sum === 0 ? 0 : 1 / Math.sqrt(sum);
  });
}

/**
 * Some rows of a matrix.
 *
 * @param embeddings [n, width].
 * @param rows Which ones, from 0; one may be named several times.
 * @returns [rows.length, width], a copy.
 */
export function rowsOf({ data, width }: Embeddings, rows: ArrayLike<number>): Embeddings {
  const picked = new Float32Array(rows.length * width);
  for (let i = 0; i < rows.length; i++) {
    picked.set(data.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
  }
  return { data: picked, width, rows: rows.length };
}

/** [n, width] of [n, more]; nothing is normalised anew, as in sentence-transformers. */
export function firstFeatures(embeddings: Embeddings, width: number): Embeddings {
  if (width === embeddings.width) return embeddings;
  const { rows, width: whole } = embeddings;
  const data = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    data.set(embeddings.data.subarray(row * whole, row * whole + width), row * width);
  }
  return { data, rows, width };
}
