// Rows become columns.
#pragma once
#include "vector.h"

// Four elements of each of four rows become four columns.
INLINE void turnFour(const float *x0, const float *x1, const float *x2, const float *x3, float4 columns[4]) {
  float4 a = *(float4_at *)x0, b = *(float4_at *)x1, c = *(float4_at *)x2, d = *(float4_at *)x3;
  float4 ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), AB = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  float4 cd = __builtin_shufflevector(c, d, 0, 4, 1, 5), CD = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  columns[0] = __builtin_shufflevector(ab, cd, 0, 1, 4, 5);
  columns[1] = __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
  columns[2] = __builtin_shufflevector(AB, CD, 0, 1, 4, 5);
  columns[3] = __builtin_shufflevector(AB, CD, 2, 3, 6, 7);
}
// Four rows of x become four columns: out[p][0 … 3] = x[0 … 3][p], p < depth.
INLINE void packFour(const float *x, idx ld, int depth, int size, float *out) {
  int p = 0;
  for (; p + 4 <= depth; p += 4, out += 4 * size) {
    float4 columns[4];
    // What comes next is fetched meanwhile: rows are too short for the machine to foresee the four after these.
    if (p % 16 == 0)
      for (int i = 4; i < 8; i++) __builtin_prefetch(x + i * ld + p);
    turnFour(x + p, x + ld + p, x + 2 * ld + p, x + 3 * ld + p, columns);
    for (int i = 0; i < 4; i++) *(float4_at *)(out + i * size) = columns[i];
  }
  for (; p < depth; p++, out += size)
    for (int i = 0; i < 4; i++) out[i] = x[i * ld + p];
}
// out[p][size] of x[i][p], i < count, p < depth. Zeros for count ≤ i < size.
INLINE void packRows(const float *x, idx ld, int count, int depth, int size, float *out) {
  int i = 0;
  for (; i + 4 <= count; i += 4) packFour(x + i * ld, ld, depth, size, out + i);
  if (count > 4 && i < count) packFour(x + (count - 4) * ld, ld, depth, size, out + count - 4), i = count;
  for (; i < size; i++)
    for (int p = 0; p < depth; p++) out[p * size + i] = i < count ? x[i * ld + p] : 0;
}
