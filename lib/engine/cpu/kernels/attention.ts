// softmax(q kᵀ / √d + bias) v for one sequence and head at a time; scores are recomputed for the backward pass.
import { exp4, keep, philox, sum4 } from "./math";

// Rows first … first + length − 1 of columns [column, column + size) as [size][padded], zeros past the end.
function transposed(
  x: usize,
  width: i32,
  column: i32,
  first: i32,
  length: i32,
  size: i32,
  padded: i32,
  out: usize,
): void {
  for (let i = 0; i < size; i++) {
    const to = out + (<usize> i * padded << 2);
    for (let j = 0; j < length; j++) {
      store<f32>(to + (<usize> j << 2), load<f32>(x + (<usize> (first + j) * width + column + i << 2)));
    }
    for (let j = length; j < padded; j++) store<f32>(to + (<usize> j << 2), 0);
  }
}

// out[j] = Σᵢ row[i] · matrix[i][j]
// @ts-ignore: decorator
@inline
function rowTimes(row: usize, matrix: usize, size: i32, padded: i32, count: i32, out: usize): void {
  let j = 0;
  for (; j + 8 <= padded && j < count; j += 8) {
    let a = f32x4.splat(0), b = f32x4.splat(0);
    let m = matrix + (<usize> j << 2);
    for (let i = 0; i < size; i++) {
      const r = v128.load32_splat(row + (<usize> i << 2));
      a = f32x4.relaxed_madd(r, v128.load(m), a);
      b = f32x4.relaxed_madd(r, v128.load(m, 16), b);
      m += <usize> padded << 2;
    }
    v128.store(out + (<usize> j << 2), a);
    v128.store(out + (<usize> j << 2), b, 16);
  }
}

// target[0 … size) += s · source[0 … size)
// @ts-ignore: decorator
@inline
function axpy(target: usize, source: usize, s: f32, size: i32): void {
  const s4 = f32x4.splat(s);
  let i = 0;
  for (; i + 4 <= size; i += 4) {
    const o = <usize> i << 2;
    v128.store(target + o, f32x4.relaxed_madd(v128.load(source + o), s4, v128.load(target + o)));
  }
  for (; i < size; i++) {
    const o = <usize> i << 2;
    store<f32>(target + o, load<f32>(target + o) + s * load<f32>(source + o));
  }
}

// scores[j] ← scale · scores[j] + bias, j < count
// @ts-ignore: decorator
@inline
function finishScores(
  scores: usize,
  count: i32,
  scale: f32,
  bias: usize,
  span: i32,
  heads: i32,
  head: i32,
  i: i32,
): void {
  for (let j = 0; j < count; j++) {
    const at = scores + (<usize> j << 2);
    let s = load<f32>(at) * scale;
    if (bias) s += load<f32>(bias + (<usize> (j - i + span - 1) * heads + head << 2));
    store<f32>(at, s);
  }
}

// Items are (sequence, head).
export function attention(
  q: usize,
  k: usize,
  v: usize,
  offsets: usize,
  width: i32,
  heads: i32,
  causal: i32,
  bias: usize,
  span: i32,
  out: usize,
  logSumExp: usize,
  threshold: i32,
  keepScale: f32,
  places: usize,
  seed: i32,
  purpose: i32,
  step: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const size = width / heads;
  const scale: f32 = 1 / sqrt<f32>(<f32> size);
  for (let item = start; item < end; item++) {
    const head = item % heads;
    const column = head * size;
    const first = load<i32>(offsets + (<usize> (item / heads) << 2));
    const length = load<i32>(offsets + (<usize> (item / heads) << 2), 4) - first;
    const padded = (length + 7) & ~7;
    const keys = scratch;
    const scores = keys + (<usize> size * padded << 2);
    const numbers = scores + (<usize> padded << 2);
    transposed(k, width, column, first, length, size, padded, keys);
    for (let i = 0; i < length; i++) {
      const count = causal ? i + 1 : length;
      const row = <usize> (first + i) * width + column << 2;
      rowTimes(q + row, keys, size, padded, count, scores);
      finishScores(scores, count, scale, bias, span, heads, head, i);
      let most: f32 = -Infinity;
      for (let j = 0; j < count; j++) most = max(most, load<f32>(scores + (<usize> j << 2)));
      for (let j = count; j < padded; j++) store<f32>(scores + (<usize> j << 2), -Infinity);
      let sum4v = f32x4.splat(0);
      for (let j = 0; j < padded; j += 4) {
        const at = scores + (<usize> j << 2);
        let e = exp4(f32x4.sub(v128.load(at), f32x4.splat(most)));
        e = v128.and(e, i32x4.lt_s(i32x4.add(i32x4.splat(j), i32x4(0, 1, 2, 3)), i32x4.splat(count)));
        v128.store(at, e);
        sum4v = f32x4.add(sum4v, e);
      }
      const sum = sum4(sum4v);
      store<f32>(logSumExp + (<usize> (first + i) * heads + head << 2), most + <f32> Math.log(sum));
      if (threshold > 0) {
        const place = places + (<usize> (first + i) << 3);
        philox(numbers, (length + 7) >> 3, head << 16, load<u32>(place, 4), load<u32>(place), step, seed, purpose);
      }
      const target = out + row;
      memory.fill(target, 0, <usize> size << 2);
      for (let j = 0; j < count; j++) {
        let p = load<f32>(scores + (<usize> j << 2)) / sum;
        if (threshold > 0) p *= keep(numbers, j, threshold, keepScale);
        if (p != 0) axpy(target, v + (<usize> (first + j) * width + column << 2), p, size);
      }
    }
  }
}

// Items are (sequence, head), or heads alone when the bias has a gradient: then one thread owns a head's column of it.
export function attentionBackward(
  q: usize,
  k: usize,
  v: usize,
  offsets: usize,
  sequences: i32,
  width: i32,
  heads: i32,
  causal: i32,
  bias: usize,
  span: i32,
  logSumExp: usize,
  dOut: usize,
  dq: usize,
  dk: usize,
  dv: usize,
  dBias: usize,
  threshold: i32,
  keepScale: f32,
  places: usize,
  seed: i32,
  purpose: i32,
  step: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let item = start; item < end; item++) {
    if (dBias) {
      for (let s = 0; s < sequences; s++) {
        backwardOf(
          s,
          item,
          q,
          k,
          v,
          offsets,
          width,
          heads,
          causal,
          bias,
          span,
          logSumExp,
          dOut,
          dq,
          dk,
          dv,
          dBias,
          threshold,
          keepScale,
          places,
          seed,
          purpose,
          step,
          scratch,
        );
      }
    } else {backwardOf(
        item / heads,
        item % heads,
        q,
        k,
        v,
        offsets,
        width,
        heads,
        causal,
        bias,
        span,
        logSumExp,
        dOut,
        dq,
        dk,
        dv,
        dBias,
        threshold,
        keepScale,
        places,
        seed,
        purpose,
        step,
        scratch,
      );}
  }
}

// With P the probabilities and M the mask: dV = (P⊙M)ᵀ dO, dP = (dO Vᵀ)⊙M, dS = P⊙(dP − Σⱼ P⊙dP), dQ = dS K/√d,
// dK = dSᵀ Q/√d.
function backwardOf(
  sequence: i32,
  head: i32,
  q: usize,
  k: usize,
  v: usize,
  offsets: usize,
  width: i32,
  heads: i32,
  causal: i32,
  bias: usize,
  span: i32,
  logSumExp: usize,
  dOut: usize,
  dq: usize,
  dk: usize,
  dv: usize,
  dBias: usize,
  threshold: i32,
  keepScale: f32,
  places: usize,
  seed: i32,
  purpose: i32,
  step: i32,
  scratch: usize,
): void {
  const size = width / heads;
  const scale: f32 = 1 / sqrt<f32>(<f32> size);
  const column = head * size;
  const first = load<i32>(offsets + (<usize> sequence << 2));
  const length = load<i32>(offsets + (<usize> sequence << 2), 4) - first;
  const padded = (length + 7) & ~7;
  const keys = scratch;
  const values = keys + (<usize> size * padded << 2);
  const scores = values + (<usize> size * padded << 2);
  const slopes = scores + (<usize> padded << 2);
  const numbers = slopes + (<usize> padded << 2);
  transposed(k, width, column, first, length, size, padded, keys);
  transposed(v, width, column, first, length, size, padded, values);
  for (let j = 0; j < length; j++) {
    const row = <usize> (first + j) * width + column << 2;
    memory.fill(dk + row, 0, <usize> size << 2);
    memory.fill(dv + row, 0, <usize> size << 2);
    memory.fill(dq + row, 0, <usize> size << 2);
  }
  for (let i = 0; i < length; i++) {
    const count = causal ? i + 1 : length;
    const row = <usize> (first + i) * width + column << 2;
    rowTimes(q + row, keys, size, padded, count, scores);
    finishScores(scores, count, scale, bias, span, heads, head, i);
    rowTimes(dOut + row, values, size, padded, count, slopes);
    if (threshold > 0) {
      const place = places + (<usize> (first + i) << 3);
      philox(numbers, (length + 7) >> 3, head << 16, load<u32>(place, 4), load<u32>(place), step, seed, purpose);
    }
    const shift = f32x4.splat(load<f32>(logSumExp + (<usize> (first + i) * heads + head << 2)));
    let expected: f32 = 0;
    for (let j = 0; j < count; j += 4) {
      const at = scores + (<usize> j << 2);
      v128.store(at, exp4(f32x4.sub(v128.load(at), shift)));
    }
    for (let j = 0; j < count; j++) {
      const p = load<f32>(scores + (<usize> j << 2));
      const at = slopes + (<usize> j << 2);
      let kept: f32 = 1;
      if (threshold > 0) {
        kept = keep(numbers, j, threshold, keepScale);
        store<f32>(at, load<f32>(at) * kept);
      }
      expected += p * load<f32>(at);
      if (kept != 0) axpy(dv + (<usize> (first + j) * width + column << 2), dOut + row, p * kept, size);
    }
    for (let j = 0; j < count; j++) {
      const ds = load<f32>(scores + (<usize> j << 2)) * (load<f32>(slopes + (<usize> j << 2)) - expected);
      if (dBias) {
        const at = dBias + (<usize> (j - i + span - 1) * heads + head << 2);
        store<f32>(at, load<f32>(at) + ds);
      }
      const other = <usize> (first + j) * width + column << 2;
      axpy(dq + row, k + other, ds * scale, size);
      axpy(dk + other, q + row, ds * scale, size);
    }
  }
}
