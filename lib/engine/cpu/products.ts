/**
 * Matrix products of the cpu engine: by its own kernel, or by Accelerate where that was asked for.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Handle, MatmulOptions } from "../engine.ts";
import { at, atOr0, type Core, expectShape, own } from "./core.ts";
import { ACTIVATIONS, grainOf, markAll } from "./dispatch.ts";
import { matmulInt8 } from "./int8.ts";
import { NOTHING, type Product } from "./product.ts";
import { multiplyRounded } from "./products_bf16.ts";
import { SCRATCH_BYTES } from "./threads.ts";

/** Products of a sum and rows of A that are taken at once, and elements of an activation: as in `product.c`. */
const [DEPTH, ROWS, CHUNK] = [384, 192, 1024];
/** Multiplications of one call, so that none takes long: the event loop waits meanwhile. */
const CALL = 1e9;

/** See `Engine.matmul`. */
export function matmul(core: Core, a: Handle, b: Handle, options: MatmulOptions = {}): Handle {
  if (b.dtype === "i8") return matmulInt8(core, a, own(b), options);
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
  const isRounded = options.isLayer === true && core.precision === "bf16";
  const adds = accumulate && options.out !== undefined;
  const kind = activation === undefined ? -1 : ACTIVATIONS[activation];
  const product = { transposeA, transposeB, m, n, k, scale, accumulate: adds, isRounded };
  for (let i = 0; i < batch; i++) {
    const epilogue = { bias: atOr0(bias), pre: pre === undefined ? 0 : at(pre) + 4 * i * m * n, kind };
    const tensors = { a: at(a) + 4 * i * m * k, b: at(b) + 4 * i * k * n, c: at(out) + 4 * i * m * n };
    multiply(core, { ...product, ...tensors, epilogue });
  }
  return out;
}

/** Enqueues one product. */
export function multiply(core: Core, product: Product): void {
  const { a, b, c, transposeA, transposeB, m, n, k, scale, accumulate, epilogue = NOTHING } = product;
  const { bias, pre } = epilogue;
  if (m === 0 || n === 0) return;
  /** The epilogue by itself, where no kernel of ours multiplies. */
  const follow = () => {
    if (bias === 0 && pre === 0 && epilogue.kind < 0) return;
    const args = { y: c, ...epilogue, columns: n };
    core.enqueue(() => core.threads.run("biasActivation", m, grainOf(n), args));
  };
  if (k === 0) {
    if (!accumulate) core.enqueue(() => core.floats(c, m * n).fill(0));
    return follow();
  }
  if (product.isRounded) return multiplyRounded(core, product);
  const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
  const { accelerate, threads } = core;
  if (accelerate !== undefined) {
    core.enqueue(() =>
      accelerate.sgemm(
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
    return follow();
  }
  const panels = Math.ceil(n / threads.panel);
  const packedBytes = 4 * panels * threads.panel * Math.min(DEPTH, k);
  const tilesBytes = 4 * (ROWS * DEPTH + CHUNK);
  // Each thread packs B for itself where few threads share much work; else they pack it together.
  const packsAlone = threads.count === 1 || (threads.count <= 4 && m >= 64);
  const isShared = !packsAlone || packedBytes + tilesBytes > SCRATCH_BYTES;
  const packed = isShared ? core.workspace(packedBytes) : 0;
  const rows = threads.tile * Math.max(1, Math.floor(CALL / (n * Math.min(DEPTH, k) * threads.tile)));
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = Math.min(DEPTH, k - k0);
    const slice = { b: b + 4 * k0 * (transposeB ? 1 : n), ldb, n, k: depth };
    if (isShared) {
      const args = { ...slice, transposed: +transposeB, packed };
      core.enqueue(() => threads.run("packB", panels, Math.max(1, Math.ceil(2048 / depth)), args));
    }
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      const tiles = Math.ceil(count / threads.tile);
      const args = {
        ...slice,
        a: a + 4 * (transposeA ? k0 * m + row : row * k + k0),
        lda,
        transposed: +transposeA,
        packed,
        transposedB: +transposeB,
        call: isShared ? 0 : core.nextCall(),
        c: c + 4 * row * n,
        ldc: n,
        m: count,
        alpha: scale,
        accumulate: +(accumulate || k0 > 0),
        ...k0 + depth < k ? NOTHING : { ...epilogue, pre: pre && pre + 4 * row * n },
      };
      // At the end eight tiles at once, fewer where that would leave a thread without work.
      const grain = Math.max(1, Math.min(8, Math.ceil(tiles / (8 * threads.count))));
      core.enqueue(() => threads.run("product", tiles, grain, args));
    }
  }
}
