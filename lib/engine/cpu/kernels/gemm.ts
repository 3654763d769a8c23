// C = α op(A) op(B) + β C, row-major, in blocks of 48 rows × 512 deep × 8 columns.
// B is packed once into panels of 8 columns, [panel][k][8]; a thread packs its rows of A into tiles of 6, [tile][k][6].

// @ts-ignore: decorator
@inline
const DEPTH: i32 = 512;

// Panels start … end − 1 of B. `transposed`: B is [N, K].
export function packB(
  b: usize,
  ldb: i32,
  transposed: i32,
  n: i32,
  k: i32,
  out: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let panel = start; panel < end; panel++) {
    const column = panel * 8;
    const width = min(8, n - column);
    let dst = out + (<usize> panel * k * 8 << 2);
    if (transposed) {
      memory.fill(dst, 0, <usize> k << 5);
      for (let c = 0; c < width; c++) {
        let src = b + (<usize> (column + c) * ldb << 2);
        let to = dst + (<usize> c << 2);
        for (let i = 0; i < k; i++) {
          store<f32>(to, load<f32>(src));
          src += 4;
          to += 32;
        }
      }
    } else {
      let src = b + (<usize> column << 2);
      for (let i = 0; i < k; i++) {
        if (width == 8) {
          v128.store(dst, v128.load(src));
          v128.store(dst, v128.load(src, 16), 16);
        } else {
          for (let c = 0; c < 8; c++) {
            store<f32>(dst + (<usize> c << 2), c < width ? load<f32>(src + (<usize> c << 2)) : 0);
          }
        }
        dst += 32;
        src += <usize> ldb << 2;
      }
    }
  }
}

// Rows row … row + 5 (zeros past `rows`), k0 … k0 + depth − 1, as [k][6].
function packA(a: usize, lda: i32, transposed: i32, row: i32, rows: i32, k0: i32, depth: i32, out: usize): void {
  const height = min(6, rows - row);
  for (let r = 0; r < 6; r++) {
    let dst = out + (<usize> r << 2);
    if (r >= height) {
      for (let i = 0; i < depth; i++) {
        store<f32>(dst, 0);
        dst += 24;
      }
      continue;
    }
    let src = transposed ? a + (<usize> k0 * lda + (row + r) << 2) : a + (<usize> (row + r) * lda + k0 << 2);
    const step: usize = transposed ? <usize> lda << 2 : 4;
    for (let i = 0; i < depth; i++) {
      store<f32>(dst, load<f32>(src));
      src += step;
      dst += 24;
    }
  }
}

// Blocks of 48 rows start … end − 1.
export function gemm(
  a: usize,
  lda: i32,
  transposed: i32,
  packed: usize,
  c: usize,
  ldc: i32,
  m: i32,
  n: i32,
  k: i32,
  alpha: f32,
  accumulate: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const panels = (n + 7) / 8;
  for (let block = start; block < end; block++) {
    const first = block * 48;
    const last = min(m, first + 48);
    for (let k0 = 0; k0 < k; k0 += DEPTH) {
      const depth = min(DEPTH, k - k0);
      let tile = scratch;
      for (let row = first; row < last; row += 6) {
        packA(a, lda, transposed, row, m, k0, depth, tile);
        tile += <usize> depth * 24;
      }
      const add = accumulate || k0 > 0;
      for (let panel = 0; panel < panels; panel++) {
        const b = packed + (<usize> (panel * k + k0) << 5);
        tile = scratch;
        for (let row = first; row < last; row += 6) {
          micro(
            tile,
            b,
            depth,
            c + (<usize> row * ldc + panel * 8 << 2),
            <usize> ldc << 2,
            min(6, last - row),
            min(8, n - panel * 8),
            alpha,
            add,
          );
          tile += <usize> depth * 24;
        }
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function put(c: usize, low: v128, high: v128, width: i32, alpha: v128, add: i32): void {
  low = f32x4.mul(low, alpha);
  high = f32x4.mul(high, alpha);
  if (width == 8) {
    if (add) {
      low = f32x4.add(low, v128.load(c));
      high = f32x4.add(high, v128.load(c, 16));
    }
    v128.store(c, low);
    v128.store(c, high, 16);
  } else {
    putEdge(c, low, high, width, add);
  }
}

function putEdge(c: usize, low: v128, high: v128, width: i32, add: i32): void {
  for (let i = 0; i < width; i++) {
    const part = i < 4 ? low : high;
    const lane = i & 3;
    let value: f32 = lane == 0
      ? f32x4.extract_lane(part, 0)
      : lane == 1
      ? f32x4.extract_lane(part, 1)
      : lane == 2
      ? f32x4.extract_lane(part, 2)
      : f32x4.extract_lane(part, 3);
    if (add) value += load<f32>(c);
    store<f32>(c, value);
    c += 4;
  }
}

// A tile of 6 × 8: twelve accumulators, two loads of B and six broadcasts of A per step.
function micro(
  a: usize,
  b: usize,
  depth: i32,
  c: usize,
  ldc: usize,
  height: i32,
  width: i32,
  alpha: f32,
  add: i32,
): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  let c40 = f32x4.splat(0), c41 = f32x4.splat(0), c50 = f32x4.splat(0), c51 = f32x4.splat(0);
  const end = a + <usize> depth * 24;
  while (a < end) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    c00 = f32x4.relaxed_madd(x, b0, c00);
    c01 = f32x4.relaxed_madd(x, b1, c01);
    x = v128.load32_splat(a, 4);
    c10 = f32x4.relaxed_madd(x, b0, c10);
    c11 = f32x4.relaxed_madd(x, b1, c11);
    x = v128.load32_splat(a, 8);
    c20 = f32x4.relaxed_madd(x, b0, c20);
    c21 = f32x4.relaxed_madd(x, b1, c21);
    x = v128.load32_splat(a, 12);
    c30 = f32x4.relaxed_madd(x, b0, c30);
    c31 = f32x4.relaxed_madd(x, b1, c31);
    x = v128.load32_splat(a, 16);
    c40 = f32x4.relaxed_madd(x, b0, c40);
    c41 = f32x4.relaxed_madd(x, b1, c41);
    x = v128.load32_splat(a, 20);
    c50 = f32x4.relaxed_madd(x, b0, c50);
    c51 = f32x4.relaxed_madd(x, b1, c51);
    a += 24;
    b += 32;
  }
  const scale = f32x4.splat(alpha);
  put(c, c00, c01, width, scale, add);
  if (height > 1) put(c + ldc, c10, c11, width, scale, add);
  if (height > 2) put(c + 2 * ldc, c20, c21, width, scale, add);
  if (height > 3) put(c + 3 * ldc, c30, c31, width, scale, add);
  if (height > 4) put(c + 4 * ldc, c40, c41, width, scale, add);
  if (height > 5) put(c + 5 * ldc, c50, c51, width, scale, add);
}
