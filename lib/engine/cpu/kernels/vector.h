// Vectors, named as in OpenCL: float16 is sixteen floats. The compiler cuts them into registers of whatever width there is.
//
// Rules that keep results the same bits on every machine and with any number of threads:
// - a sum over a row is sixteen partial sums, element i in the (i mod 16)th, added up by `sum`;
// - a sum of products is a chain of FMA in the order of its index;
// - a portion of work (`start` … `end`) never decides on the order of a sum.
#pragma once

#define INLINE static inline __attribute__((always_inline))
// What has many sums in registers is a function of its own: in a large one they end up in memory.
#define APART static __attribute__((noinline))

typedef __PTRDIFF_TYPE__ idx;
typedef unsigned long long u64;
typedef long long i64;

typedef float float4 __attribute__((vector_size(16)));
typedef float float8 __attribute__((vector_size(32)));
typedef float float16 __attribute__((vector_size(64)));
typedef double double16 __attribute__((vector_size(128)));
typedef int int4 __attribute__((vector_size(16)));
typedef int int16 __attribute__((vector_size(64)));
typedef unsigned uint4 __attribute__((vector_size(16)));
typedef unsigned short ushort16 __attribute__((vector_size(32)));
// The same in memory, at any address of an element.
typedef float4 float4_at __attribute__((aligned(4), may_alias));
typedef float16 float16_at __attribute__((aligned(4), may_alias));
typedef ushort16 ushort16_at __attribute__((aligned(2), may_alias));

#define SPLAT(x) ((float)(x) - (float16){})
#define PLACES ((int16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})

// Quarter i of sixteen, and four quarters put together.
#define QUARTER(x, i) __builtin_shufflevector(x, x, 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3)
INLINE float16 join(float4 a, float4 b, float4 c, float4 d) {
  float8 low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7);
  float8 high = __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7);
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

// What one register holds: WIDTH floats. How many there are decides how much is done at once, and on no result.
#if defined(__AVX512F__)
#define WIDTH 16
#elif defined(__AVX2__)
#define WIDTH 8
#else
#define WIDTH 4
#endif
typedef float reg __attribute__((vector_size(4 * WIDTH)));
typedef int regInt __attribute__((vector_size(4 * WIDTH)));
typedef reg reg_at __attribute__((aligned(4), may_alias));
#define SPLAT_REG(x) ((float)(x) - (reg){})

// The part of a product that is in registers: rows of A × columns of B.
#if WIDTH == 16
#define TILE 14
#define PANEL 32
#elif WIDTH == 8
#define TILE 6
#define PANEL 16
#elif defined(__aarch64__)
#define TILE 6
#define PANEL 16
#else
#define TILE 6
#define PANEL 8
#endif
#define REGISTERS (PANEL / WIDTH)

// a b + c, rounded once where the machine can.
#if defined(__wasm__)
INLINE reg fmaReg(reg a, reg b, reg c) { return __builtin_wasm_relaxed_madd_f32x4(a, b, c); }
INLINE float16 fma16(float16 a, float16 b, float16 c) {
  return join(fmaReg(QUARTER(a, 0), QUARTER(b, 0), QUARTER(c, 0)), fmaReg(QUARTER(a, 1), QUARTER(b, 1), QUARTER(c, 1)),
              fmaReg(QUARTER(a, 2), QUARTER(b, 2), QUARTER(c, 2)), fmaReg(QUARTER(a, 3), QUARTER(b, 3), QUARTER(c, 3)));
}
INLINE float4 fma4(float4 a, float4 b, float4 c) { return fmaReg(a, b, c); }
INLINE float fma1(float a, float b, float c) { return fmaReg(SPLAT_REG(a), SPLAT_REG(b), SPLAT_REG(c))[0]; }
#elif defined(__FMA__) || defined(__aarch64__)
INLINE reg fmaReg(reg a, reg b, reg c) { return __builtin_elementwise_fma(a, b, c); }
INLINE float16 fma16(float16 a, float16 b, float16 c) { return __builtin_elementwise_fma(a, b, c); }
INLINE float4 fma4(float4 a, float4 b, float4 c) { return __builtin_elementwise_fma(a, b, c); }
INLINE float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
INLINE reg fmaReg(reg a, reg b, reg c) { return a * b + c; }
INLINE float16 fma16(float16 a, float16 b, float16 c) { return a * b + c; }
INLINE float4 fma4(float4 a, float4 b, float4 c) { return a * b + c; }
INLINE float fma1(float a, float b, float c) { return a * b + c; }
#endif

// mask ? a : b
INLINE float16 pick(int16 mask, float16 a, float16 b) { return (float16)(((int16)a & mask) | ((int16)b & ~mask)); }
// mask ? a : 0
INLINE float16 where(int16 mask, float16 a) { return (float16)((int16)a & mask); }
// A NaN in x stays one.
#if defined(__wasm__)
// Not by `pick`: the compiler would make `relaxed_max` of it, and what becomes of a NaN would be the machine's to say.
#define BY_QUARTERS(f, x, y) \
  join(f(QUARTER(x, 0), QUARTER(y, 0)), f(QUARTER(x, 1), QUARTER(y, 1)), f(QUARTER(x, 2), QUARTER(y, 2)), \
       f(QUARTER(x, 3), QUARTER(y, 3)))
INLINE float16 most(float16 x, float16 y) { return BY_QUARTERS(__builtin_wasm_pmax_f32x4, x, y); }
INLINE float16 least(float16 x, float16 y) { return BY_QUARTERS(__builtin_wasm_pmin_f32x4, x, y); }
#else
INLINE float16 most(float16 x, float16 y) { return pick(x < y, y, x); }
INLINE float16 least(float16 x, float16 y) { return pick(y < x, y, x); }
#endif
// The greater, of equal ones y. A NaN on either side stays one.
INLINE float16 greatest(float16 x, float16 y) { return pick(x != x, x, most(y, x)); }
INLINE float16 absolute(float16 x) { return (float16)((int16)x & 0x7fffffff); }

// The first `count` of sixteen floats, then zeros: the end of a row.
APART float16 loadEnd(const float *x, int count) {
  float16 y = {};
  for (int i = 0; i < count; i++) ((float *)&y)[i] = x[i];
  return y;
}
APART void storeEnd(float *y, float16 x, int count) {
  for (int i = 0; i < count; i++) y[i] = ((float *)&x)[i];
}
// Sixteen floats, or the `left` that there are.
INLINE float16 load(const float *x, int left) { return left >= 16 ? *(const float16_at *)x : loadEnd(x, left); }
INLINE void store(float *y, float16 x, int left) {
  if (left >= 16) *(float16_at *)y = x;
  else storeEnd(y, x, left);
}
// Does something for i = from, from + 16, … below `to`, with `left` elements at i: 16, but for the last.
#define SIXTEENS(i, from, to, ...) \
  { \
    int i = from; \
    for (const int left = 16; i + 16 <= (to); i += 16) __VA_ARGS__ \
    if (i < (to)) { \
      const int left = (to) - i; \
      __VA_ARGS__ \
    } \
  }

// Σ of the sixteen, in this order.
INLINE float sum(float16 x) {
  float8 a = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  float4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}
INLINE double sumDouble(double16 x) {
  double s[16];
  *(double16 *)s = x;
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) s[i] += s[i + half];
  return s[0];
}
INLINE float maximum(float16 x) {
  x = most(x, __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15));
  x = most(x, __builtin_shufflevector(x, x, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7));
  float a = x[0] > x[1] ? x[0] : x[1], b = x[2] > x[3] ? x[2] : x[3];
  return a > b ? a : b;
}
INLINE double16 widen(float16 x) { return __builtin_convertvector(x, double16); }

INLINE int lesser(int a, int b) { return a < b ? a : b; }
INLINE int greater(int a, int b) { return a > b ? a : b; }
