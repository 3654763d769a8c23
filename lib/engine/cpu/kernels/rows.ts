// Kernels that go row by row: embedding, normalisation, dropout, pooling, cross-entropy.
import { exp4, keep, keep4, philox, sum4 } from "./math";

export function gather(table: usize, ids: usize, y: usize, width: i32, scratch: usize, start: i32, end: i32): void {
  for (let t = start; t < end; t++) {
    memory.copy(
      y + (<usize> t * width << 2),
      table + (<usize> load<i32>(ids + (<usize> t << 2)) * width << 2),
      <usize> width << 2,
    );
  }
}

// Columns start … end − 1 of all rows, so that threads never meet and the order of addition is that of t.
export function scatterAdd(
  dTable: usize,
  ids: usize,
  dy: usize,
  rows: i32,
  width: i32,
  ever: usize,
  dirty: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let t = 0; t < rows; t++) {
    const id = load<i32>(ids + (<usize> t << 2));
    if (ever) {
      store<u8>(ever + id, 1);
      store<u8>(dirty + id, 1);
    }
    const to = dTable + (<usize> id * width << 2);
    const from = dy + (<usize> t * width << 2);
    let c = start;
    for (; c + 4 <= end; c += 4) {
      const o = <usize> c << 2;
      v128.store(to + o, f32x4.add(v128.load(to + o), v128.load(from + o)));
    }
    for (; c < end; c++) {
      const o = <usize> c << 2;
      store<f32>(to + o, load<f32>(to + o) + load<f32>(from + o));
    }
  }
}

export function dropout(
  x: usize,
  y: usize,
  width: i32,
  threshold: i32,
  scale: f32,
  places: usize,
  seed: i32,
  purpose: i32,
  step: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let row = start; row < end; row++) {
    philox(
      scratch,
      (width + 7) >> 3,
      0,
      load<u32>(places + (<usize> row << 3), 4),
      load<u32>(places + (<usize> row << 3)),
      step,
      seed,
      purpose,
    );
    const base = <usize> row * width << 2;
    let c = 0;
    for (; c + 4 <= width; c += 4) {
      const o = base + (<usize> c << 2);
      v128.store(y + o, f32x4.mul(v128.load(x + o), keep4(scratch, c, threshold, scale)));
    }
    for (; c < width; c++) {
      const o = base + (<usize> c << 2);
      store<f32>(y + o, load<f32>(x + o) * keep(scratch, c, threshold, scale));
    }
  }
}

// s = dropout(x) + residual; y = γ (s − mean) / √(var + ε) + β
export function layerNorm(
  x: usize,
  residual: usize,
  sum: usize,
  y: usize,
  statistics: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
  width: i32,
  threshold: i32,
  scale: f32,
  places: usize,
  seed: i32,
  purpose: i32,
  step: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = width & ~3;
  for (let row = start; row < end; row++) {
    const base = <usize> row * width << 2;
    if (threshold > 0) {
      philox(
        scratch,
        (width + 7) >> 3,
        0,
        load<u32>(places + (<usize> row << 3), 4),
        load<u32>(places + (<usize> row << 3)),
        step,
        seed,
        purpose,
      );
    }
    let total4 = f32x4.splat(0);
    let total: f32 = 0;
    for (let c = 0; c < whole; c += 4) {
      const o = base + (<usize> c << 2);
      let s = v128.load(x + o);
      if (threshold > 0) s = f32x4.mul(s, keep4(scratch, c, threshold, scale));
      if (residual) s = f32x4.add(s, v128.load(residual + o));
      v128.store(sum + o, s);
      total4 = f32x4.add(total4, s);
    }
    for (let c = whole; c < width; c++) {
      const o = base + (<usize> c << 2);
      let s = load<f32>(x + o);
      if (threshold > 0) s *= keep(scratch, c, threshold, scale);
      if (residual) s += load<f32>(residual + o);
      store<f32>(sum + o, s);
      total += s;
    }
    const mean = (total + sum4(total4)) / <f32> width;
    const mean4 = f32x4.splat(mean);
    let squares4 = f32x4.splat(0);
    let squares: f32 = 0;
    for (let c = 0; c < whole; c += 4) {
      const d = f32x4.sub(v128.load(sum + base + (<usize> c << 2)), mean4);
      squares4 = f32x4.relaxed_madd(d, d, squares4);
    }
    for (let c = whole; c < width; c++) {
      const d = load<f32>(sum + base + (<usize> c << 2)) - mean;
      squares += d * d;
    }
    const inverse: f32 = 1 / sqrt<f32>((squares + sum4(squares4)) / <f32> width + epsilon);
    const inverse4 = f32x4.splat(inverse);
    for (let c = 0; c < whole; c += 4) {
      const o = <usize> c << 2;
      const n = f32x4.mul(f32x4.sub(v128.load(sum + base + o), mean4), inverse4);
      v128.store(y + base + o, f32x4.relaxed_madd(n, v128.load(gamma + o), v128.load(beta + o)));
    }
    for (let c = whole; c < width; c++) {
      const o = <usize> c << 2;
      store<f32>(
        y + base + o,
        (load<f32>(sum + base + o) - mean) * inverse * load<f32>(gamma + o) + load<f32>(beta + o),
      );
    }
    store<f32>(statistics + (<usize> row << 3), mean);
    store<f32>(statistics + (<usize> row << 3), inverse, 4);
  }
}

// ds = (g − mean(g) − ŝ mean(g ŝ)) / σ, g = γ dy; Σ dy ŝ and Σ dy of blocks of 64 rows: [blocks, 2 width]
export function layerNormBackward(
  dy: usize,
  sum: usize,
  statistics: usize,
  gamma: usize,
  ds: usize,
  partial: usize,
  rows: i32,
  width: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = width & ~3;
  for (let block = start; block < end; block++) {
    const dGamma = partial + (<usize> block * width * 2 << 2);
    const dBeta = dGamma + (<usize> width << 2);
    memory.fill(dGamma, 0, <usize> width << 3);
    const last = min(rows, block * 64 + 64);
    for (let row = block * 64; row < last; row++) {
      const base = <usize> row * width << 2;
      const mean = load<f32>(statistics + (<usize> row << 3));
      const inverse = load<f32>(statistics + (<usize> row << 3), 4);
      const mean4 = f32x4.splat(mean), inverse4 = f32x4.splat(inverse);
      let a4 = f32x4.splat(0), b4 = f32x4.splat(0);
      let a: f32 = 0, b: f32 = 0;
      for (let c = 0; c < whole; c += 4) {
        const o = <usize> c << 2;
        const d = v128.load(dy + base + o);
        const n = f32x4.mul(f32x4.sub(v128.load(sum + base + o), mean4), inverse4);
        const g = f32x4.mul(d, v128.load(gamma + o));
        a4 = f32x4.add(a4, g);
        b4 = f32x4.relaxed_madd(g, n, b4);
        v128.store(dGamma + o, f32x4.relaxed_madd(d, n, v128.load(dGamma + o)));
        v128.store(dBeta + o, f32x4.add(d, v128.load(dBeta + o)));
      }
      for (let c = whole; c < width; c++) {
        const o = <usize> c << 2;
        const d = load<f32>(dy + base + o);
        const n = (load<f32>(sum + base + o) - mean) * inverse;
        const g = d * load<f32>(gamma + o);
        a += g;
        b += g * n;
        store<f32>(dGamma + o, load<f32>(dGamma + o) + d * n);
        store<f32>(dBeta + o, load<f32>(dBeta + o) + d);
      }
      const meanG = (a + sum4(a4)) / <f32> width;
      const meanGN = (b + sum4(b4)) / <f32> width;
      const meanG4 = f32x4.splat(meanG), meanGN4 = f32x4.splat(meanGN);
      for (let c = 0; c < whole; c += 4) {
        const o = <usize> c << 2;
        const n = f32x4.mul(f32x4.sub(v128.load(sum + base + o), mean4), inverse4);
        const g = f32x4.mul(v128.load(dy + base + o), v128.load(gamma + o));
        v128.store(ds + base + o, f32x4.mul(f32x4.sub(f32x4.sub(g, meanG4), f32x4.mul(n, meanGN4)), inverse4));
      }
      for (let c = whole; c < width; c++) {
        const o = <usize> c << 2;
        const n = (load<f32>(sum + base + o) - mean) * inverse;
        const g = load<f32>(dy + base + o) * load<f32>(gamma + o);
        store<f32>(ds + base + o, (g - meanG - n * meanGN) * inverse);
      }
    }
  }
}

// 0 mean, 1 cls, 2 max, 3 mean_sqrt_len, 4 weightedmean, 5 lasttoken
// What token `position` of `length` weighs; max aside.
function weight(mode: i32, position: i32, length: i32, skip: i32): f32 {
  const count = <f32> (length - skip);
  if (mode == 0) return 1 / count;
  if (mode == 1) return position == skip ? 1 : 0;
  if (mode == 3) return 1 / sqrt<f32>(count);
  if (mode == 4) return <f32> (position + 1) * 2 / (count * <f32> (length + skip + 1)); // Σ from skip + 1 to length
  return position == length - 1 ? 1 : 0;
}

export function pool(
  x: usize,
  offsets: usize,
  y: usize,
  width: i32,
  mode: i32,
  skip: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let s = start; s < end; s++) {
    const first = load<i32>(offsets + (<usize> s << 2));
    const length = load<i32>(offsets + (<usize> s << 2), 4) - first;
    const out = y + (<usize> s * width << 2);
    memory.fill(out, 0, <usize> width << 2);
    for (let p = skip; p < length; p++) {
      const row = x + (<usize> (first + p) * width << 2);
      if (mode == 2) {
        for (let c = 0; c < width; c++) {
          const o = <usize> c << 2;
          const value = load<f32>(row + o);
          if (p == skip || value > load<f32>(out + o)) store<f32>(out + o, value);
        }
      } else {
        const w = weight(mode, p, length, skip);
        if (w != 0) {
          for (let c = 0; c < width; c++) {
            store<f32>(
              out + (<usize> c << 2),
              load<f32>(out + (<usize> c << 2)) + w * load<f32>(row + (<usize> c << 2)),
            );
          }
        }
      }
    }
  }
}

export function poolBackward(
  dy: usize,
  x: usize,
  pooled: usize,
  offsets: usize,
  dx: usize,
  width: i32,
  mode: i32,
  skip: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let s = start; s < end; s++) {
    const first = load<i32>(offsets + (<usize> s << 2));
    const length = load<i32>(offsets + (<usize> s << 2), 4) - first;
    const d = dy + (<usize> s * width << 2);
    if (mode == 2) {
      memory.fill(dx + (<usize> first * width << 2), 0, <usize> length * width << 2);
      for (let c = 0; c < width; c++) {
        const o = <usize> c << 2;
        const most = load<f32>(pooled + (<usize> s * width << 2) + o);
        for (let p = skip; p < length; p++) {
          const at = (<usize> (first + p) * width << 2) + o;
          if (load<f32>(x + at) == most) {
            store<f32>(dx + at, load<f32>(d + o));
            break;
          }
        }
      }
    } else {
      for (let p = 0; p < length; p++) {
        const w: f32 = p < skip ? 0 : weight(mode, p, length, skip);
        const out = dx + (<usize> (first + p) * width << 2);
        for (let c = 0; c < width; c++) store<f32>(out + (<usize> c << 2), w * load<f32>(d + (<usize> c << 2)));
      }
    }
  }
}

export function normalizeRows(
  x: usize,
  y: usize,
  norms: usize,
  width: i32,
  epsilon: f32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let row = start; row < end; row++) {
    const base = <usize> row * width << 2;
    let squares: f64 = 0;
    for (let c = 0; c < width; c++) {
      const v = load<f32>(x + base + (<usize> c << 2));
      squares += <f64> v * v;
    }
    const norm = <f32> sqrt<f64>(squares);
    const inverse: f32 = 1 / max(norm, epsilon);
    for (let c = 0; c < width; c++) {
      store<f32>(y + base + (<usize> c << 2), load<f32>(x + base + (<usize> c << 2)) * inverse);
    }
    store<f32>(norms + (<usize> row << 2), norm);
  }
}

export function normalizeRowsBackward(
  dy: usize,
  y: usize,
  norms: usize,
  dx: usize,
  width: i32,
  epsilon: f32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let row = start; row < end; row++) {
    const base = <usize> row * width << 2;
    const norm = load<f32>(norms + (<usize> row << 2));
    let dot: f64 = 0;
    if (norm >= epsilon) {
      for (let c = 0; c < width; c++) {
        dot += <f64> load<f32>(dy + base + (<usize> c << 2)) * load<f32>(y + base + (<usize> c << 2));
      }
    }
    const inverse: f32 = 1 / max(norm, epsilon);
    for (let c = 0; c < width; c++) {
      const o = base + (<usize> c << 2);
      store<f32>(dx + o, (load<f32>(dy + o) - <f32> dot * load<f32>(y + o)) * inverse);
    }
  }
}

// logΣexp of each row; with `bias` [C] added to the logits in place before
export function logSumExpRows(
  logits: usize,
  bias: usize,
  out: usize,
  columns: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = columns & ~3;
  for (let row = start; row < end; row++) {
    const base = logits + (<usize> row * columns << 2);
    let most: f32 = -Infinity;
    for (let c = 0; c < columns; c++) {
      let v = load<f32>(base + (<usize> c << 2));
      if (bias) {
        v += load<f32>(bias + (<usize> c << 2));
        store<f32>(base + (<usize> c << 2), v);
      }
      most = max(most, v);
    }
    const most4 = f32x4.splat(most);
    let sum: f64 = 0;
    let c = 0;
    while (c < whole) {
      let run = f32x4.splat(0);
      const stop = min(whole, c + 256);
      for (; c < stop; c += 4) run = f32x4.add(run, exp4(f32x4.sub(v128.load(base + (<usize> c << 2)), most4)));
      sum += sum4(run);
    }
    for (; c < columns; c++) sum += Math.exp(load<f32>(base + (<usize> c << 2)) - most);
    store<f32>(out + (<usize> row << 2), most + <f32> Math.log(sum));
  }
}

// y = exp(x − r) by row, then minus 1 at the target, times `scale[0]`/count; rows without a target become 0.
// `gradient` 0: the probabilities alone.
export function softmaxRows(
  x: usize,
  r: usize,
  y: usize,
  columns: i32,
  gradient: i32,
  targets: usize,
  scale: usize,
  count: f32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const whole = columns & ~3;
  const s: f32 = gradient && count > 0 ? load<f32>(scale) / count : 1;
  const s4 = f32x4.splat(s);
  for (let row = start; row < end; row++) {
    const base = <usize> row * columns << 2;
    const target = gradient ? load<i32>(targets + (<usize> row << 2)) : 0;
    if (target < 0) {
      memory.fill(y + base, 0, <usize> columns << 2);
      continue;
    }
    const shift = load<f32>(r + (<usize> row << 2));
    const shift4 = f32x4.splat(shift);
    for (let c = 0; c < whole; c += 4) {
      const o = base + (<usize> c << 2);
      v128.store(y + o, f32x4.mul(exp4(f32x4.sub(v128.load(x + o), shift4)), s4));
    }
    for (let c = whole; c < columns; c++) {
      const o = base + (<usize> c << 2);
      store<f32>(y + o, <f32> Math.exp(load<f32>(x + o) - shift) * s);
    }
    if (gradient) {
      const o = base + (<usize> target << 2);
      store<f32>(y + o, load<f32>(y + o) - s);
    }
  }
}

// dLogits from stored probabilities
export function crossEntropyBackward(
  p: usize,
  targets: usize,
  scale: usize,
  count: f32,
  dz: usize,
  columns: i32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  const s: f32 = count > 0 ? load<f32>(scale) / count : 0;
  for (let row = start; row < end; row++) {
    const target = load<i32>(targets + (<usize> row << 2));
    for (let c = 0; c < columns; c++) {
      const o = <usize> row * columns + c << 2;
      store<f32>(dz + o, target < 0 ? 0 : (load<f32>(p + o) - (c == target ? <f32> 1 : <f32> 0)) * s);
    }
  }
}
