/**
 * Matrix products of the cpu engine: by its own kernel, or by Accelerate where that was asked for.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Handle, MatmulOptions } from "../engine.ts";
import { addressOf, at, atOr0, type Core, expectShape, own } from "./core.ts";
import { ACTIVATIONS, grainOf, markAll } from "./dispatch.ts";
import { matmulInt8 } from "./int8.ts";
import { sliceOf } from "./packed.ts";
import { DEPTH, NOTHING, type Product } from "./product.ts";
import { multiplyRounded } from "./products_bf16.ts";
import { SCRATCH_BYTES, type Threads } from "./threads.ts";

/** Rows of A and columns of B that are taken at once, and elements of an activation: as in `product.c`. */
const [ROWS, NEAR, CHUNK] = [192, 256, 1024];
/** Multiplications of a thread in one call, so that none takes long: the event loop waits meanwhile. */
const CALL = 5e8;
/** Multiplications of a portion of it: less is not worth handing over. */
const PORTION = 65536;

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
  const isPacked = own(b).isPacked === true;
  if (isPacked && !transposeB) throw new EngineError("a weight that is packed is multiplied as one of a linear layer");
  const shape = a.shape.length === 3 ? [batch, m, n] : [m, n];
  if (options.out !== undefined) expectShape("matmul", options.out, shape);
  if (bias !== undefined) expectShape("matmul", bias, [n]);
  const pre = options.preactivation;
  if (pre !== undefined) expectShape("matmul", pre, shape);
  const out = own(options.out ?? core.heap.temporary(shape));
  markAll(core, out);
  const isRounded = options.isLayer === true && core.precision === "bf16";
  const adds = accumulate && options.out !== undefined;
  const kind = activation === undefined ? -1 : ACTIVATIONS[activation];
  const product = { transposeA, transposeB, m, n, k, scale, accumulate: adds, isRounded, isPacked };
  const bAt = isPacked ? addressOf(b) : at(b);
  for (let i = 0; i < batch; i++) {
    const epilogue = { bias: atOr0(bias), pre: pre === undefined ? 0 : at(pre) + 4 * i * m * n, kind };
    const tensors = { a: at(a) + 4 * i * m * k, b: bAt + 4 * i * k * n, c: at(out) + 4 * i * m * n };
    multiply(core, { ...product, ...tensors, epilogue });
  }
  return out;
}

/** Enqueues one product. */
export function multiply(core: Core, product: Product): void {
  const { a, b, c, transposeA, transposeB, m, n, k, scale, accumulate, isPacked = false, epilogue = NOTHING } = product;
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
  const { way, rows, columns } = shareOf(threads, m, n, Math.min(DEPTH, k), isPacked);
  const panels = Math.ceil(n / threads.panel);
  const room = way === "together" ? core.workspace(4 * panels * threads.panel * Math.min(DEPTH, k)) : 0;
  for (let k0 = 0; k0 < k; k0 += DEPTH) {
    const depth = Math.min(DEPTH, k - k0);
    const slice = { b: b + 4 * k0 * (transposeB ? 1 : n), ldb, k: depth };
    if (way === "together") {
      const args = { ...slice, n, transposed: +transposeB, packed: room };
      core.enqueue(() => threads.run("packB", panels, Math.max(1, Math.ceil(2048 / depth)), args));
    }
    const follows = k0 + depth < k ? NOTHING : epilogue;
    const packed = isPacked ? sliceOf(core, b, n, k0) : room;
    const shared = {
      ...slice,
      lda,
      transposed: +transposeA,
      transposedB: +transposeB,
      byPanels: +(way === "panels"),
      ldc: n,
      alpha: scale,
      accumulate: +(accumulate || k0 > 0),
      kind: follows.kind,
    };
    // What a thread has packed it keeps for all parts that use it: they follow each other.
    let call = way === "together" || (isPacked && way === "tiles") ? 0 : core.nextCall();
    for (const [row, height] of partsOf(m, rows)) {
      if (row > 0 && way === "panels") call = core.nextCall();
      for (const [column, width] of partsOf(n, columns)) {
        const place = 4 * (row * n + column);
        const args = {
          ...shared,
          a: a + 4 * (transposeA ? k0 * m + row : row * k + k0),
          b: slice.b + 4 * column * (transposeB ? k : 1),
          packed: packed && packed + 4 * column * depth,
          call,
          c: c + place,
          m: height,
          n: width,
          bias: follows.bias && follows.bias + 4 * column,
          pre: follows.pre && follows.pre + place,
        };
        const items = way === "panels" ? Math.ceil(width / threads.panel) : Math.ceil(height / threads.tile);
        const grain = Math.ceil(PORTION * items / (height * width * depth));
        core.enqueue(() => threads.run("product", items, grain, args));
      }
    }
  }
}

/** How threads share a product, and the rows of A and columns of B that one call has. */
interface Share {
  /**
   * `tiles`: each takes tiles of A, and packs all of B for itself; `panels`: each takes panels of B, and packs all of A;
   * `together`: each takes tiles of A, once they have packed B together. Nobody packs a B that is packed.
   */
  readonly way: "tiles" | "panels" | "together";
  readonly rows: number;
  readonly columns: number;
}

/** The larger factor is shared out, unless the other has no room; many threads pack it alone only if that costs no more. */
function shareOf({ count, tile, panel }: Threads, m: number, n: number, depth: number, isPacked: boolean): Share {
  const whole = (size: number, unit: number) => unit * Math.max(1, Math.floor(size / unit));
  const rows = whole(CALL * count / (n * depth), tile);
  if (count > 4 && count * Math.min(m, n) > Math.max(m, n)) {
    return { way: isPacked ? "tiles" : "together", rows, columns: n };
  }
  const room = SCRATCH_BYTES / 4 - CHUNK;
  if (n <= m && (isPacked || (n + panel) * depth <= room - ROWS * DEPTH)) return { way: "tiles", rows, columns: n };
  const height = Math.min(m, whole(room / DEPTH - NEAR - tile, tile));
  return { way: "panels", rows: height, columns: whole(CALL * count / (height * depth), panel) };
}

/** Where parts of `size` begin, and what each has. */
function partsOf(count: number, size: number): (readonly [begin: number, size: number])[] {
  const parts = Math.ceil(count / size);
  return Array.from({ length: parts }, (_, i) => [i * size, Math.min(size, count - i * size)]);
}
