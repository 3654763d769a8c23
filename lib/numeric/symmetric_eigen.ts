/**
 * The largest eigenvalues of a symmetric matrix, and their vectors, in float64.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { timesTransposed } from "./products.ts";

/** Eigenvalues in descending order, and [count · size] their vectors, of length 1, one after the other. */
export interface Eigen {
  /** λ */
  readonly values: Float64Array;
  /** v, by row. */
  readonly vectors: Float64Array;
}

/** Vectors that are iterated beside those asked for: the more, the faster the first ones settle. */
const GUARDS = 14;
/** Where nothing but equal eigenvalues is left, more rounds help no more. */
const MOST_ROUNDS = 500;

/**
 * The `count` largest eigenvalues of A [size · size], positive semi-definite, by subspace iteration: a block of vectors is
 * multiplied with A, diagonalised within its span (Rayleigh and Ritz, Jacobi's rotations) and made orthonormal again,
 * until ‖A v − λ v‖ ≤ 10⁻¹⁰ λ₁ for all that are asked for. Starts from fixed random numbers: same matrix, same bits.
 * Source: Golub & Van Loan, Matrix Computations, §8.2.4 and §8.5.
 *
 * @param matrix [size · size], row by row.
 * @param size Rows, and columns.
 * @param count How many eigenvalues, at most `size`.
 * @returns Values and vectors, the largest first.
 */
export function symmetricEigen(matrix: Float64Array, size: number, count: number): Eigen {
  const block = Math.min(size, count + GUARDS);
  const random = randomStream(0, randomPurpose("sample"));
  let vectors = Float64Array.from({ length: block * size }, () => random.normal());
  orthonormalize(vectors, block, size, random.normal);
  let image = new Float64Array(block * size);
  const small = new Float64Array(block * block);
  let values: Float64Array = new Float64Array(block);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    timesTransposed(image, vectors, matrix, block, size, size);
    timesTransposed(small, vectors, image, block, block, size);
    const ritz = jacobi(small, block);
    values = ritz.values;
    vectors = combine(ritz.vectors, vectors, block, size);
    image = combine(ritz.vectors, image, block, size);
    if (block === size || settled(values, vectors, image, count, size)) break;
    [vectors, image] = [image, vectors];
    orthonormalize(vectors, block, size, random.normal);
  }
  return { values: values.slice(0, count), vectors: vectors.slice(0, count * size) };
}

/** Whether ‖A v − λ v‖ ≤ 10⁻¹⁰ λ₁ for the first `count`. */
function settled(
  values: Float64Array,
  vectors: Float64Array,
  image: Float64Array,
  count: number,
  size: number,
): boolean {
  for (let v = 0; v < count; v++) {
    let squares = 0;
    for (let i = v * size; i < (v + 1) * size; i++) squares += (image[i]! - values[v]! * vectors[i]!) ** 2;
    if (squares > (1e-10 * values[0]!) ** 2) return false;
  }
  return true;
}

/** Rows of W times rows of X: [block, block] · [block, size] */
function combine(weights: Float64Array, x: Float64Array, block: number, size: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(block * size);
  for (let i = 0; i < block; i++) {
    for (let j = 0; j < block; j++) {
      const weight = weights[i * block + j]!;
      for (let k = 0; k < size; k++) result[i * size + k]! += weight * x[j * size + k]!;
    }
  }
  return result;
}

/** Gram and Schmidt, twice over, by rows in place; a row that depends on those before is drawn anew. */
function orthonormalize(x: Float64Array, rows: number, size: number, draw: () => number): void {
  for (let r = 0; r < rows; r++) {
    const row = x.subarray(r * size, (r + 1) * size);
    for (let attempt = 0;; attempt++) {
      const before = length(row);
      for (let pass = 0; pass < 2; pass++) {
        for (let o = 0; o < r; o++) {
          const other = x.subarray(o * size, (o + 1) * size);
          let dot = 0;
          for (let i = 0; i < size; i++) dot += row[i]! * other[i]!;
          for (let i = 0; i < size; i++) row[i]! -= dot * other[i]!;
        }
      }
      const after = length(row);
      if (after > 1e-10 * before && after > 0) {
        for (let i = 0; i < size; i++) row[i]! /= after;
        break;
      }
      for (let i = 0; i < size; i++) row[i] = draw();
      if (attempt > 10) throw new RangeError(`${rows} orthogonal vectors of ${size} numbers were not found`);
    }
  }
}

function length(x: Float64Array): number {
  let squares = 0;
  for (const value of x) squares += value * value;
  return Math.sqrt(squares);
}

/** All eigenvalues of a small symmetric matrix, in descending order, by cyclic rotations (Jacobi 1846). */
export function jacobi(matrix: Float64Array, size: number): Eigen {
  const a = matrix.slice();
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  for (let sweep = 0; sweep < 50; sweep++) {
    let [off, on] = [0, 0];
    for (let i = 0; i < size; i++) {
      on += a[i * size + i]! ** 2;
      for (let j = 0; j < i; j++) off += a[i * size + j]! ** 2;
    }
    if (off <= 1e-32 * on) break;
    for (let p = 0; p < size; p++) for (let q = p + 1; q < size; q++) rotate(a, v, p, q, size);
  }
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => a[j * size + j]! - a[i * size + i]!);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => vectors.set(v.subarray(from * size, (from + 1) * size), to * size));
  return { values: Float64Array.from(order, (i) => a[i * size + i]!), vectors };
}

/** Turns axes p and q until A[p, q] is 0; rows of V turn with them. */
function rotate(a: Float64Array, v: Float64Array, p: number, q: number, size: number): void {
  const apq = a[p * size + q]!;
  if (apq === 0) return;
  const theta = (a[q * size + q]! - a[p * size + p]!) / (2 * apq);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let k = 0; k < size; k++) {
    const [kp, kq] = [a[k * size + p]!, a[k * size + q]!];
    a[k * size + p] = c * kp - s * kq;
    a[k * size + q] = s * kp + c * kq;
  }
  for (let k = 0; k < size; k++) {
    const [pk, qk] = [a[p * size + k]!, a[q * size + k]!];
    a[p * size + k] = c * pk - s * qk;
    a[q * size + k] = s * pk + c * qk;
    const [vp, vq] = [v[p * size + k]!, v[q * size + k]!];
    v[p * size + k] = c * vp - s * vq;
    v[q * size + k] = s * vp + c * vq;
  }
}
