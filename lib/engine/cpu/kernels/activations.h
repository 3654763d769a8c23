// Activations and their slopes.
#pragma once
#include "math.h"

// As lib/engine/cpu/dispatch.ts numbers them.
enum { GELU, GELU_TANH, TANH, RELU, SILU, QUICK_GELU, SIGMOID, LEAKY_RELU, SQUARED_RELU };

// x Φ(x)
INLINE float16 gelu(float16 x) {
  float16 half = x * SPLAT(0.5);
  return fma16(half, erf16(x * SPLAT(0.7071067811865476)), half);
}
// Φ(x) + x φ(x)
INLINE float16 geluSlope(float16 x) {
  float16 cdf = fma16(SPLAT(0.5), erf16(x * SPLAT(0.7071067811865476)), SPLAT(0.5));
  float16 pdf = exp16(x * x * SPLAT(-0.5)) * SPLAT(0.3989422804014327);
  return fma16(x, pdf, cdf);
}

// √(2/π) (x + 0.044715 x³)
INLINE float16 inner(float16 x) {
  return x * fma16(x * x, SPLAT(0.044715), SPLAT(1)) * SPLAT(0.7978845608028654);
}
// x (1 + tanh inner) / 2
INLINE float16 geluTanh(float16 x) {
  float16 half = x * SPLAT(0.5);
  return fma16(half, tanh16(inner(x)), half);
}
INLINE float16 geluTanhSlope(float16 x) {
  float16 t = tanh16(inner(x));
  float16 d = SPLAT(0.7978845608028654) * fma16(x * x, SPLAT(0.134145), SPLAT(1));
  return (SPLAT(1) - t * t) * (x * SPLAT(0.5) * d) + fma16(SPLAT(0.5), t, SPLAT(0.5));
}

INLINE float16 tanhSlope(float16 x) {
  float16 t = tanh16(x);
  return SPLAT(1) - t * t;
}

INLINE float16 relu(float16 x) { return most(x, SPLAT(0)); }
INLINE float16 reluSlope(float16 x) { return where(x > SPLAT(0), SPLAT(1)); }

INLINE float16 silu(float16 x) { return x * sigmoid(x); }
INLINE float16 quickGelu(float16 x) { return x * sigmoid(x * SPLAT(1.702)); }
// d/dx x σ(c x) = σ (1 + c x (1 − σ))
INLINE float16 swishSlope(float16 x, float c) {
  float16 u = x * SPLAT(c), s = sigmoid(u);
  return s * fma16(u, SPLAT(1) - s, SPLAT(1));
}
INLINE float16 siluSlope(float16 x) { return swishSlope(x, 1); }
INLINE float16 quickGeluSlope(float16 x) { return swishSlope(x, 1.702f); }

INLINE float16 sigmoidSlope(float16 x) {
  float16 s = sigmoid(x);
  return s * (SPLAT(1) - s);
}

INLINE float16 leakyRelu(float16 x) { return most(x, x * SPLAT(0.01)); }
INLINE float16 leakyReluSlope(float16 x) { return pick(x > SPLAT(0), SPLAT(1), SPLAT(0.01)); }

INLINE float16 squaredRelu(float16 x) { return relu(x) * relu(x); }
INLINE float16 squaredReluSlope(float16 x) { return SPLAT(2) * relu(x); }
