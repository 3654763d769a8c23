// exp, erf, tanh and Philox on four or more numbers at once.

// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-87.3)), f32x4.splat(88.3));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.44269504088896341)));
  // r = x − n ln 2, in two parts; |r| ≤ ln 2 / 2
  let r = f32x4.relaxed_madd(n, f32x4.splat(-0.693359375), x);
  r = f32x4.relaxed_madd(n, f32x4.splat(2.12194440e-4), r);
  let p = f32x4.splat(1.9875691500e-4);
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1.3981999507e-3));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(8.3334519073e-3));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(4.1665795894e-2));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(1.6666665459e-1));
  p = f32x4.relaxed_madd(p, r, f32x4.splat(5.0000001201e-1));
  p = f32x4.relaxed_madd(p, f32x4.mul(r, r), f32x4.add(r, f32x4.splat(1)));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return f32x4.mul(p, power);
}

// A rational approximation of erf on [−4, 4], good to a few units in the last place of f32.
// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-4)), f32x4.splat(4));
  const s = f32x4.mul(x, x);
  let p = f32x4.splat(-2.72614225801306e-10);
  p = f32x4.relaxed_madd(p, s, f32x4.splat(2.77068142495902e-08));
  p = f32x4.relaxed_madd(p, s, f32x4.splat(-2.10102402082508e-06));
  p = f32x4.relaxed_madd(p, s, f32x4.splat(-5.69250639462346e-05));
  p = f32x4.relaxed_madd(p, s, f32x4.splat(-7.34990630326855e-04));
  p = f32x4.relaxed_madd(p, s, f32x4.splat(-2.95459980854025e-03));
  p = f32x4.relaxed_madd(p, s, f32x4.splat(-1.60960333262415e-02));
  let q = f32x4.splat(-1.45660718464996e-05);
  q = f32x4.relaxed_madd(q, s, f32x4.splat(-2.13374055278905e-04));
  q = f32x4.relaxed_madd(q, s, f32x4.splat(-1.68282697438203e-03));
  q = f32x4.relaxed_madd(q, s, f32x4.splat(-7.37332916720468e-03));
  q = f32x4.relaxed_madd(q, s, f32x4.splat(-1.42647390514189e-02));
  return f32x4.div(f32x4.mul(x, p), q);
}

// tanh x = 1 − 2 / (e²ˣ + 1); near 0 its series, where that difference would lose its digits
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const e = exp4(f32x4.add(x, x));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const s = f32x4.mul(x, x);
  let near = f32x4.relaxed_madd(s, f32x4.splat(-17.0 / 315.0), f32x4.splat(2.0 / 15.0));
  near = f32x4.relaxed_madd(s, near, f32x4.splat(-1.0 / 3.0));
  near = f32x4.relaxed_madd(f32x4.mul(s, near), x, x);
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(x), f32x4.splat(0.1)));
}

// @ts-ignore: decorator
@inline
export function sum4(x: v128): f32 {
  return (f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1)) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3));
}

// @ts-ignore: decorator
@inline
function mulHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(
    i64x2.extmul_low_i32x4_u(a, b),
    i64x2.extmul_high_i32x4_u(a, b),
    4,
    5,
    6,
    7,
    12,
    13,
    14,
    15,
    20,
    21,
    22,
    23,
    28,
    29,
    30,
    31,
  );
}

// Philox4x32-10 at counters (first + i, position, stream, step): eight 16-bit numbers per counter, `blocks` counters
// rounded up to a multiple of four, written one after the other.
export function philox(
  dst: usize,
  blocks: i32,
  first: u32,
  position: u32,
  stream: u32,
  step: u32,
  seed: u32,
  purpose: u32,
): void {
  const m0 = i32x4.splat(0xD2511F53);
  const m1 = i32x4.splat(0xCD9E8D57);
  for (let block = 0; block < blocks; block += 4) {
    let c0 = i32x4.add(i32x4.splat(first + block), i32x4(0, 1, 2, 3));
    let c1 = i32x4.splat(position);
    let c2 = i32x4.splat(stream);
    let c3 = i32x4.splat(step);
    let k0 = seed;
    let k1 = purpose;
    for (let round = 0; round < 10; round++) {
      const high0 = mulHigh(m0, c0);
      const low0 = i32x4.mul(m0, c0);
      const high1 = mulHigh(m1, c2);
      const low1 = i32x4.mul(m1, c2);
      c0 = v128.xor(v128.xor(high1, c1), i32x4.splat(k0));
      c1 = low1;
      c2 = v128.xor(v128.xor(high0, c3), i32x4.splat(k1));
      c3 = low0;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    // 4 × 4 transposition: the words of one counter side by side
    const a = i8x16.shuffle(c0, c1, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const b = i8x16.shuffle(c0, c1, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    const c = i8x16.shuffle(c2, c3, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23);
    const d = i8x16.shuffle(c2, c3, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31);
    v128.store(dst, i8x16.shuffle(a, c, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23));
    v128.store(dst, i8x16.shuffle(a, c, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 16);
    v128.store(dst, i8x16.shuffle(b, d, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23), 32);
    v128.store(dst, i8x16.shuffle(b, d, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31), 48);
    dst += 64;
  }
}

// The factor of one element: 0, or 1 / (1 − rate).
// @ts-ignore: decorator
@inline
export function keep(numbers: usize, i: i32, threshold: i32, scale: f32): f32 {
  return <i32> load<u16>(numbers + (<usize> i << 1)) >= threshold ? scale : 0;
}

// The factors of elements i … i + 3.
// @ts-ignore: decorator
@inline
export function keep4(numbers: usize, i: i32, threshold: i32, scale: f32): v128 {
  const drawn = v128.load16x4_u(numbers + (<usize> i << 1));
  return v128.and(i32x4.ge_s(drawn, i32x4.splat(threshold)), f32x4.splat(scale));
}
