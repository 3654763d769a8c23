import assert from "node:assert/strict";
import { type NativeGemm, openNativeGemm, selfTest } from "../../lib/engine/cpu/native_gemm.ts";

/** The definition, in double precision. */
const plain: NativeGemm["sgemm"] = (tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) => {
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
  const wrong: NativeGemm["sgemm"][] = [
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

Deno.test("every library present agrees with the definition, on views into a shared memory", () => {
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const [m, n, k] = [37, 29, 53];
  const view = (offset: number, size: number) => new Float32Array(memory.buffer, offset, size);
  const [a, b, c] = [view(64, m * k), view(65536, k * n), view(131072, m * n)];
  for (const choice of ["auto", "onednn", "blas"] as const) {
    let gemm: NativeGemm | undefined;
    try {
      ({ gemm } = openNativeGemm({ gemm: choice, threads: 1 }));
    } catch (error) {
      assert.equal((error as { _tag?: string })._tag, "EngineError");
      assert.notEqual(choice, "auto");
      continue;
    }
    if (gemm === undefined) continue;
    for (const [tA, tB] of [[false, false], [false, true], [true, false], [true, true]] as const) {
      for (const values of [a, b, c]) values.forEach((_, i) => values[i] = Math.sin(i * 0.7 + values.length));
      const expected = c.slice();
      const [lda, ldb] = [tA ? m : k, tB ? k : n];
      plain(tA, tB, m, n, k, 0.5, a, lda, b, ldb, -1, expected, n);
      gemm.sgemm(tA, tB, m, n, k, 0.5, a, lda, b, ldb, -1, c, n);
      const worst = c.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
      assert.ok(worst < 2e-5, `${gemm.name} ${gemm.version} ${tA} ${tB}: ${worst}`);
    }
    gemm.close();
  }
});

Deno.test("wasm opens nothing", () => {
  assert.equal(openNativeGemm({ gemm: "wasm", threads: 1 }).gemm, undefined);
});

Deno.test({
  name: "without the permission there is no library, no question and no error, unless it was named",
  permissions: { ffi: false, env: true, read: true },
  fn() {
    const { gemm, reason } = openNativeGemm({ gemm: "auto", threads: 1 });
    assert.equal(gemm, undefined);
    assert.match(reason, /--allow-ffi/);
    assert.throws(() => openNativeGemm({ gemm: "onednn", threads: 1 }), /onednn is not available/);
  },
});
