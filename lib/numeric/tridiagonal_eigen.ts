/**
 * All eigenvalues of a symmetric matrix, and their vectors, in float64: for where many are wanted, which an iteration of
 * subspaces finds slowly.
 *
 * @module
 */
import type { Eigen } from "./symmetric_eigen.ts";

/** Rounds of QL that an eigenvalue gets: two or three are usual. */
const MOST_ROUNDS = 60;

/**
 * A [n, n] = Q T Qᵀ by reflections (Householder), T tridiagonal, whose eigenvalues come by QL with implicit shifts: about
 * 5 n³ operations in all. Source: Golub & Van Loan, Matrix Computations, §8.3.
 *
 * @param matrix [size · size], row by row.
 * @param size Rows, and columns.
 * @returns All values and vectors, the largest first.
 */
export function allEigen(matrix: Float64Array, size: number): Eigen {
  const { diagonal, beside, vectors } = tridiagonal(matrix, size);
  for (let l = 0; l < size; l++) settle(diagonal, beside, vectors, size, l);
  const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => diagonal[j]! - diagonal[i]!);
  const sorted = new Float64Array(size * size);
  order.forEach((from, to) => sorted.set(vectors.subarray(from * size, (from + 1) * size), to * size));
  return { values: Float64Array.from(order, (i) => diagonal[i]!), vectors: sorted };
}

/** T by its diagonal and what stands beside it, and Qᵀ, by row. */
function tridiagonal(matrix: Float64Array, n: number) {
  const a = matrix.slice();
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  const reflections: { readonly at: number; readonly v: Float64Array; readonly beta: number }[] = [];
  const p = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    // x = A[k+1…, k] becomes (α, 0, …) by I − β v vᵀ.
    const v = new Float64Array(n);
    let squares = 0;
    for (let i = k + 1; i < n; i++) squares += (v[i] = a[i * n + k]!) ** 2;
    const alpha = v[k + 1]! > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
    beside[k] = alpha;
    v[k + 1]! -= alpha;
    const length = squares - alpha * a[(k + 1) * n + k]!; // vᵀv / 2
    if (!(length > 0)) continue; // nothing stands there
    const beta = 1 / length;
    // A ← A − v wᵀ − w vᵀ with p = β A v and w = p − (β/2) (pᵀv) v.
    let along = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      for (let j = k + 1; j < n; j++) sum += a[i * n + j]! * v[j]!;
      p[i] = beta * sum;
      along += p[i]! * v[i]!;
    }
    for (let i = k + 1; i < n; i++) p[i]! -= beta / 2 * along * v[i]!;
    for (let i = k + 1; i < n; i++) {
      const [vi, wi] = [v[i]!, p[i]!];
      for (let j = k + 1; j < n; j++) a[i * n + j]! -= vi * p[j]! + wi * v[j]!;
    }
    reflections.push({ at: k + 1, v, beta });
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i]!;
  // Qᵀ = … H₂ H₁ H₀: row by row, each times all reflections, the last one first.
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let r = 0; r < n; r++) {
    const row = vectors.subarray(r * n, (r + 1) * n);
    for (let i = reflections.length - 1; i >= 0; i--) {
      const { at, v, beta } = reflections[i]!;
      let dot = 0;
      for (let j = at; j < n; j++) dot += row[j]! * v[j]!;
      if (dot === 0) continue;
      for (let j = at; j < n; j++) row[j]! -= beta * dot * v[j]!;
    }
  }
  return { diagonal, beside, vectors };
}

/** Turns rows until the l-th value stands alone. */
function settle(d: Float64Array, e: Float64Array, vectors: Float64Array, n: number, l: number): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let m = l;
    while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
    if (m === l) return;
    let g = (d[l + 1]! - d[l]!) / (2 * e[l]!);
    const root = Math.hypot(g, 1);
    g = d[m]! - d[l]! + e[l]! / (g + (g < 0 ? -root : root));
    let [s, c, shift] = [1, 1, 0];
    let i = m - 1;
    for (; i >= l; i--) {
      const [f, b] = [s * e[i]!, c * e[i]!];
      const r = Math.hypot(f, g);
      e[i + 1] = r;
      if (r === 0) { // it falls apart here
        d[i + 1]! -= shift;
        e[m] = 0;
        break;
      }
      s = f / r;
      c = g / r;
      g = d[i + 1]! - shift;
      const t = (d[i]! - g) * s + 2 * c * b;
      shift = s * t;
      d[i + 1] = g + shift;
      g = c * t - b;
      turn(vectors, i * n, (i + 1) * n, n, c, s);
    }
    if (i >= l) continue;
    d[l]! -= shift;
    e[l] = g;
    e[m] = 0;
  }
}

/** Rows at `p` and `q`, turned by an angle of cosine c and sine s. */
function turn(vectors: Float64Array, p: number, q: number, n: number, c: number, s: number): void {
  for (let k = 0; k < n; k++) {
    const [x, y] = [vectors[p + k]!, vectors[q + k]!];
    vectors[p + k] = c * x - s * y;
    vectors[q + k] = s * x + c * y;
  }
}
