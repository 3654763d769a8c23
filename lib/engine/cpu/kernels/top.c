// The largest of each row.
#include "pack.h"
#include "product.h"
#include "table.h"

#define PART 128 // columns whose largest are found before they are put among those that are held
#define LEAST (-__builtin_inff())

// Whether v goes before w, of which w was there first. A NaN is as small as −∞.
INLINE int isAbove(float v, float w) { return v > w || (w != w && v > LEAST); }
// Whether any of sixteen does.
INLINE int anyAbove(float16 x, float w) { return __builtin_reduce_or(x > SPLAT(w == w ? w : LEAST)) != 0; }

// Puts v where it belongs among those up to `place`, the last of which goes.
INLINE void insert(float v, int index, float *values, int *indices, int place) {
  for (; place > 0 && isAbove(v, values[place - 1]); place--)
    values[place] = values[place - 1], indices[place] = indices[place - 1];
  values[place] = v;
  indices[place] = index;
}

// Puts `count` sorted ones behind what was there first: of the `held` + `count` the first k stay.
INLINE void merge(const float *news, const int *newIndices, int count, float *values, int *indices, int held, int k) {
  for (int place = held + count - 1; count > 0; place--) {
    int isOld = held > 0 && isAbove(news[count - 1], values[held - 1]);
    int from = isOld ? --held : --count;
    if (place >= k) continue;
    values[place] = isOld ? values[from] : news[from];
    indices[place] = isOld ? indices[from] : newIndices[from];
  }
}

// values and indices [R, k], largest first, of x [R, columns], whose columns are numbered from `from`; with `best` and
// `bestIndices` [R, k] also of these, which are in order. Items are rows.
KERNEL(topK) {
  float *news = scratch;
  int *newIndices = (int *)(news + PART), most = lesser(a.k, PART);
  for (int row = start; row < end && a.k > 0; row++) {
    const float *x = a.x + (idx)row * a.columns;
    float *values = a.values + (idx)row * a.k;
    int *indices = a.indices + (idx)row * a.k, held = 0;
    if (a.best) {
      __builtin_memcpy(values, a.best + (idx)row * a.k, 4 * (idx)a.k);
      __builtin_memcpy(indices, a.bestIndices + (idx)row * a.k, 4 * (idx)a.k);
      held = a.k;
    }
    for (int c = 0; c < a.columns;) {
      int count = 0;
      for (int last = lesser(c + PART, a.columns); c < last;) {
        int stop = lesser(c + 16, last);
        // Most sixteens have nothing that goes before the least.
        if (stop == c + 16 && held == a.k && !anyAbove(load(x + c, 16), count == most ? news[most - 1] : values[a.k - 1]))
          c = stop;
        for (; c < stop; c++) {
          if (held == a.k && !isAbove(x[c], values[a.k - 1])) continue;
          if (count == most && !isAbove(x[c], news[most - 1])) continue;
          insert(x[c], a.from + c, news, newIndices, count < most ? count++ : most - 1);
        }
      }
      merge(news, newIndices, count, values, indices, held, a.k);
      held = lesser(a.k, held + count);
    }
  }
}

#define CHOSEN 16 // columns whose products are made at once

// Products of x with rows of b, four for each of so many `fours`, as `product` makes them.
INLINE void multiplyFours(const float *x, const float *const *b, int depth, int fours, float4_at *products) {
  for (int from = 0; from < depth; from += DEPTH) {
    int p = from, end = lesser(depth, from + DEPTH);
    float4 sums[CHOSEN / 4] = {};
    for (; p + 4 <= end; p += 4)
#pragma clang loop unroll(full)
      for (int f = 0; f < fours; f++) {
        float4 columns[4];
        turnFour(b[4 * f] + p, b[4 * f + 1] + p, b[4 * f + 2] + p, b[4 * f + 3] + p, columns);
        for (int i = 0; i < 4; i++) sums[f] = fma4(x[p + i] - (float4){}, columns[i], sums[f]);
      }
    for (; p < end; p++)
      for (int f = 0; f < fours; f++) {
        float4 column = {b[4 * f][p], b[4 * f + 1][p], b[4 * f + 2][p], b[4 * f + 3][p]};
        sums[f] = fma4(x[p] - (float4){}, column, sums[f]);
      }
    for (int f = 0; f < fours; f++) products[f] = from > 0 ? sums[f] + products[f] : sums[f];
  }
}
// Functions of their own, with the sums in registers.
APART void multiplyOneFour(const float *x, const float *const *b, int depth, float4_at *products) {
  multiplyFours(x, b, depth, 1, products);
}
APART void multiplyTwoFours(const float *x, const float *const *b, int depth, float4_at *products) {
  multiplyFours(x, b, depth, 2, products);
}
APART void multiplyAllFours(const float *x, const float *const *b, int depth, float4_at *products) {
  multiplyFours(x, b, depth, CHOSEN / 4, products);
}

// Puts those of the chosen columns where they belong whose products go before others.
APART void choose(const struct topProducts *of, int row, const int *chosen, int count) {
  const struct topProducts a = *of;
  const float *x = a.a + (idx)row * a.depth, *b[CHOSEN];
  float products[CHOSEN], *values = a.values + (idx)row * a.k;
  for (int i = 0; i < CHOSEN; i++) b[i] = a.b + (idx)chosen[lesser(i, count - 1)] * a.depth;
  if (count <= 4) multiplyOneFour(x, b, a.depth, (float4_at *)products);
  else if (count <= 8) multiplyTwoFours(x, b, a.depth, (float4_at *)products);
  else multiplyAllFours(x, b, a.depth, (float4_at *)products);
  a.multiplied[row] += count;
  for (int i = 0; i < count; i++)
    if (isAbove(products[i], values[a.k - 1]))
      insert(products[i], a.from + chosen[i], values, a.indices + (idx)row * a.k, a.k - 1);
}

// The same as topK with best and bestIndices, of a bᵀ, a [R, depth] and b [columns, depth], of which ã b̃ [R, columns] is known:
//   a b ≤ ã b̃ + ‖a − ã‖ ‖b‖ + ‖ã‖ ‖b − b̃‖   (Cauchy–Schwarz)
// with norms and errors as `int8Bounds` gives them. Only what may go before the least is multiplied, and counted. Items are
// rows.
KERNEL(topProducts) {
  // What is rounded in a sum of `depth` products, and in the three steps of ã b̃, for ‖ã‖ ‖b̃‖ ≤ 4 ‖a‖ ‖b‖; and what ã b̃ loses
  // where its scales are too small for a float: 127² · 65536 · 2⁻¹⁵⁰.
  const float rounded = (a.depth + 64) * 0x1p-24f, tiny = 0x1p-120f;
  for (int row = start; row < end; row++) {
    a.multiplied[row] = 0;
    if (a.k == 0) continue;
    idx held = (idx)row * a.k;
    __builtin_memcpy(a.values + held, a.best + held, 4 * (idx)a.k);
    __builtin_memcpy(a.indices + held, a.bestIndices + held, 4 * (idx)a.k);
    const float *about = a.about + (idx)row * a.columns, *least = a.values + held + a.k - 1;
    float error = a.aErrors[row], norm = a.aNorms[row];
    float16 byNorm = SPLAT(error + rounded * norm), byError = SPLAT(error + norm);
    int chosen[CHOSEN], count = 0;
    for (int c = 0; c < a.columns; c += 16) {
      int left = lesser(16, a.columns - c);
      float16 margin = byNorm * load(a.bNorms + c, left) + byError * load(a.bErrors + c, left) + SPLAT(tiny);
      int16 isOut = load(about + c, left) + margin <= SPLAT(*least); // a NaN never is
      if (__builtin_reduce_and(isOut)) continue;
      for (int i = 0; i < left; i++) {
        if (isOut[i]) continue;
        chosen[count++] = c + i;
        if (count < CHOSEN) continue;
        choose(&a, row, chosen, count);
        count = 0;
      }
    }
    if (count > 0) choose(&a, row, chosen, count);
  }
}
