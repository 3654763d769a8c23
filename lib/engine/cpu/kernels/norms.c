// Normalisation of rows, forward and backward. Items are rows, or blocks of 64 rows where the weight has a gradient.
#include "math.h"
#include "philox.h"
#include "table.h"

// s = dropout(x) + residual; y = γ (s − mean) / √(var + ε) + β
KERNEL(layerNorm) {
  int n = a.width;
  dropoutKey key = DROPOUT(a);
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * n, *residual = a.residual ? a.residual + (idx)row * n : 0;
    float *s = a.sum + (idx)row * n, *y = a.y + (idx)row * n;
    if (key.threshold > 0) philox(key, row, 1, 0, n, scratch, 0);
    float16 total = {}, squares = {};
    SIXTEENS(c, 0, n, {
      float16 v = load(x + c, left);
      if (key.threshold > 0) v *= keep(key, scratch, c);
      if (residual) v += load(residual + c, left);
      store(s + c, v, left);
      total += v;
    })
    float mean = sum(total) / (float)n;
    SIXTEENS(c, 0, n, {
      float16 d = load(s + c, left) - SPLAT(mean);
      if (left < 16) d = where(PLACES < left, d);
      squares = fma16(d, d, squares);
    })
    float inverse = 1 / __builtin_sqrtf(sum(squares) / (float)n + a.epsilon);
    SIXTEENS(c, 0, n, {
      float16 normal = (load(s + c, left) - SPLAT(mean)) * SPLAT(inverse), gamma = load(a.gamma + c, left);
      store(y + c, a.beta ? fma16(normal, gamma, load(a.beta + c, left)) : normal * gamma, left);
    })
    a.statistics[2 * (idx)row] = mean;
    a.statistics[2 * (idx)row + 1] = inverse;
  }
}

// Backward, `added` is what came to s from elsewhere, if anything did: it belongs to ds, which may be written over it. Where s is
// dropout(x) + residual, dx is x's part of ds.

// ds = (g − mean(g) − ŝ mean(g ŝ)) / σ, g = γ dy; the blocks' Σ dy ŝ and Σ dy go to partial [blocks, 2 width].
KERNEL(layerNormBackward) {
  int n = a.width;
  dropoutKey key = DROPOUT(a);
  for (int block = start; block < end; block++) {
    float *dGamma = a.partial + (idx)block * 2 * n, *dBeta = dGamma + n;
    __builtin_memset(dGamma, 0, 8 * (idx)n);
    int last = lesser(a.rows, block * 64 + 64);
    for (int row = block * 64; row < last; row++) {
      const float *dy = a.dy + (idx)row * n, *s = a.sum + (idx)row * n, *added = a.added ? a.added + (idx)row * n : 0;
      float *ds = a.ds + (idx)row * n;
      float16 mean = SPLAT(a.statistics[2 * (idx)row]), inverse = SPLAT(a.statistics[2 * (idx)row + 1]);
      float16 g1 = {}, gs = {};
      SIXTEENS(c, 0, n, {
        float16 d = load(dy + c, left), normal = (load(s + c, left) - mean) * inverse, g = d * load(a.gamma + c, left);
        g1 += g;
        gs = fma16(g, normal, gs);
        store(dGamma + c, fma16(d, normal, load(dGamma + c, left)), left);
        store(dBeta + c, d + load(dBeta + c, left), left);
      })
      float16 meanG = SPLAT(sum(g1) / (float)n), meanGS = SPLAT(sum(gs) / (float)n);
      SIXTEENS(c, 0, n, {
        float16 normal = (load(s + c, left) - mean) * inverse, g = load(dy + c, left) * load(a.gamma + c, left);
        float16 slope = (g - meanG - normal * meanGS) * inverse;
        store(ds + c, added ? slope + load(added + c, left) : slope, left);
      })
      if (a.dx) dropRow(key, row, ds, a.dx + (idx)row * n, n, scratch);
    }
  }
}

// y = w s / √(mean s² + ε), w + 1 for w where `plus` is 1; returns 1 / √…
INLINE float rmsRow(const float *s, const float *weight, float plus, float epsilon, int n, float *y) {
  float16 squares = {};
  SIXTEENS(c, 0, n, {
    float16 v = load(s + c, left);
    squares = fma16(v, v, squares);
  })
  float inverse = 1 / __builtin_sqrtf(sum(squares) / (float)n + epsilon);
  SIXTEENS(c, 0, n, { store(y + c, load(s + c, left) * SPLAT(inverse) * (load(weight + c, left) + SPLAT(plus)), left); })
  return inverse;
}
// ds = (g − ŝ mean(g ŝ)) inverse, g = w dy, ŝ = s inverse; dWeight += dy ŝ. ds may be dy.
INLINE void rmsRowBackward(const float *dy, const float *s, float inverse, const float *weight, float plus, int n,
                           const float *added, float *ds, float *dWeight) {
  float16 gs = {};
  SIXTEENS(c, 0, n, {
    float16 d = load(dy + c, left), normal = load(s + c, left) * SPLAT(inverse);
    gs = fma16(d * (load(weight + c, left) + SPLAT(plus)), normal, gs);
    store(dWeight + c, fma16(d, normal, load(dWeight + c, left)), left);
  })
  float16 meanGS = SPLAT(sum(gs) / (float)n);
  SIXTEENS(c, 0, n, {
    float16 g = load(dy + c, left) * (load(weight + c, left) + SPLAT(plus)), normal = load(s + c, left) * SPLAT(inverse);
    float16 slope = (g - normal * meanGS) * SPLAT(inverse);
    store(ds + c, added ? slope + load(added + c, left) : slope, left);
  })
}

// s = dropout(x) + residual; y = w s / √(mean s² + ε)
KERNEL(rmsNorm) {
  int n = a.width;
  dropoutKey key = DROPOUT(a);
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * n, *residual = a.residual ? a.residual + (idx)row * n : 0;
    float *s = a.sum + (idx)row * n;
    if (key.threshold > 0) philox(key, row, 1, 0, n, scratch, 0);
    SIXTEENS(c, 0, n, {
      float16 v = load(x + c, left);
      if (key.threshold > 0) v *= keep(key, scratch, c);
      if (residual) v += load(residual + c, left);
      store(s + c, v, left);
    })
    a.statistics[row] = rmsRow(s, a.weight, a.plus, a.epsilon, n, a.y + (idx)row * n);
  }
}

// Items are blocks of 64 rows, whose Σ dy ŝ goes to partial [blocks, width].
KERNEL(rmsNormBackward) {
  int n = a.width;
  dropoutKey key = DROPOUT(a);
  for (int block = start; block < end; block++) {
    float *dWeight = a.partial + (idx)block * n;
    __builtin_memset(dWeight, 0, 4 * (idx)n);
    for (int row = block * 64; row < lesser(a.rows, block * 64 + 64); row++) {
      idx at = (idx)row * n;
      const float *added = a.added ? a.added + at : 0;
      rmsRowBackward(a.dy + at, a.sum + at, a.statistics[row], a.weight, a.plus, n, added, a.ds + at, dWeight);
      if (a.dx) dropRow(key, row, a.ds + at, a.dx + at, n, scratch);
    }
  }
}

// The same for heads `first` … first + count − 1 of the rows, each by itself, to the same columns of out.
KERNEL(headNorm) {
  int n = a.size;
  for (int row = start; row < end; row++)
    for (int head = 0; head < a.count; head++) {
      idx at = (idx)row * a.columns + (a.first + head) * n;
      a.statistics[(idx)row * a.count + head] = rmsRow(a.x + at, a.weight, a.plus, a.epsilon, n, a.out + at);
    }
}

// Over dOut. Items are blocks of 64 rows, whose Σ dy x̂ goes to partial [blocks, size].
KERNEL(headNormBackward) {
  int n = a.size;
  for (int block = start; block < end; block++) {
    float *dWeight = a.partial + (idx)block * n;
    __builtin_memset(dWeight, 0, 4 * (idx)n);
    for (int row = block * 64; row < lesser(a.rows, block * 64 + 64); row++)
      for (int head = 0; head < a.count; head++) {
        idx at = (idx)row * a.columns + (a.first + head) * n;
        float inverse = a.statistics[(idx)row * a.count + head];
        rmsRowBackward(a.dOut + at, a.x + at, inverse, a.weight, a.plus, n, 0, a.dOut + at, dWeight);
      }
  }
}

// y = x / max(‖x‖, ε); norms before the maximum
KERNEL(normalizeRows) {
  int n = a.width;
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * n;
    float *y = a.y + (idx)row * n;
    double16 squares = {};
    SIXTEENS(c, 0, n, {
      double16 v = widen(load(x + c, left));
      squares += v * v;
    })
    float norm = (float)__builtin_sqrt(sumDouble(squares));
    float16 inverse = SPLAT(1 / (norm > a.epsilon ? norm : a.epsilon));
    SIXTEENS(c, 0, n, { store(y + c, load(x + c, left) * inverse, left); })
    a.norms[row] = norm;
  }
}

// dx = (dy − y (y·dy)) / ‖x‖, and dy / ε where ‖x‖ < ε
KERNEL(normalizeRowsBackward) {
  int n = a.width;
  for (int row = start; row < end; row++) {
    const float *dy = a.dy + (idx)row * n, *y = a.y + (idx)row * n;
    float *dx = a.dx + (idx)row * n, norm = a.norms[row];
    double16 products = {};
    if (norm >= a.epsilon) SIXTEENS(c, 0, n, { products += widen(load(dy + c, left)) * widen(load(y + c, left)); })
    float16 dot = SPLAT((float)sumDouble(products)), inverse = SPLAT(1 / (norm > a.epsilon ? norm : a.epsilon));
    SIXTEENS(c, 0, n, { store(dx + c, (load(dy + c, left) - dot * load(y + c, left)) * inverse, left); })
  }
}
