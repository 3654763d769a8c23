import assert from "node:assert/strict";
import { type Accelerate, selfTest } from "../../../lib/engine/cpu/accelerate.ts";

/** The definition, in double precision. */
const plain: Accelerate["sgemm"] = (tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) => {
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let p = 0; p < k; p++) sum += a[tA ? p * lda + i : i * lda + p]! * b[tB ? j * ldb + p : p * ldb + j]!;
      c[i * ldc + j] = alpha * sum + beta * c[i * ldc + j]!;
    }
  }
};

Deno.test("the self-test passes a right product and finds every wrong one", () => {
  assert.equal(selfTest({ sgemm: plain }), undefined);
  const wrong: Accelerate["sgemm"][] = [
    (tA, _tB, ...rest) => plain(tA, false, ...rest),
    (_tA, tB, ...rest) => plain(false, tB, ...rest),
    (tA, tB, m, n, k, _alpha, ...rest) => plain(tA, tB, m, n, k, 1, ...rest),
    (tA, tB, m, n, k, alpha, a, lda, b, ldb, _beta, ...rest) =>
      plain(tA, tB, m, n, k, alpha, a, lda, b, ldb, 1, ...rest),
    (tA, tB, m, n, k, ...rest) => plain(tA, tB, m, n, Math.min(k, 64), ...rest),
    (tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c) => plain(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, 17),
  ];
  for (const [index, sgemm] of wrong.entries()) assert.notEqual(selfTest({ sgemm }), undefined, `fault ${index}`);
});
