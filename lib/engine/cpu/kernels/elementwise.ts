// Functions of one or two elements. Ranges are of elements; the callers' chunks begin at multiples of four.
import { erf4, exp4, sum4, tanh4 } from "./math";

// 0 gelu, 1 geluTanh, 2 tanh, 3 relu, 4 silu, 5 quickGelu, 6 sigmoid, 7 leakyRelu, 8 squaredRelu
// @ts-ignore: decorator
@inline
function act4(kind: i32, x: v128): v128 {
  if (kind == 0) {
    const half = f32x4.mul(x, f32x4.splat(0.5));
    return f32x4.relaxed_madd(half, erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476))), half);
  }
  if (kind == 1) {
    const half = f32x4.mul(x, f32x4.splat(0.5));
    return f32x4.relaxed_madd(half, tanh4(inner4(x)), half);
  }
  if (kind == 2) return tanh4(x);
  if (kind == 4) return f32x4.mul(x, sigmoid4(x));
  if (kind == 5) return f32x4.mul(x, sigmoid4(f32x4.mul(x, f32x4.splat(1.702))));
  if (kind == 6) return sigmoid4(x);
  if (kind == 7) return f32x4.max(x, f32x4.mul(x, f32x4.splat(0.01)));
  const above = f32x4.max(x, f32x4.splat(0));
  return kind == 3 ? above : f32x4.mul(above, above);
}

// 1 / (1 + e^−x)
// @ts-ignore: decorator
@inline
function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

// d/dx x σ(c x) = σ (1 + c x (1 − σ))
// @ts-ignore: decorator
@inline
function gatedSlope4(x: v128, c: f32): v128 {
  const u = f32x4.mul(x, f32x4.splat(c));
  const s = sigmoid4(u);
  return f32x4.mul(s, f32x4.relaxed_madd(u, f32x4.sub(f32x4.splat(1), s), f32x4.splat(1)));
}

// √(2/π) (x + 0.044715 x³)
// @ts-ignore: decorator
@inline
function inner4(x: v128): v128 {
  const s = f32x4.relaxed_madd(f32x4.mul(x, x), f32x4.splat(0.044715), f32x4.splat(1));
  return f32x4.mul(f32x4.mul(x, s), f32x4.splat(0.7978845608028654));
}

// @ts-ignore: decorator
@inline
function slope4(kind: i32, x: v128): v128 {
  if (kind == 0) { // Φ(x) + x φ(x)
    const cdf = f32x4.relaxed_madd(
      f32x4.splat(0.5),
      erf4(f32x4.mul(x, f32x4.splat(0.7071067811865476))),
      f32x4.splat(0.5),
    );
    const pdf = f32x4.mul(exp4(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))), f32x4.splat(0.3989422804014327));
    return f32x4.relaxed_madd(x, pdf, cdf);
  }
  if (kind == 1) {
    const t = tanh4(inner4(x));
    const d = f32x4.mul(
      f32x4.splat(0.7978845608028654),
      f32x4.relaxed_madd(f32x4.mul(x, x), f32x4.splat(0.134145), f32x4.splat(1)),
    );
    const u = f32x4.mul(f32x4.sub(f32x4.splat(1), f32x4.mul(t, t)), f32x4.mul(f32x4.mul(x, f32x4.splat(0.5)), d));
    return f32x4.add(u, f32x4.relaxed_madd(f32x4.splat(0.5), t, f32x4.splat(0.5)));
  }
  if (kind == 2) {
    const t = tanh4(x);
    return f32x4.sub(f32x4.splat(1), f32x4.mul(t, t));
  }
  if (kind == 4) return gatedSlope4(x, 1);
  if (kind == 5) return gatedSlope4(x, 1.702);
  if (kind == 6) {
    const s = sigmoid4(x);
    return f32x4.mul(s, f32x4.sub(f32x4.splat(1), s));
  }
  const positive = f32x4.gt(x, f32x4.splat(0));
  if (kind == 7) return v128.bitselect(f32x4.splat(1), f32x4.splat(0.01), positive);
  if (kind == 8) return f32x4.mul(f32x4.splat(2), f32x4.max(x, f32x4.splat(0)));
  return v128.and(positive, f32x4.splat(1));
}

// 0 abs, 1 sign, 2 exp, 3 log, 4 sqrt, 5 square, 6 reciprocal
// @ts-ignore: decorator
@inline
function unary1(kind: i32, x: f32): f32 {
  if (kind == 0) return abs(x);
  if (kind == 1) return x > 0 ? 1 : x < 0 ? -1 : 0;
  if (kind == 2) return <f32> Math.exp(x);
  if (kind == 3) return <f32> Math.log(x);
  if (kind == 4) return sqrt(x);
  if (kind == 5) return x * x;
  return 1 / x;
}

// 0 add, 1 subtract, 2 multiply, 3 divide, 4 maximum
// @ts-ignore: decorator
@inline
function binary4(kind: i32, a: v128, b: v128): v128 {
  if (kind == 0) return f32x4.add(a, b);
  if (kind == 1) return f32x4.sub(a, b);
  if (kind == 2) return f32x4.mul(a, b);
  if (kind == 3) return f32x4.div(a, b);
  return f32x4.max(a, b);
}

// Buffers are padded to whole vectors, so the last vector may run past `end`.
export function activate(kind: i32, x: usize, y: usize, scratch: usize, start: i32, end: i32): void {
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    v128.store(y + o, act4(kind, v128.load(x + o)));
  }
}

export function activateBackward(
  kind: i32,
  z: usize,
  dy: usize,
  dz: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    v128.store(dz + o, f32x4.mul(v128.load(dy + o), slope4(kind, v128.load(z + o))));
  }
}

// y = f(y + bias) by row; the sum goes to `pre` if there is one. kind −1: no activation.
export function biasActivation(
  y: usize,
  bias: usize,
  pre: usize,
  kind: i32,
  columns: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = columns & ~3;
  for (let row = start; row < end; row++) {
    const base = <usize> row * columns << 2;
    for (let c = 0; c < whole; c += 4) {
      const o = <usize> c << 2;
      let z = v128.load(y + base + o);
      if (bias) z = f32x4.add(z, v128.load(bias + o));
      if (pre) v128.store(pre + base + o, z);
      v128.store(y + base + o, kind < 0 ? z : act4(kind, z));
    }
    for (let c = whole; c < columns; c++) {
      const o = <usize> c << 2;
      let z = load<f32>(y + base + o);
      if (bias) z += load<f32>(bias + o);
      if (pre) store<f32>(pre + base + o, z);
      store<f32>(y + base + o, kind < 0 ? z : f32x4.extract_lane(act4(kind, f32x4.splat(z)), 0));
    }
  }
}

export function unary(kind: i32, x: usize, y: usize, scratch: usize, start: i32, end: i32): void {
  for (let i = start; i < end; i++) {
    const o = <usize> i << 2;
    store<f32>(y + o, unary1(kind, load<f32>(x + o)));
  }
}

// `single`: b has one element
export function binary(
  kind: i32,
  a: usize,
  b: usize,
  single: i32,
  y: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const one = v128.load32_splat(b);
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    v128.store(y + o, binary4(kind, v128.load(a + o), single ? one : v128.load(b + o)));
  }
}

export function affine(x: usize, a: f32, b: f32, y: usize, scratch: usize, start: i32, end: i32): void {
  const va = f32x4.splat(a), vb = f32x4.splat(b);
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    v128.store(y + o, f32x4.add(f32x4.mul(v128.load(x + o), va), vb));
  }
}

export function addTo(target: usize, x: usize, scale: f32, scratch: usize, start: i32, end: i32): void {
  const s = f32x4.splat(scale);
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    v128.store(target + o, f32x4.relaxed_madd(v128.load(x + o), s, v128.load(target + o)));
  }
}

export function fill(target: usize, value: f32, scratch: usize, start: i32, end: i32): void {
  const v = f32x4.splat(value);
  for (let i = start; i < end; i += 4) v128.store(target + (<usize> i << 2), v);
}

export function transpose(x: usize, y: usize, rows: i32, columns: i32, scratch: usize, start: i32, end: i32): void {
  for (let r = start; r < end; r++) {
    for (let c = 0; c < columns; c++) {
      store<f32>(y + (<usize> c * rows + r << 2), load<f32>(x + (<usize> r * columns + c << 2)));
    }
  }
}

// Columns [from, from + width) of x [R, columns] to columns [to, …) of y [R, outColumns].
export function copyColumns(
  x: usize,
  columns: i32,
  from: i32,
  width: i32,
  y: usize,
  outColumns: i32,
  to: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let r = start; r < end; r++) {
    memory.copy(y + (<usize> r * outColumns + to << 2), x + (<usize> r * columns + from << 2), <usize> width << 2);
  }
}

export function scaleRows(x: usize, r: usize, y: usize, columns: i32, scratch: usize, start: i32, end: i32): void {
  for (let row = start; row < end; row++) {
    const s = load<f32>(r + (<usize> row << 2));
    for (let c = 0; c < columns; c++) {
      const o = <usize> row * columns + c << 2;
      store<f32>(y + o, load<f32>(x + o) * s);
    }
  }
}

// 0 sum, 1 max
export function rowReduce(kind: i32, x: usize, y: usize, columns: i32, scratch: usize, start: i32, end: i32): void {
  for (let row = start; row < end; row++) {
    const base = x + (<usize> row * columns << 2);
    let sum: f64 = 0;
    let most: f32 = -Infinity;
    for (let c = 0; c < columns; c++) {
      const value = load<f32>(base + (<usize> c << 2));
      sum += value;
      most = max(most, value);
    }
    store<f32>(y + (<usize> row << 2), kind == 0 ? <f32> sum : most);
  }
}

// Sums of the columns of blocks of 64 rows: [blocks, columns]
export function columnSumBlocks(
  x: usize,
  rows: i32,
  columns: i32,
  partial: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = columns & ~3;
  for (let block = start; block < end; block++) {
    const out = partial + (<usize> block * columns << 2);
    memory.fill(out, 0, <usize> columns << 2);
    const last = min(rows, block * 64 + 64);
    for (let row = block * 64; row < last; row++) {
      const base = x + (<usize> row * columns << 2);
      for (let c = 0; c < whole; c += 4) {
        const o = <usize> c << 2;
        v128.store(out + o, f32x4.add(v128.load(out + o), v128.load(base + o)));
      }
      for (let c = whole; c < columns; c++) {
        const o = <usize> c << 2;
        store<f32>(out + o, load<f32>(out + o) + load<f32>(base + o));
      }
    }
  }
}

// y[c] (+)= Σ_block partial[block, c], in the order of blocks
export function columnSumFinish(
  partial: usize,
  blocks: i32,
  stride: i32,
  y: usize,
  accumulate: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let c = start; c < end; c++) {
    let sum: f64 = accumulate ? load<f32>(y + (<usize> c << 2)) : 0;
    for (let block = 0; block < blocks; block++) sum += load<f32>(partial + (<usize> block * stride + c << 2));
    store<f32>(y + (<usize> c << 2), <f32> sum);
  }
}

// Σ x², or Σ x, of blocks of 16384 elements, each to an f64
export function sumBlocks(
  x: usize,
  size: i32,
  squared: i32,
  partial: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let block = start; block < end; block++) {
    const last = min(size, (block + 1) << 14);
    let i = block << 14;
    let sum: f64 = 0;
    const whole = i + ((last - i) & ~3);
    while (i < whole) { // short runs in f32, their sums in f64
      let run = f32x4.splat(0);
      const stop = min(whole, i + 256);
      for (; i < stop; i += 4) {
        const v = v128.load(x + (<usize> i << 2));
        run = squared ? f32x4.relaxed_madd(v, v, run) : f32x4.add(run, v);
      }
      sum += sum4(run);
    }
    for (; i < last; i++) {
      const v = load<f32>(x + (<usize> i << 2));
      sum += squared ? v * v : v;
    }
    store<f64>(partial + (<usize> block << 3), sum);
  }
}
