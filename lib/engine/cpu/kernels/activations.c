// Activations. Items are elements, or rows where there is a bias or a gate.
//
// Elements go through scratch, some hundred at a time: so each function stands in the module once, whatever it is part of.
#include "activations.h"
#include "table.h"

// Sixteens that are looked at together; they stay in the nearest cache.
#define CHUNK 64

// v ← f(v), or f′(v), for so many sixteens; another kind leaves them as they are.
#define FOR_ALL(f) \
  for (int i = 0; i < count; i++) v[i] = f(v[i]); \
  break;
APART void valuesOf(int kind, float16 *v, int count) {
  switch (kind) {
    case GELU: FOR_ALL(gelu)
    case GELU_TANH: FOR_ALL(geluTanh)
    case TANH: FOR_ALL(tanh16)
    case RELU: FOR_ALL(relu)
    case SILU: FOR_ALL(silu)
    case QUICK_GELU: FOR_ALL(quickGelu)
    case SIGMOID: FOR_ALL(sigmoid)
    case LEAKY_RELU: FOR_ALL(leakyRelu)
    case SQUARED_RELU: FOR_ALL(squaredRelu)
  }
}
APART void slopesOf(int kind, float16 *v, int count) {
  switch (kind) {
    case GELU: FOR_ALL(geluSlope)
    case GELU_TANH: FOR_ALL(geluTanhSlope)
    case TANH: FOR_ALL(tanhSlope)
    case RELU: FOR_ALL(reluSlope)
    case SILU: FOR_ALL(siluSlope)
    case QUICK_GELU: FOR_ALL(quickGeluSlope)
    case SIGMOID: FOR_ALL(sigmoidSlope)
    case LEAKY_RELU: FOR_ALL(leakyReluSlope)
    case SQUARED_RELU: FOR_ALL(squaredReluSlope)
  }
}

// Goes over from … to − 1 in chunks: what is at `at` … at + n − 1, `count` sixteens.
#define CHUNKS(at, from, to) \
  for (int at = from, n, count; n = lesser((to) - at, 16 * CHUNK), count = (n + 15) / 16, n > 0; at += n)

// y = f(x)
KERNEL(activate) {
  float16 *v = scratch;
  CHUNKS(at, start, end) {
    SIXTEENS(i, 0, n, { v[i / 16] = load(a.x + at + i, left); })
    valuesOf(a.kind, v, count);
    SIXTEENS(i, 0, n, { store(a.y + at + i, v[i / 16], left); })
  }
}

// dz = dy f′(z). Items are parts of blocks of 64 rows, `parts` in the width of each; where a bias has a gradient, the
// blocks' Σ dz go to partial [blocks, columns], as columnSumBlocks would have them.
KERNEL(activateBackward) {
  float16 *v = scratch;
  for (int item = start; item < end; item++) {
    int block = item / a.parts, from = item % a.parts * (16 * CHUNK), to = lesser(a.columns, from + 16 * CHUNK);
    int last = lesser(a.rows, block * 64 + 64), size = to - from;
    float *sums = a.partial ? a.partial + (idx)block * a.columns + from : 0;
    if (sums) __builtin_memset(sums, 0, 4 * (idx)size);
    for (int row = block * 64; row < last; row++) {
      idx at = (idx)row * a.columns + from;
      SIXTEENS(i, 0, size, { v[i / 16] = load(a.z + at + i, left); })
      slopesOf(a.kind, v, (size + 15) / 16);
      SIXTEENS(i, 0, size, {
        float16 d = load(a.dy + at + i, left) * v[i / 16];
        store(a.dz + at + i, d, left);
        if (sums) store(sums + i, load(sums + i, left) + d, left);
      })
    }
  }
}

// y ← f(y + bias) for some columns of some rows, which are `ld` apart; the sum goes to `pre` where there is one. kind −1: no
// activation.
APART void follow(int kind, float *y, const float *bias, float *pre, idx ld, int rows, int columns, float16 *v) {
  for (int row = 0; row < rows; row++, y += ld, pre += pre ? ld : 0)
    CHUNKS(at, 0, columns) {
      SIXTEENS(i, at, at + n, {
        float16 z = load(y + i, left);
        if (bias) z += load(bias + i, left);
        if (pre) store(pre + i, z, left);
        if (kind < 0) store(y + i, z, left);
        else v[(i - at) / 16] = z;
      })
      if (kind < 0) continue;
      valuesOf(kind, v, count);
      SIXTEENS(i, 0, n, { store(y + at + i, v[i / 16], left); })
    }
}
// Items are rows.
KERNEL(biasActivation) {
  idx at = (idx)start * a.columns;
  follow(a.kind, a.y + at, a.bias, a.pre ? a.pre + at : 0, a.columns, end - start, a.columns, scratch);
}

// y = f(u) v; x [R, 2 width] = [u | v], or [v | u] where the second half is activated
KERNEL(gated) {
  float16 *f = scratch;
  for (int row = start; row < end; row++) {
    const float *x = a.x + 2 * (idx)row * a.width, *u = x + (a.second ? a.width : 0), *v = x + (a.second ? 0 : a.width);
    float *y = a.y + (idx)row * a.width;
    CHUNKS(at, 0, a.width) {
      SIXTEENS(i, 0, n, { f[i / 16] = load(u + at + i, left); })
      valuesOf(a.kind, f, count);
      SIXTEENS(i, 0, n, { store(y + at + i, f[i / 16] * load(v + at + i, left), left); })
    }
  }
}

// du = dy v f′(u), dv = dy f(u)
KERNEL(gatedBackward) {
  float16 *f = scratch, *slope = f + CHUNK;
  for (int row = start; row < end; row++) {
    idx first = 2 * (idx)row * a.width;
    const float *u = a.x + first + (a.second ? a.width : 0), *v = a.x + first + (a.second ? 0 : a.width);
    float *du = a.dx + first + (a.second ? a.width : 0), *dv = a.dx + first + (a.second ? 0 : a.width);
    const float *dy = a.dy + (idx)row * a.width;
    CHUNKS(at, 0, a.width) {
      SIXTEENS(i, 0, n, { slope[i / 16] = f[i / 16] = load(u + at + i, left); })
      valuesOf(a.kind, f, count);
      slopesOf(a.kind, slope, count);
      SIXTEENS(i, 0, n, {
        float16 d = load(dy + at + i, left);
        store(du + at + i, d * load(v + at + i, left) * slope[i / 16], left);
        store(dv + at + i, d * f[i / 16], left);
      })
    }
  }
}
