/**
 * Matrix products by Accelerate, a library of macOS, through FFI. Its bits are its own.
 *
 * @module
 */
import { isGranted } from "../../environment.ts";
import { EngineError } from "../../error.ts";

/** C = α op(A) op(B) + β C, row-major. */
export interface Accelerate {
  /** Single-precision general matrix product. Views may lie on a shared WebAssembly memory. */
  readonly sgemm: (
    transposeA: boolean,
    transposeB: boolean,
    m: number,
    n: number,
    k: number,
    alpha: number,
    a: Float32Array,
    lda: number,
    b: Float32Array,
    ldb: number,
    beta: number,
    c: Float32Array,
    ldc: number,
  ) => void;
  /** Gives the library back. */
  readonly close: () => void;
}

const FILE = "/System/Library/Frameworks/Accelerate.framework/Accelerate";

/**
 * Opens the library and tries it on a few shapes.
 *
 * @throws EngineError It is not there, may not be opened, or computes wrongly.
 */
export function openAccelerate(): Accelerate {
  const refuse = (found: string) =>
    new EngineError("--kernels accelerate is not available", { found, hint: "--kernels auto" });
  if (Deno.build.os !== "darwin") throw refuse(`the system is ${Deno.build.os}, not macOS`);
  if (!isGranted("ffi")) throw refuse("no permission (--allow-ffi)");
  const { symbols, close } = Deno.dlopen(FILE, {
    cblas_sgemm: {
      parameters: [
        "i32",
        "i32",
        "i32",
        "i32",
        "i32",
        "i32",
        "f32",
        "buffer",
        "i32",
        "buffer",
        "i32",
        "f32",
        "buffer",
        "i32",
      ],
      result: "void",
    },
  });
  const [ROW_MAJOR, N, T] = [101, 111, 112];
  const library: Accelerate = {
    sgemm: (transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) =>
      symbols.cblas_sgemm(
        ROW_MAJOR,
        transposeA ? T : N,
        transposeB ? T : N,
        m,
        n,
        k,
        alpha,
        a as Float32Array<ArrayBuffer>,
        lda,
        b as Float32Array<ArrayBuffer>,
        ldb,
        beta,
        c as Float32Array<ArrayBuffer>,
        ldc,
      ),
    close,
  };
  const fault = selfTest(library);
  if (fault === undefined) return library;
  close();
  throw refuse(`it computes wrongly: ${fault}`);
}

/** A few products of odd shapes against the definition; undefined if all agree. */
export function selfTest({ sgemm }: Pick<Accelerate, "sgemm">): string | undefined {
  const values = (n: number, seed: number) =>
    Float32Array.from({ length: n }, (_, i) => ((i * 37 + seed * 11) % 19) / 9 - 1);
  for (const [m, n, k] of [[1, 1, 1], [5, 7, 3], [33, 17, 65]] as const) {
    for (const [tA, tB] of [[false, false], [false, true], [true, false], [true, true]] as const) {
      const [a, b, c] = [values(m * k, 1), values(k * n, 2), values(m * n, 3)];
      const found = c.slice();
      sgemm(tA, tB, m, n, k, 0.5, a, tA ? m : k, b, tB ? k : n, 2, found, n);
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = 2 * c[i * n + j]!;
          for (let p = 0; p < k; p++) sum += 0.5 * a[tA ? p * m + i : i * k + p]! * b[tB ? j * k + p : p * n + j]!;
          if (!(Math.abs(sum - found[i * n + j]!) < 1e-4)) {
            return `[${m}, ${n}, ${k}] ${tA ? "T" : "N"}${tB ? "T" : "N"}`;
          }
        }
      }
    }
  }
  return undefined;
}
