/**
 * Matrix products of factors that are rounded to 16 bits, with sums of 32: `kernels/product_bf16.c`.
 *
 * @module
 */
import type { Core } from "./core.ts";
import { DEPTH, NOTHING, type Product } from "./product.ts";

/** Sums are padded to a multiple of so many. */
const STEP = 32;
/** Bytes of B that are packed at once, and slices of A that find room in a thread's scratch. */
const [PACKED_BYTES, SLICES] = [32 << 20, 32];
/** Multiplications of one call, so that none takes long: the event loop waits meanwhile. */
const CALL = 2e9;

/** Enqueues one product: B is packed by all threads, then each takes rows of A. */
export function multiplyRounded(core: Core, product: Product): void {
  const { a, b, c, transposeA, transposeB, m, n, k, scale, accumulate, epilogue = NOTHING } = product;
  const { pre } = epilogue;
  const { threads } = core;
  const [lda, ldb] = [transposeA ? m : k, transposeB ? k : n];
  const panels = Math.ceil(n / threads.panel);
  const width = 2 * panels * threads.panel; // bytes of one row of B
  const most = DEPTH * Math.min(SLICES, Math.max(1, Math.floor(PACKED_BYTES / (width * DEPTH))));
  for (let k0 = 0; k0 < k; k0 += most) {
    const depth = Math.min(most, k - k0);
    const packed = core.workspace(width * Math.ceil(depth / STEP) * STEP);
    const right = { b: b + 4 * k0 * (transposeB ? 1 : n), ldb, transposed: +transposeB, n, k: depth, packed };
    core.enqueue(() => threads.run("packHalf", panels, Math.ceil(panels / (8 * threads.count)), right));
    const rows = threads.block * Math.max(1, Math.floor(CALL / (n * depth * threads.block)));
    for (let row = 0; row < m; row += rows) {
      const count = Math.min(rows, m - row);
      const blocks = Math.ceil(count / threads.block);
      const args = {
        a: a + 4 * (transposeA ? k0 * m + row : row * k + k0),
        lda,
        transposed: +transposeA,
        packed,
        c: c + 4 * row * n,
        ldc: n,
        m: count,
        n,
        k: depth,
        alpha: scale,
        accumulate: +(accumulate || k0 > 0),
        ...k0 + depth < k ? NOTHING : { ...epilogue, pre: pre && pre + 4 * row * n },
      };
      core.enqueue(() => threads.run("productHalf", blocks, 1, args));
    }
  }
}
