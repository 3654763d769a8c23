// AdamW, and what goes with gradients of which few rows are touched.

// Places in the tensor of step scalars: see STEP in engine.ts.
// w ← w (1 − lr·decay); m, v ← moments of g·clip; w ← w − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε)
export function adamw(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  state: usize,
  decay: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  if (load<f32>(state, 20) != 0) return;
  const rate = load<f32>(state);
  const step = <f64> load<f32>(state, 4);
  const clip = f32x4.splat(load<f32>(state, 16));
  const shrink = f32x4.splat(1 - rate * decay);
  const b1 = f32x4.splat(<f32> beta1), a1 = f32x4.splat(<f32> (1 - beta1));
  const b2 = f32x4.splat(<f32> beta2), a2 = f32x4.splat(<f32> (1 - beta2));
  const size = f32x4.splat(<f32> (<f64> rate / (1 - Math.pow(beta1, step))));
  const correction = f32x4.splat(<f32> (1 / Math.sqrt(1 - Math.pow(beta2, step))));
  const e = f32x4.splat(epsilon);
  for (let i = start; i < end; i += 4) {
    const o = <usize> i << 2;
    const gradient = f32x4.mul(v128.load(g + o), clip);
    const m1 = f32x4.relaxed_madd(v128.load(m + o), b1, f32x4.mul(gradient, a1));
    const v1 = f32x4.relaxed_madd(v128.load(v + o), b2, f32x4.mul(f32x4.mul(gradient, gradient), a2));
    v128.store(m + o, m1);
    v128.store(v + o, v1);
    const d = f32x4.relaxed_madd(f32x4.sqrt(v1), correction, e);
    v128.store(w + o, f32x4.sub(f32x4.mul(v128.load(w + o), shrink), f32x4.div(f32x4.mul(m1, size), d)));
  }
}

// The same for the rows that ever had a gradient: with moments of 0 and no decay the others would not move.
export function adamwRows(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  ever: usize,
  width: i32,
  state: usize,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let row = start; row < end; row++) {
    if (!load<u8>(ever + row)) continue;
    const o = <usize> row * width << 2;
    adamw(w + o, g + o, m + o, v + o, state, 0, beta1, beta2, epsilon, scratch, 0, width);
  }
}

export function clearRows(g: usize, dirty: usize, width: i32, scratch: usize, start: i32, end: i32): void {
  for (let row = start; row < end; row++) {
    if (!load<u8>(dirty + row)) continue;
    memory.fill(g + (<usize> row * width << 2), 0, <usize> width << 2);
    store<u8>(dirty + row, 0);
  }
}

// Σ x² of blocks of 256 rows, untouched rows left out, each to an f64
export function squaresOfRows(
  g: usize,
  dirty: usize,
  rows: i32,
  width: i32,
  partial: usize,
  scratch: usize,
  start: i32,
  end: i32,
): void {
  for (let block = start; block < end; block++) {
    let sum: f64 = 0;
    const last = min(rows, block * 256 + 256);
    for (let row = block * 256; row < last; row++) {
      if (!load<u8>(dirty + row)) continue;
      const base = g + (<usize> row * width << 2);
      for (let c = 0; c < width; c++) {
        const value = <f64> load<f32>(base + (<usize> c << 2));
        sum += value * value;
      }
    }
    store<f64>(partial + (<usize> block << 3), sum);
  }
}
