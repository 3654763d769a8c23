// AdamW, and what goes with gradients of which few rows are touched.
#include "math.h"
#include "table.h"

// Places in the tensor of step scalars: see STEP in lib/engine/engine.ts.
enum { LEARNING_RATE, STEP, CLIP_FACTOR = 4, SKIPPED };

typedef struct {
  float16 clip, shrink, b1, a1, b2, a2, rate, correction, epsilon;
} adamwFactors;

INLINE adamwFactors factorsOf(const float *state, float weightDecay, double beta1, double beta2, float epsilon) {
  double rate = state[LEARNING_RATE];
  int step = (int)state[STEP];
  return (adamwFactors){
      .clip = SPLAT(state[CLIP_FACTOR]),
      .shrink = SPLAT(1 - state[LEARNING_RATE] * weightDecay),
      .b1 = SPLAT(beta1),
      .a1 = SPLAT(1 - beta1),
      .b2 = SPLAT(beta2),
      .a2 = SPLAT(1 - beta2),
      .rate = SPLAT(rate / (1 - power(beta1, step))),
      .correction = SPLAT(1 / __builtin_sqrt(1 - power(beta2, step))),
      .epsilon = SPLAT(epsilon),
  };
}

// w ← w (1 − lr·decay); m, v ← moments of g·clip; w ← w − lr/(1−β₁ᵗ) · m / (√v/√(1−β₂ᵗ) + ε); g ← 0
INLINE void update(adamwFactors f, float *w, float *g, float *m, float *v, int left) {
  float16 gradient = load(g, left) * f.clip;
  store(g, (float16){}, left);
  float16 m1 = fma16(load(m, left), f.b1, gradient * f.a1);
  float16 v1 = fma16(load(v, left), f.b2, gradient * gradient * f.a2);
  store(m, m1, left);
  store(v, v1, left);
  float16 d = fma16(__builtin_elementwise_sqrt(v1), f.correction, f.epsilon);
  store(w, load(w, left) * f.shrink - m1 * f.rate / d, left);
}

// Items are elements. A step that is skipped forgets its gradient alone.
KERNEL(adamw) {
  if (a.state[SKIPPED] != 0) return (void)__builtin_memset(a.g + start, 0, 4 * (idx)(end - start));
  adamwFactors f = factorsOf(a.state, a.weightDecay, a.beta1, a.beta2, a.epsilon);
  SIXTEENS(i, start, end, { update(f, a.w + i, a.g + i, a.m + i, a.v + i, left); })
}

// The same for rows. Those that never had a gradient have moments of 0: they are decayed, and do not move otherwise.
KERNEL(adamwRows) {
  adamwFactors f = factorsOf(a.state, a.weightDecay, a.beta1, a.beta2, a.epsilon);
  for (int row = start; row < end; row++) {
    idx at = (idx)row * a.width;
    float *w = a.w + at, *g = a.g + at, *m = a.m + at, *v = a.v + at;
    if (a.state[SKIPPED] != 0) {
      if (a.dirty[row]) __builtin_memset(g, 0, 4 * (idx)a.width);
    } else if (a.ever[row]) SIXTEENS(c, 0, a.width, { update(f, w + c, g + c, m + c, v + c, left); })
    else if (a.weightDecay != 0) SIXTEENS(c, 0, a.width, { store(w + c, load(w + c, left) * f.shrink, left); })
    a.dirty[row] = 0;
  }
}

// Items are rows: those that are dirty become 0.
KERNEL(clearRows) {
  for (int row = start; row < end; row++) {
    if (!a.dirty[row]) continue;
    __builtin_memset(a.g + (idx)row * a.width, 0, 4 * (idx)a.width);
    a.dirty[row] = 0;
  }
}

// Items are blocks of 256 rows; each gives Σ x², untouched rows left out.
KERNEL(squaresOfRows) {
  for (int block = start; block < end; block++) {
    int last = lesser(a.rows, block * 256 + 256);
    double16 squares = {};
    for (int row = block * 256; row < last; row++) {
      if (!a.dirty[row]) continue;
      const float *g = a.g + (idx)row * a.width;
      SIXTEENS(c, 0, a.width, {
        double16 v = widen(load(g + c, left));
        squares += v * v;
      })
    }
    a.partial[block] = sumDouble(squares);
  }
}
