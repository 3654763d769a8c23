/**
 * Matrix products by a library of the system: oneDNN, OpenBLAS, MKL or Apple's Accelerate, through FFI.
 *
 * @module
 */
import { EngineError } from "../../error.ts";

/** C = α op(A) op(B) + β C, row-major, by a native library. */
export interface NativeGemm {
  /** Which library. */
  readonly name: "onednn" | "openblas" | "mkl" | "accelerate";
  /** Its version, or "". */
  readonly version: string;
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
  /** Unloads the library. */
  readonly close: () => void;
}

/** Which product is wanted. */
export type GemmChoice = "auto" | "wasm" | "onednn" | "blas";

interface Candidate {
  readonly name: NativeGemm["name"];
  readonly os: readonly string[];
  readonly files: readonly string[];
}

const CANDIDATES: readonly Candidate[] = [
  { name: "onednn", os: ["linux"], files: ["libdnnl.so.3", "libdnnl.so.2"] },
  { name: "accelerate", os: ["darwin"], files: ["/System/Library/Frameworks/Accelerate.framework/Accelerate"] },
  { name: "mkl", os: ["linux"], files: ["libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so"] },
  { name: "openblas", os: ["linux"], files: ["libopenblas.so.0", "libopenblas.so"] },
];

/**
 * The best library present, tried on a few shapes before use; otherwise undefined and why. A library that was asked for
 * by name and is not there is an `EngineError`.
 */
export function openNativeGemm(
  options: { readonly gemm: GemmChoice; readonly threads: number },
): { readonly gemm: NativeGemm | undefined; readonly reason: string } {
  const { gemm, threads } = options;
  if (gemm === "wasm") return { gemm: undefined, reason: "the WebAssembly product was asked for" };
  const wanted = CANDIDATES.filter(({ name, os }) =>
    os.includes(Deno.build.os) && (gemm === "auto" || (name === "onednn") === (gemm === "onednn"))
  );
  const reasons: string[] = [];
  if (Deno.permissions.querySync({ name: "ffi" }).state !== "granted") reasons.push("no permission (--allow-ffi)");
  else {
    settleThreads();
    for (const { name, files } of wanted) {
      for (const file of files) {
        try {
          const library = name === "onednn" ? openOneDnn(file, threads) : openCblas(name, file, threads);
          const fault = selfTest(library);
          if (fault === undefined) return { gemm: library, reason: `${name} ${library.version}`.trim() };
          library.close();
          reasons.push(`${file} computes wrongly: ${fault}`);
        } catch (error) {
          const { message } = error as Error;
          if (!/cannot open|not found|no such file|could not open/i.test(message)) reasons.push(`${file}: ${message}`);
        }
      }
    }
  }
  const reason = reasons.length > 0 ? reasons.join("; ") : "no library is installed";
  if (gemm !== "auto") {
    throw new EngineError(`--gemm ${gemm} is not available`, {
      found: reason,
      hint: gemm === "onednn" ? "apt install libdnnl2, and allow FFI" : "apt install libopenblas0, and allow FFI",
    });
  }
  return { gemm: undefined, reason };
}

/** OpenMP's threads must sleep while there is nothing to multiply: other kernels need the cores. */
function settleThreads(): void {
  try {
    Deno.env.set("OMP_WAIT_POLICY", "PASSIVE");
    Deno.env.set("GOMP_SPINCOUNT", "0");
  } catch {
    // not permitted: slower, not wrong
  }
}

const pointers = ["buffer", "buffer"] as const;

/**
 * Keeps a library in the process for good: its threads outlive our closing it and may still be inside when the process
 * ends, and code that is unloaded beneath them destroys the heap.
 */
function pin(file: string): void {
  if (Deno.build.os !== "linux") return;
  const [NOW, NO_DELETE] = [2, 0x1000];
  for (const name of ["libc.so.6", "libdl.so.2"]) { // where dlopen is, in newer and older systems
    try {
      const libc = Deno.dlopen(name, { dlopen: { parameters: ["buffer", "i32"], result: "pointer" } });
      const handle = libc.symbols.dlopen(new TextEncoder().encode(`${file}\0`), NOW | NO_DELETE);
      libc.close();
      if (handle !== null) return;
    } catch {
      // the other one
    }
  }
}

function openOneDnn(file: string, threads: number): NativeGemm {
  pin(file);
  const library = Deno.dlopen(file, {
    dnnl_version: { parameters: [], result: "pointer" },
    dnnl_sgemm: {
      parameters: [
        "u8",
        "u8",
        "i64",
        "i64",
        "i64",
        "f32",
        pointers[0],
        "i64",
        pointers[1],
        "i64",
        "f32",
        "buffer",
        "i64",
      ],
      result: "i32",
    },
  });
  const version = new Int32Array(
    new Deno.UnsafePointerView(library.symbols.dnnl_version()!).getArrayBuffer(12).slice(0),
  );
  // dnnl_sgemm has had the same signature since 1.0; other majors are unknown.
  if (version[0] !== 2 && version[0] !== 3) {
    library.close();
    throw new EngineError(`oneDNN ${version.join(".")} is not supported`, { expected: "2.x or 3.x" });
  }
  const openMp = setOpenMpThreads(threads);
  const [N, T] = [78, 84]; // 'N', 'T'
  return {
    name: "onednn",
    version: version.join("."),
    sgemm(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) {
      const status = library.symbols.dnnl_sgemm(
        transposeA ? T : N,
        transposeB ? T : N,
        BigInt(m),
        BigInt(n),
        BigInt(k),
        alpha,
        a as Float32Array<ArrayBuffer>,
        BigInt(lda),
        b as Float32Array<ArrayBuffer>,
        BigInt(ldb),
        beta,
        c as Float32Array<ArrayBuffer>,
        BigInt(ldc),
      );
      if (status !== 0) throw new EngineError("dnnl_sgemm failed", { found: `status ${status}` });
    },
    close() {
      openMp?.close();
      library.close();
    },
  };
}

/** Tells libgomp how many threads to use, where it can be loaded. */
function setOpenMpThreads(threads: number): { close: () => void } | undefined {
  try {
    pin("libgomp.so.1");
    const library = Deno.dlopen("libgomp.so.1", { omp_set_num_threads: { parameters: ["i32"], result: "void" } });
    library.symbols.omp_set_num_threads(threads);
    return library;
  } catch {
    return undefined;
  }
}

function openCblas(name: "openblas" | "mkl" | "accelerate", file: string, threads: number): NativeGemm {
  pin(file);
  const library = Deno.dlopen(file, {
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
    openblas_set_num_threads: { parameters: ["i32"], result: "void", optional: true },
    openblas_get_config: { parameters: [], result: "pointer", optional: true },
    MKL_Set_Num_Threads: { parameters: ["i32"], result: "void", optional: true },
  });
  const { symbols } = library;
  symbols.openblas_set_num_threads?.(threads);
  symbols.MKL_Set_Num_Threads?.(threads);
  const config = symbols.openblas_get_config?.();
  const version = config ? /\d+\.\d+\.\d+/.exec(new Deno.UnsafePointerView(config).getCString())?.[0] ?? "" : "";
  const [ROW_MAJOR, N, T] = [101, 111, 112];
  return {
    name,
    version,
    sgemm(transposeA, transposeB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) {
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
      );
    },
    close: () => library.close(),
  };
}

/** A few products of odd shapes against the definition; undefined if all agree. */
export function selfTest({ sgemm }: Pick<NativeGemm, "sgemm">): string | undefined {
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
