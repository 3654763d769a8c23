// C = α op(A) op(B) (+ C), row-major, for a slice of at most DEPTH of the k products of each sum: each element of C is one
// chain of FMA in the order of k, cut where slices end.
//
// B is packed in panels of PANEL columns, [panel][k][PANEL], and A in tiles of TILE rows, [tile][k][TILE]. A tile times a
// panel keeps its TILE × PANEL sums in registers.
#include "activations.h"
#include "pack.h"
#include "table.h"
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#include <arm_neon.h>
#endif

#define DEPTH 384 // a panel of B, DEPTH × PANEL, stays in a near cache
#define TILES 8 // that are packed at once
#define NEAR 256 // columns of a few tiles, which stay in a near cache too

// out[p][size] of x[p][i], i < count, p < depth. Zeros for count ≤ i < size.
INLINE void packColumns(const float *x, idx ld, int count, int depth, int size, float *out) {
  for (int p = 0; p < depth; p++, x += ld, out += size)
    if (count == size)
      for (int i = 0; i < size; i++) out[i] = x[i];
    else
      for (int i = 0; i < size; i++) out[i] = i < count ? x[i] : 0;
}

#if defined(__AVX512BF16__) || defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#define HALVES
// Numbers of 16 bits, rounded to the nearest: two of them that follow each other along k lie side by side, as one of 32.
typedef __bf16 half16 __attribute__((vector_size(32)));
INLINE ushort16 halve(float16 x) { return (ushort16)__builtin_convertvector(x, half16); }
INLINE float16 pair(ushort16 first, ushort16 second) {
  return (float16)(__builtin_convertvector(first, int16) | __builtin_convertvector(second, int16) << 16);
}

// out[p][size] of the pairs x[2 p][i], x[2 p + 1][i], i < count, 2 p < depth.
INLINE void pairColumns(const float *x, idx ld, int count, int depth, int size, float *out) {
  for (int p = 0; p < depth; p += 2, x += 2 * ld, out += size)
    for (int i = 0; i < size; i += 16) {
      const float *next = p + 1 < depth ? x + ld : x;
      int left = lesser(16, count - i);
      if (left <= 0) break;
      ushort16 first = halve(load(x + i, left)), second = halve(load(next + i, left));
      store(out + i, pair(first, p + 1 < depth ? second : (ushort16){}), lesser(16, size - i));
    }
}
// out[p][size] of the pairs x[i][2 p], x[i][2 p + 1], i < count, 2 p < depth; they are made at `row`, where they lie one
// after the other.
INLINE void pairRows(const float *x, idx ld, int count, int depth, int size, float *out, float *row) {
  int pairs = (depth + 1) / 2;
  for (int i = 0; i < count; i++)
    for (int p = 0; p < depth; p += 16) {
      ushort16 halves = halve(load(x + i * ld + p, lesser(16, depth - p)));
      *(ushort16_at *)(row + i * (DEPTH / 2) + p / 2) = halves;
    }
  packRows(row, DEPTH / 2, count, pairs, size, out);
}
#else
// Refused before it comes to this.
INLINE void pairColumns(const float *x, idx ld, int count, int depth, int size, float *out) {}
INLINE void pairRows(const float *x, idx ld, int count, int depth, int size, float *out, float *row) {}
#endif

// Panels `start` … `end` − 1 of B.
INLINE void packPanels(const float *b, idx ldb, int transposed, int n, int k, int half, float *packed, int start,
                       int end, float *row) {
  int depth = half ? (k + 1) / 2 : k;
  for (int panel = start; panel < end; panel++) {
    int column = panel * PANEL, count = lesser(PANEL, n - column);
    float *out = packed + (idx)panel * depth * PANEL;
    if (half && transposed) pairRows(b + column * ldb, ldb, count, k, PANEL, out, row);
    else if (half) pairColumns(b + column, ldb, count, k, PANEL, out);
    else if (transposed) packRows(b + column * ldb, ldb, count, k, PANEL, out);
    else packColumns(b + column, ldb, count, k, PANEL, out);
  }
}

// Items are panels.
KERNEL(packB) { packPanels(a.b, a.ldb, a.transposed, a.n, a.k, a.half, a.packed, start, end, scratch); }

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

// A tile times a panel, put to C.
APART void multiply(const float *x, const float *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                     int add) {
  reg sums[TILE][REGISTERS] = {};
#pragma clang loop unroll(disable)
  for (int p = 0; p < depth; p++, x += TILE, y += PANEL) {
    reg row[REGISTERS];
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) row[j] = *(reg_at *)(y + j * WIDTH);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      reg xi = SPLAT_REG(x[i]);
#pragma clang loop unroll(full)
      for (int j = 0; j < REGISTERS; j++) sums[i][j] = fmaReg(xi, row[j], sums[i][j]);
    }
  }
  put(sums, c, ldc, height, width, alpha, add);
}

// The same of pairs: two products at a time, their sums in 32 bits.
#if defined(HALVES)
#if defined(__AVX512BF16__)
typedef __bf16 halves __attribute__((vector_size(64)));
INLINE reg addPairs(reg sum, reg x, reg y) { return __builtin_ia32_dpbf16ps_512(sum, (halves)x, (halves)y); }
#else
INLINE reg addPairs(reg sum, reg x, reg y) { return vbfdotq_f32(sum, (bfloat16x8_t)x, (bfloat16x8_t)y); }
#endif
APART void multiplyPairs(const float *x, const float *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                          int add) {
  reg sums[TILE][REGISTERS] = {};
#pragma clang loop unroll(disable)
  for (int p = 0; p < depth; p++, x += TILE, y += PANEL) {
    reg row[REGISTERS];
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) row[j] = *(reg_at *)(y + j * WIDTH);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      reg xi = (reg)(((const int *)x)[i] - (regInt){});
#pragma clang loop unroll(full)
      for (int j = 0; j < REGISTERS; j++) sums[i][j] = addPairs(sums[i][j], xi, row[j]);
    }
  }
  put(sums, c, ldc, height, width, alpha, add);
}
#else
#define multiplyPairs multiply
#endif

// Items are tiles. Bias and activation follow while the sums are near, where the slice is the last one. With `call`, which no other call has, each thread packs B for itself: with few threads that is cheaper
// than to send it from one core's cache to another's.
KERNEL(product) {
  float *tiles = scratch, *row = tiles + TILES * TILE * DEPTH, *here = row + PANEL * DEPTH / 2;
  int panels = (a.n + PANEL - 1) / PANEL, depth = a.half ? (a.k + 1) / 2 : a.k;
  const float *packed = a.packed;
  if (a.call) {
    unsigned *packedFor = (unsigned *)scratch - 16; // below what kernels write to
    if (*packedFor != a.call) packPanels(a.b, a.ldb, a.transposedB, a.n, a.k, a.half, here, 0, panels, row);
    *packedFor = a.call;
    packed = here;
  }
  for (int from = start; from < end; from += TILES) {
    int first = from * TILE, last = lesser(a.m, lesser(end, from + TILES) * TILE);
    for (int i = first; i < last; i += TILE) {
      int count = lesser(TILE, last - i);
      float *out = tiles + (i - first) * depth;
      if (a.half && a.transposed) pairColumns(a.a + i, a.lda, count, a.k, TILE, out);
      else if (a.half) pairRows(a.a + (idx)i * a.lda, a.lda, count, a.k, TILE, out, row);
      else if (a.transposed) packColumns(a.a + i, a.lda, count, a.k, TILE, out);
      else packRows(a.a + (idx)i * a.lda, a.lda, count, a.k, TILE, out);
    }
    for (int panel = 0; panel < panels; panel++) {
      const float *y = packed + (idx)panel * depth * PANEL;
      int column = panel * PANEL, width = lesser(PANEL, a.n - column);
      for (int i = first; i < last; i += TILE) {
        const float *x = tiles + (i - first) * depth;
        float *c = a.c + (idx)i * a.ldc + column;
        if (a.half) multiplyPairs(x, y, depth, c, a.ldc, lesser(TILE, last - i), width, a.alpha, a.accumulate);
        else multiply(x, y, depth, c, a.ldc, lesser(TILE, last - i), width, a.alpha, a.accumulate);
      }
      int done = lesser(column + PANEL, a.n), near = column / NEAR * NEAR;
      if (!(a.bias || a.pre || a.kind >= 0) || (done % NEAR && done < a.n)) continue;
      idx at = (idx)first * a.ldc + near;
      follow(a.kind, a.c + at, a.bias ? a.bias + near : 0, a.pre ? a.pre + at : 0, a.ldc, last - first, done - near,
             (float16 *)row);
    }
  }
}
