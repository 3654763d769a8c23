// What products of both precisions have.
#pragma once
#include "activations.h"
#include "vector.h"

#define DEPTH 384 // a panel of B, DEPTH × PANEL, stays in a near cache

// Bias and activation follow while the sums are near: when columns begin … done − 1 of rows first … last − 1 are, of which
// the last is end − 1, for the `near` last.
#define EPILOGUE(a, first, last, begin, done, end, near, v) \
  if ((a.bias || a.pre || a.kind >= 0) && (done % near == 0 || done == end)) { \
    int from = greater((done - 1) / near * near, begin); \
    idx at = (idx)first * a.ldc + from; \
    follow(a.kind, a.c + at, a.bias ? a.bias + from : 0, a.pre ? a.pre + at : 0, a.ldc, last - first, done - from, v); \
  }

// A tile of sums, put to C; `height` × `width` of it are there.
INLINE void put(reg sums[TILE][REGISTERS], float *c, idx ldc, int height, int width, float alpha, int add) {
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) sums[i][j] *= alpha;
  if (height == TILE && width == PANEL) {
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
      for (int j = 0; j < REGISTERS; j++) {
        reg_at *to = (reg_at *)(c + i * ldc + j * WIDTH);
        *to = add ? sums[i][j] + *to : sums[i][j];
      }
    return;
  }
  float edge[TILE * PANEL];
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) *(reg_at *)(edge + i * PANEL + j * WIDTH) = sums[i][j];
  for (int i = 0; i < height; i++)
    for (int j = 0; j < width; j++) c[i * ldc + j] = add ? edge[i * PANEL + j] + c[i * ldc + j] : edge[i * PANEL + j];
}
