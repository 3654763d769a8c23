// Activations. Items are elements, or rows where there is a bias.
#include "activations.h"
#include "table.h"

// y = f(x)
KERNEL(activate) {
#define VALUE(f) SIXTEENS(i, start, end, { store(a.y + i, f(load(a.x + i, left)), left); })
  FOR_ACTIVATION(a.kind, , VALUE)
#undef VALUE
}

// dz = dy f′(z)
KERNEL(activateBackward) {
#define SLOPE(f) \
  SIXTEENS(i, start, end, { store(a.dz + i, load(a.dy + i, left) * f(load(a.z + i, left)), left); })
  FOR_ACTIVATION(a.kind, Slope, SLOPE)
#undef SLOPE
}

// y ← f(y + bias) by row; the sum goes to `pre` where there is one. kind −1: no activation.
INLINE float16 same(float16 x) { return x; }
KERNEL(biasActivation) {
#define ROWS(f) \
  for (int row = start; row < end; row++) { \
    float *y = a.y + (idx)row * a.columns, *pre = a.pre ? a.pre + (idx)row * a.columns : 0; \
    SIXTEENS(c, 0, a.columns, { \
      float16 z = load(y + c, left); \
      if (a.bias) z += load(a.bias + c, left); \
      if (pre) store(pre + c, z, left); \
      store(y + c, f(z), left); \
    }) \
  }
  if (a.kind < 0) ROWS(same)
  else FOR_ACTIVATION(a.kind, , ROWS)
#undef ROWS
}
