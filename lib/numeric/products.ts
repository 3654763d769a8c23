/**
 * Small matrix products in float64 on the host, for what is fitted to embeddings.
 *
 * @module
 */

/** out [n, m] = a [n, d] · b [m, d]ᵀ; four columns at a time, so that the sums do not wait for each other. */
export function timesTransposed(
  out: Float64Array,
  a: Float64Array,
  b: Float64Array,
  n: number,
  m: number,
  d: number,
): void {
  for (let i = 0; i < n; i++) {
    const row = i * d;
    let j = 0;
    for (; j + 4 <= m; j += 4) {
      const [b0, b1, b2, b3] = [j * d, (j + 1) * d, (j + 2) * d, (j + 3) * d];
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (let k = 0; k < d; k++) {
        const value = a[row + k]!;
        s0 += value * b[b0 + k]!;
        s1 += value * b[b1 + k]!;
        s2 += value * b[b2 + k]!;
        s3 += value * b[b3 + k]!;
      }
      out[i * m + j] = s0;
      out[i * m + j + 1] = s1;
      out[i * m + j + 2] = s2;
      out[i * m + j + 3] = s3;
    }
    for (; j < m; j++) {
      let sum = 0;
      for (let k = 0; k < d; k++) sum += a[row + k]! * b[j * d + k]!;
      out[i * m + j] = sum;
    }
  }
}

/** out [m, d] += g [n, m]ᵀ · a [n, d]; four rows at a time, so that the sums are stored less often. */
export function addTransposedTimes(
  out: Float64Array,
  g: Float64Array,
  a: Float64Array,
  n: number,
  m: number,
  d: number,
): void {
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const [a0, a1, a2, a3] = [i * d, (i + 1) * d, (i + 2) * d, (i + 3) * d];
    for (let j = 0; j < m; j++) {
      const g0 = g[i * m + j]!;
      const g1 = g[(i + 1) * m + j]!;
      const g2 = g[(i + 2) * m + j]!;
      const g3 = g[(i + 3) * m + j]!;
      const at = j * d;
      for (let k = 0; k < d; k++) {
        out[at + k]! += g0 * a[a0 + k]! + g1 * a[a1 + k]! + g2 * a[a2 + k]! + g3 * a[a3 + k]!;
      }
    }
  }
  for (; i < n; i++) {
    for (let j = 0; j < m; j++) {
      const weight = g[i * m + j]!;
      for (let k = 0; k < d; k++) out[j * d + k]! += weight * a[i * d + k]!;
    }
  }
}
