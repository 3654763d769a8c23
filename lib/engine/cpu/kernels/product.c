// C = α op(A) op(B) (+ C), row-major. Each element of C is one chain of FMA in the order of k, cut at multiples of DEPTH.
//
// B is packed once for all threads, in panels of 8 columns, [panel][k][8]; a thread packs its rows of A in tiles of 6,
// [tile][depth][6]. A tile times a panel keeps its 6 × 8 sums in twelve registers of four.
#include "pack.h"
#include "table.h"

#define DEPTH 384 // a panel of B, DEPTH × 8, stays in the nearest cache
#define TILE 6
#define PANEL 8
#define TILES 8 // that are packed at once

// out[p][size] of x[p][i], i < count, p < depth. Zeros for count ≤ i < size.
INLINE void packColumns(const float *x, idx ld, int count, int depth, int size, float *out) {
  for (int p = 0; p < depth; p++, x += ld, out += size)
    if (count == size)
      for (int i = 0; i < size; i++) out[i] = x[i];
    else
      for (int i = 0; i < size; i++) out[i] = i < count ? x[i] : 0;
}

// Items are panels.
KERNEL(packB) {
  for (int panel = start; panel < end; panel++) {
    int column = panel * PANEL, count = lesser(PANEL, a.n - column);
    float *out = a.packed + (idx)panel * a.k * PANEL;
    if (a.transposed) packRows(a.b + (idx)column * a.ldb, a.ldb, count, a.k, PANEL, out);
    else packColumns(a.b + column, a.ldb, count, a.k, PANEL, out);
  }
}

// A tile times a panel, put to C; `height` × `width` of it are there.
APART void multiply(const float *x, const float *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                     int add) {
  float4 sums[TILE][2] = {};
#pragma clang loop unroll(disable)
  for (int p = 0; p < depth; p++, x += TILE, y += PANEL) {
    float4 y0 = *(float4_at *)y, y1 = *(float4_at *)(y + 4);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      float4 xi = SPLAT4(x[i]);
      sums[i][0] = fma4(xi, y0, sums[i][0]);
      sums[i][1] = fma4(xi, y1, sums[i][1]);
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < TILE; i++)
#pragma clang loop unroll(full)
    for (int j = 0; j < 2; j++) {
      float4 value = sums[i][j] * alpha;
      float *to = c + i * ldc + 4 * j;
      if (i >= height) return;
      if (4 * j + 4 <= width) *(float4_at *)to = add ? value + *(float4_at *)to : value;
      else
        for (int l = 0; l < 4; l++)
          if (4 * j + l < width) to[l] = add ? value[l] + to[l] : value[l];
    }
}

// Items are tiles.
KERNEL(product) {
  float *tiles = scratch;
  int panels = (a.n + PANEL - 1) / PANEL;
  for (int from = start; from < end; from += TILES) {
    int first = from * TILE, last = lesser(a.m, lesser(end, from + TILES) * TILE);
    for (int k0 = 0; k0 < a.k; k0 += DEPTH) {
      int depth = lesser(DEPTH, a.k - k0), add = a.accumulate || k0 > 0;
      for (int row = first; row < last; row += TILE) {
        int count = lesser(TILE, last - row);
        float *out = tiles + (row - first) * depth;
        if (a.transposed) packColumns(a.a + (idx)k0 * a.lda + row, a.lda, count, depth, TILE, out);
        else packRows(a.a + (idx)row * a.lda + k0, a.lda, count, depth, TILE, out);
      }
      for (int panel = 0; panel < panels; panel++) {
        const float *y = a.packed + ((idx)panel * a.k + k0) * PANEL;
        int column = panel * PANEL, width = lesser(PANEL, a.n - column);
        for (int row = first; row < last; row += TILE)
          multiply(tiles + (row - first) * depth, y, depth, a.c + (idx)row * a.ldc + column, a.ldc,
                   lesser(TILE, last - row), width, a.alpha, add);
      }
    }
  }
}
