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
    if (key.threshold > 0) philox(key, row, 0, n, scratch);
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

// ds = (g − mean(g) − ŝ mean(g ŝ)) / σ, g = γ dy; the blocks' Σ dy ŝ and Σ dy go to partial [blocks, 2 width].
KERNEL(layerNormBackward) {
  int n = a.width;
  for (int block = start; block < end; block++) {
    float *dGamma = a.partial + (idx)block * 2 * n, *dBeta = dGamma + n;
    __builtin_memset(dGamma, 0, 8 * (idx)n);
    int last = lesser(a.rows, block * 64 + 64);
    for (int row = block * 64; row < last; row++) {
      const float *dy = a.dy + (idx)row * n, *s = a.sum + (idx)row * n;
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
        store(ds + c, (g - meanG - normal * meanGS) * inverse, left);
      })
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
