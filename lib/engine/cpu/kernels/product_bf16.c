// C = α op(A) op(B) (+ C), row-major, of factors rounded to 16 bits, with sums of 32. Each element of C is one sum in the
// order of k, cut where slices of DEPTH end. AMX goes on where a slice ended, and adds up in an order of its own: of 32
// products those at even places and those at odd ones, then both, then what was there before.
//
// Two numbers that follow each other along k lie side by side, as one of 32 bits: a pair. B is packed once, in panels of
// PANEL columns, [panel][k / 2][PANEL] of pairs. A is rounded where it is used, ROUNDED blocks of rows at a time, to
// [k / DEPTH][row][DEPTH]. Zeros stand behind the last k, up to a whole STEP.
#include "dots.h"
#include "product.h"
#include "table.h"
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
#include <arm_neon.h>
#endif

#define ROUNDED 8 // that are rounded at once

// Rows of C that are multiplied with a panel at once; A is rounded in sixteens of rows.
#if defined(__AMX_BF16__)
#define BLOCK 32
#else
#define BLOCK TILE
#endif
#define STEP 32
#define TOGETHER (1024 / PANEL)

#if defined(__AVX512BF16__) || defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)

typedef unsigned short ushort32 __attribute__((vector_size(64)));
typedef ushort32 ushort32_at __attribute__((aligned(2), may_alias));
typedef int16 int16_at __attribute__((aligned(4), may_alias));

// Rounded to the nearest, of two the even one: first those of x, then those of y.
INLINE ushort32 halves(float16 x, float16 y) {
#if defined(__AVX512BF16__)
  return (ushort32)__builtin_ia32_cvtne2ps2bf16_512(y, x);
#else
  typedef __bf16 half16 __attribute__((vector_size(32)));
  ushort16 low = (ushort16)__builtin_convertvector(x, half16), high = (ushort16)__builtin_convertvector(y, half16);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
#endif
}
// The pairs xᵢ, yᵢ.
INLINE int16 pairs(float16 x, float16 y) {
  ushort32 both = halves(x, y);
  return (int16)__builtin_shufflevector(both, both, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25,
                                        10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}
INLINE float16 loadSome(const float *x, int left) { return left > 0 ? load(x, left) : (float16){}; }
// The sixteen pairs of a row that begin at x, of which `left` numbers are there.
INLINE int16 pairsAlong(const float *x, int left) { return (int16)halves(loadSome(x, left), loadSome(x + 16, left - 16)); }
// The pairs of two rows of which `rows` are there, at most `left` of them.
INLINE int16 pairsAcross(const float *x, idx ld, int rows, int left) {
  return pairs(loadSome(x, rows > 0 ? left : 0), loadSome(x + ld, rows > 1 ? left : 0));
}

// Sixteen rows of sixteen become columns: each round moves one bit of an element's place from its column to its row.
INLINE void transpose16(int16 *rows) {
#pragma clang loop unroll(full)
  for (int round = 0; round < 4; round++) {
    int16 next[16];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
      next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      next[2 * i + 1] =
          __builtin_shufflevector(rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) rows[i] = next[i];
  }
}
// out[q][0 … 15], rows `step` apart: the pairs 2 q, 2 q + 1 of the sixteen rows at x, of which `count` are there.
APART void turnRows(const float *x, idx ld, int count, int depth, int *out, idx step) {
  int16 rows[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) rows[i] = pairsAlong(x + i * ld, i < count ? depth : 0);
  transpose16(rows);
#pragma clang loop unroll(full)
  for (int q = 0; q < 16; q++) *(int16_at *)(out + q * step) = rows[q];
}
// out[i][0 … 15], rows `step` apart: the pairs that sixteen columns have in the 32 rows at x, of which `depth` are there.
APART void turnColumns(const float *x, idx ld, int count, int depth, int *out, idx step) {
  int16 rows[16];
#pragma clang loop unroll(full)
  for (int q = 0; q < 16; q++) rows[q] = pairsAcross(x + 2 * q * ld, ld, depth - 2 * q, count);
  transpose16(rows);
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) *(int16_at *)(out + i * step) = rows[i];
}

// Items are panels. B is read along its rows, as far as they are here.
KERNEL(packHalf) {
  int depth = (a.k + STEP - 1) / STEP * (STEP / 2);
  int *packed = (int *)a.packed;
  if (a.transposed)
    for (int column = start * PANEL; column < end * PANEL; column += 16) {
      int *out = packed + column / PANEL * PANEL * (idx)depth + column % PANEL;
      for (int p = 0; p < depth; p += 16)
        turnRows(a.b + column * (idx)a.ldb + 2 * p, a.ldb, a.n - column, a.k - 2 * p, out + p * PANEL, PANEL);
    }
  else
    for (int p = 0; p < depth; p += 16)
      for (int column = start * PANEL; column < end * PANEL; column += 16) {
        int *out = packed + column / PANEL * PANEL * (idx)depth + column % PANEL;
        for (int q = p; q < p + 16; q++)
          *(int16_at *)(out + q * PANEL) = pairsAcross(a.b + 2 * q * (idx)a.ldb + column, a.ldb, a.k - 2 * q, a.n - column);
      }
}

// out[i][DEPTH] of op(A)[first + i][k0 + p], i < count, p < depth.
INLINE void roundRows(const struct productHalf *of, int first, int count, int k0, int depth, unsigned short *out) {
  const struct productHalf a = *of;
  if (a.transposed) {
    const float *x = a.a + (idx)k0 * a.lda + first;
    for (int p = 0; p < depth; p += STEP)
      for (int i = 0; i < count; i += 16)
        turnColumns(x + p * (idx)a.lda + i, a.lda, count - i, depth - p, (int *)(out + i * DEPTH + p), DEPTH / 2);
  } else {
    const float *x = a.a + (idx)first * a.lda + k0;
    for (int i = 0; i < count; i++)
      for (int p = 0; p < depth; p += STEP) *(int16_at *)(out + i * DEPTH + p) = pairsAlong(x + i * (idx)a.lda + p, depth - p);
  }
}

#if defined(__AMX_BF16__)

// A block times a panel, put to C: two tiles of rows by two of columns. What C has is where the sums begin; where they are
// scaled it is added behind.
APART void multiplyHalf(const unsigned short *x, const int *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                        int add) {
  float edge[BLOCK * PANEL];
  int begins = add && alpha == 1, whole = height == BLOCK && width == PANEL && alpha == 1;
  float *sums = whole ? c : edge;
  idx ld = whole ? ldc : PANEL;
  if (begins) {
    if (!whole)
      for (int i = 0; i < height; i++) SIXTEENS(j, 0, width, { *(float16_at *)(edge + i * PANEL + j) = load(c + i * ldc + j, left); })
    __builtin_ia32_tileloadd64(0, sums, 4 * ld);
    __builtin_ia32_tileloadd64(1, sums + 16, 4 * ld);
    __builtin_ia32_tileloadd64(2, sums + 16 * ld, 4 * ld);
    __builtin_ia32_tileloadd64(3, sums + 16 * ld + 16, 4 * ld);
  } else {
    __builtin_ia32_tilezero(0);
    __builtin_ia32_tilezero(1);
    __builtin_ia32_tilezero(2);
    __builtin_ia32_tilezero(3);
  }
  for (int p = 0, i = 0; p < depth; p += STEP, y += STEP / 2 * PANEL) {
    // Meanwhile C comes near, to be written: its rows are far apart.
    for (int end = lesser(i + 4, height); i < end; i++) __builtin_prefetch(c + i * ldc, 1), __builtin_prefetch(c + i * ldc + 16, 1);
    __builtin_ia32_tileloadd64(4, x + p, 2 * DEPTH);
    __builtin_ia32_tileloadd64(5, x + 16 * DEPTH + p, 2 * DEPTH);
    __builtin_ia32_tileloadd64(6, y, 4 * PANEL);
    __builtin_ia32_tileloadd64(7, y + 16, 4 * PANEL);
    __builtin_ia32_tdpbf16ps(0, 4, 6);
    __builtin_ia32_tdpbf16ps(1, 4, 7);
    __builtin_ia32_tdpbf16ps(2, 5, 6);
    __builtin_ia32_tdpbf16ps(3, 5, 7);
  }
  __builtin_ia32_tilestored64(0, sums, 4 * ld);
  __builtin_ia32_tilestored64(1, sums + 16, 4 * ld);
  __builtin_ia32_tilestored64(2, sums + 16 * ld, 4 * ld);
  __builtin_ia32_tilestored64(3, sums + 16 * ld + 16, 4 * ld);
  if (whole) return;
  for (int i = 0; i < height; i++)
    SIXTEENS(j, 0, width, {
      float16 sum = *(float16_at *)(edge + i * PANEL + j) * SPLAT(alpha);
      store(c + i * ldc + j, add && !begins ? sum + load(c + i * ldc + j, left) : sum, left);
    })
}

#else

#if defined(__AVX512BF16__)
typedef __bf16 half32 __attribute__((vector_size(64)));
INLINE reg addPairs(reg sum, reg x, reg y) { return __builtin_ia32_dpbf16ps_512(sum, (half32)x, (half32)y); }
#else
INLINE reg addPairs(reg sum, reg x, reg y) { return vbfdotq_f32(sum, (bfloat16x8_t)x, (bfloat16x8_t)y); }
#endif

// A tile times a panel, put to C: two products at a time.
APART void multiplyHalf(const unsigned short *x, const int *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                        int add) {
  const int *row = (const int *)x;
  reg sums[TILE][REGISTERS] = {};
#pragma clang loop unroll(disable)
  for (int p = 0; p < depth; p += 2, row++, y += PANEL) {
    reg columns[REGISTERS];
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) columns[j] = *(reg_at *)(y + j * WIDTH);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      reg xi = (reg)(row[i * (DEPTH / 2)] - (regInt){});
#pragma clang loop unroll(full)
      for (int j = 0; j < REGISTERS; j++) sums[i][j] = addPairs(sums[i][j], xi, columns[j]);
    }
  }
  put(sums, c, ldc, height, width, alpha, add);
}

#endif

// Items are blocks of rows.
KERNEL(productHalf) {
  float16 *v = scratch;
  unsigned short *rows = (unsigned short *)(v + CHUNK);
  int panels = (a.n + PANEL - 1) / PANEL;
  idx high = ROUNDED * BLOCK, deep = (a.k + STEP - 1) / STEP * (STEP / 2);
  openGrids();
  for (int from = start; from < end; from += ROUNDED) {
    int first = from * BLOCK, last = lesser(a.m, lesser(end, from + ROUNDED) * BLOCK);
    for (int k0 = 0; k0 < a.k; k0 += DEPTH) roundRows(&a, first, last - first, k0, lesser(DEPTH, a.k - k0), rows + k0 * high);
    // So many panels that these rows of C stay near from slice to slice.
    for (int left = 0; left < panels; left += TOGETHER)
      for (int k0 = 0; k0 < a.k; k0 += DEPTH) {
        int depth = lesser(DEPTH, a.k - k0), isLast = k0 + depth == a.k;
        for (int panel = left; panel < lesser(panels, left + TOGETHER); panel++) {
          const int *y = (const int *)a.packed + (panel * deep + k0 / 2) * PANEL;
          int column = panel * PANEL, done = lesser(column + PANEL, a.n);
          for (int i = first; i < last; i += BLOCK)
            multiplyHalf(rows + k0 * high + (i - first) * DEPTH, y, depth, a.c + i * (idx)a.ldc + column, a.ldc,
                         lesser(BLOCK, last - i), done - column, a.alpha, a.accumulate || k0 > 0);
          if (isLast) EPILOGUE(a, first, last, 0, done, a.n, 256, v)
        }
      }
  }
  closeGrids();
}

#else

// Refused before it comes to this.
KERNEL(packHalf) {}
KERNEL(productHalf) {}

#endif
