// Functions of one or two elements. Items are elements.
#include "math.h"
#include "table.h"

// As lib/engine/cpu/elementwise.ts numbers them.
enum { ABS, SIGN, EXP, LOG, SQRT, SQUARE, RECIPROCAL };
enum { ADD, SUBTRACT, MULTIPLY, DIVIDE, MAXIMUM };

INLINE float unaryOf(int kind, float x) {
  switch (kind) {
    case ABS: return __builtin_fabsf(x);
    case SIGN: return x > 0 ? 1 : x < 0 ? -1 : 0;
    case EXP: return (float)exp1(x);
    case LOG: return (float)log1(x);
    case SQRT: return __builtin_sqrtf(x);
    case SQUARE: return x * x;
    default: return 1 / x;
  }
}
KERNEL(unary) {
  for (int i = start; i < end; i++) a.y[i] = unaryOf(a.kind, a.x[i]);
}

INLINE float16 binaryOf(int kind, float16 x, float16 y) {
  switch (kind) {
    case ADD: return x + y;
    case SUBTRACT: return x - y;
    case MULTIPLY: return x * y;
    case DIVIDE: return x / y;
    default: return greatest(x, y);
  }
}
// `single`: the other is one number for all.
KERNEL(binary) {
  float16 one = SPLAT(*a.other);
  SIXTEENS(i, start, end, {
    store(a.y + i, binaryOf(a.kind, load(a.x + i, left), a.single ? one : load(a.other + i, left)), left);
  })
}

// y = scale x + shift
KERNEL(affine) {
  SIXTEENS(i, start, end, { store(a.y + i, load(a.x + i, left) * SPLAT(a.scale) + SPLAT(a.shift), left); })
}

// target += scale x
KERNEL(addTo) {
  SIXTEENS(i, start, end, {
    store(a.target + i, fma16(load(a.x + i, left), SPLAT(a.scale), load(a.target + i, left)), left);
  })
}

KERNEL(fill) {
  SIXTEENS(i, start, end, { store(a.target + i, SPLAT(a.value), left); })
}
