// exp, erf, tanh and their kin; as chains of FMA, so that every machine that has one gives the same bits.
#pragma once
#include "vector.h"

// A polynomial's next coefficient: p ← p x + c
#define NEXT(p, x, c) p = fma16(p, x, SPLAT(c))

// eˣ = 2ⁿ eʳ, |r| ≤ ln 2 / 2; below −87.3 it stays at the smallest normal number's size, above 88.3 at the largest.
INLINE float16 exp16(float16 x) {
  x = least(most(x, SPLAT(-87.3)), SPLAT(88.3));
  // Adding 1.5 · 2²³ rounds to a whole number and leaves it in the lowest bits.
  float16 t = x * SPLAT(1.44269504088896341) + SPLAT(12582912);
  float16 n = t - SPLAT(12582912);
  float16 r = fma16(n, SPLAT(-0.693359375), x); // ln 2 in two parts
  r = fma16(n, SPLAT(2.12194440e-4), r);
  float16 p = SPLAT(1.9875691500e-4);
  NEXT(p, r, 1.3981999507e-3);
  NEXT(p, r, 8.3334519073e-3);
  NEXT(p, r, 4.1665795894e-2);
  NEXT(p, r, 1.6666665459e-1);
  NEXT(p, r, 5.0000001201e-1);
  p = fma16(p, r * r, r + SPLAT(1));
  return p * (float16)(((int16)t << 23) + (127 << 23));
}

// A rational approximation of erf on [−4, 4], good to a few units in the last place.
INLINE float16 erf16(float16 x) {
  x = least(most(x, SPLAT(-4)), SPLAT(4));
  float16 s = x * x;
  float16 p = SPLAT(-2.72614225801306e-10);
  NEXT(p, s, 2.77068142495902e-08);
  NEXT(p, s, -2.10102402082508e-06);
  NEXT(p, s, -5.69250639462346e-05);
  NEXT(p, s, -7.34990630326855e-04);
  NEXT(p, s, -2.95459980854025e-03);
  NEXT(p, s, -1.60960333262415e-02);
  float16 q = SPLAT(-1.45660718464996e-05);
  NEXT(q, s, -2.13374055278905e-04);
  NEXT(q, s, -1.68282697438203e-03);
  NEXT(q, s, -7.37332916720468e-03);
  NEXT(q, s, -1.42647390514189e-02);
  return x * p / q;
}

// tanh x = 1 − 2 / (e²ˣ + 1); near 0 its series, where that difference would lose its digits
INLINE float16 tanh16(float16 x) {
  float16 far = SPLAT(1) - SPLAT(2) / (exp16(x + x) + SPLAT(1));
  float16 s = x * x;
  float16 near = fma16(s, SPLAT(-17.0 / 315), SPLAT(2.0 / 15));
  near = fma16(s, near, SPLAT(-1.0 / 3));
  near = fma16(s * near, x, x);
  return pick(absolute(x) < SPLAT(0.1), near, far);
}

// σ(x) = 1 / (1 + e⁻ˣ)
INLINE float16 sigmoid(float16 x) { return SPLAT(1) / (SPLAT(1) + exp16(-x)); }

// ln x of normal numbers = n ln 2 + ln m, x = 2ⁿ m, √½ ≤ m < √2; to about one unit in the last place
INLINE float16 log16(float16 x) {
  int16 bits = (int16)x - 0x3f3504f3; // √½
  float16 n = __builtin_convertvector(bits >> 23, float16);
  float16 m = (float16)((bits & 0x7fffff) + 0x3f3504f3) - SPLAT(1);
  float16 s = m * m;
  float16 p = SPLAT(7.0376836292e-2);
  NEXT(p, m, -1.1514610310e-1);
  NEXT(p, m, 1.1676998740e-1);
  NEXT(p, m, -1.2420140846e-1);
  NEXT(p, m, 1.4249322787e-1);
  NEXT(p, m, -1.6668057665e-1);
  NEXT(p, m, 2.0000714765e-1);
  NEXT(p, m, -2.4999993993e-1);
  NEXT(p, m, 3.3333331174e-1);
  float16 y = fma16(n, SPLAT(-2.12194440e-4), p * m * s);
  y = fma16(s, SPLAT(-0.5), y);
  return fma16(n, SPLAT(0.693359375), m + y);
}

// The functions of one number reckon in double: what they give is the nearest float but for rare ties.

INLINE u64 bitsOf(double x) {
  u64 bits;
  __builtin_memcpy(&bits, &x, 8);
  return bits;
}
INLINE double doubleOf(u64 bits) {
  double x;
  __builtin_memcpy(&x, &bits, 8);
  return x;
}

// eˣ = 2ⁿ eʳ by the series of eʳ, |r| ≤ ln 2 / 2
static inline double exp1(double x) {
  if (x != x) return x;
  if (x > 709) return __builtin_inf();
  if (x < -708) return 0;
  double n = __builtin_rint(x * 1.4426950408889634);
  double r = x - n * 0.693147180369123816490 - n * 1.90821492927058770002e-10;
  double e = 1;
  for (int i = 14; i > 0; i--) e = 1 + e * r / i;
  return e * doubleOf((u64)((i64)n + 1023) << 52);
}

// ln x = n ln 2 + 2 artanh s, s = (m − 1) / (m + 1), x = 2ⁿ m, √½ ≤ m < √2
static inline double log1(double x) {
  if (!(x > 0)) return x == 0 ? -__builtin_inf() : __builtin_nan("");
  if (x == __builtin_inf()) return x;
  double scale = 0;
  if (x < 2.2250738585072014e-308) x *= 0x1p54, scale = -54; // subnormal
  i64 n = (i64)(bitsOf(x) >> 52) - 1023;
  double m = doubleOf((bitsOf(x) & 0xfffffffffffffull) | 1023ull << 52);
  if (m > 1.4142135623730951) m /= 2, n++;
  double s = (m - 1) / (m + 1), t = s * s, series = 0;
  for (int i = 23; i > 0; i -= 2) series = series * t + 1.0 / i;
  return ((double)n + scale) * 0.6931471805599453 + 2 * s * series;
}

// xⁿ for a whole n ≥ 0, by squaring
static inline double power(double x, int n) {
  double y = 1;
  for (; n > 0; n /= 2, x *= x)
    if (n & 1) y *= x;
  return y;
}
