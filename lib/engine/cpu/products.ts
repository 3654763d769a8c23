/**
 * Matrix products of the cpu engine: by the native library, else by the WebAssembly kernel.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Handle, MatmulOptions } from "../engine.ts";
import { at, atOr0, type Core, expectShape, own } from "./core.ts";
import { ACTIVATIONS, markAll } from "./dispatch.ts";

/** Rows of a tile, and columns of a panel, of the WebAssembly product. */
const [TILE, PANEL] = [6, 8];

/** See `Engine.matmul`. */
export function matmul(core: Core, a: Handle, b: Handle, options: MatmulOptions = {}): Handle {
  const { transposeA = false, transposeB = false, scale = 1, accumulate = false, bias, activation } = options;
  const batch = a.shape.length === 3 ? a.shape[0]! : 1;
  const [aRows, aColumns] = a.shape.slice(-2) as [number, number];
  const [bRows, bColumns] = b.shape.slice(-2) as [number, number];
  const [m, k] = transposeA ? [aColumns, aRows] : [aRows, aColumns];
  const [n, kB] = transposeB ? [bRows, bColumns] : [bColumns, bRows];
  if (k !== kB || a.shape.length !== b.shape.length || (a.shape.length === 3 && b.shape[0] !== batch)) {
    throw new EngineError("matmul: shapes do not fit", {
      found: `[${a.shape}]${transposeA ? "ᵀ" : ""} × [${b.shape}]${transposeB ? "ᵀ" : ""}`,
    });
  }
  const shape = a.shape.length === 3 ? [batch, m, n] : [m, n];
  if (options.out !== undefined) expectShape("matmul", options.out, shape);
  if (bias !== undefined) expectShape("matmul", bias, [n]);
  const out = own(options.out ?? core.heap.temporary(shape));
  markAll(core, out);
  const pre = options.preactivation;
  const product = { transposeA, transposeB, m, n, k, scale, accumulate: accumulate && options.out !== undefined };
  for (let i = 0; i < batch; i++) {
    multiply(core, { ...product, a: at(a) + 4 * i * m * k, b: at(b) + 4 * i * k * n, c: at(out) + 4 * i * m * n });
  }
  if (bias !== undefined || activation !== undefined || pre !== undefined) {
    const kind = activation === undefined ? -1 : ACTIVATIONS[activation];
    const args = { y: at(out), bias: atOr0(bias), pre: atOr0(pre), kind, columns: n };
    core.enqueue(() => core.threads.run("biasActivation", batch * m, Math.ceil(8192 / n), args));
  }
  return out;
}

/** One product, with byte addresses. */
export interface Product {
  /** A: [m, k], or [k, m] transposed. */
  readonly a: number;
  /** B: [k, n], or [n, k] transposed. */
  readonly b: number;
  /** C: [m, n] */
  readonly c: number;
  /** Read A as its transpose. */
  readonly transposeA: boolean;
  /** Read B as its transpose. */
  readonly transposeB: boolean;
  /** Rows of C. */
  readonly m: number;
  /** Columns of C. */
  readonly n: number;
  /** Length of the sums. */
  readonly k: number;
  /** Multiplies the product. */
  readonly scale: number;
  /** Add to C. */
  readonly accumulate: boolean;
}

/** Enqueues one product. */
export function multiply(core: Core, product: Product): void {
  const { a, b, c, transposeA, transposeB, m, n, k, scale, accumulate } = product;
  if (m === 0 || n === 0) return;
  if (k === 0) {
    if (!accumulate) core.enqueue(() => core.floats(c, m * n).fill(0));
    return;
  }
  const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
  const { gemm, threads } = core;
  // Below some thousand multiplications the call costs more than it saves.
  if (gemm !== undefined && m * n * k > 20_000) {
    core.enqueue(() =>
      gemm.sgemm(
        transposeA,
        transposeB,
        m,
        n,
        k,
        scale,
        core.floats(a, m * k),
        lda,
        core.floats(b, k * n),
        ldb,
        accumulate ? 1 : 0,
        core.floats(c, m * n),
        n,
      )
    );
    return;
  }
  const [tiles, panels] = [Math.ceil(m / TILE), Math.ceil(n / PANEL)];
  const packed = core.workspace(4 * PANEL * panels * k);
  // Eight tiles at once, fewer where that would leave a thread without work at the end.
  const grain = Math.max(1, Math.min(8, Math.ceil(tiles / (8 * threads.count))));
  const args = { a, lda, transposed: +transposeA, packed, c, ldc: n, m, n, k, alpha: scale, accumulate: +accumulate };
  core.enqueue(() => {
    threads.run("packB", panels, Math.max(1, Math.ceil(2048 / k)), { b, ldb, transposed: +transposeB, n, k, packed });
    threads.run("product", tiles, grain, args);
  });
}
