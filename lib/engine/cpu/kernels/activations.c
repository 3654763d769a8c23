// Activations. Items are elements, or rows where there is a bias or a gate.
#include "activations.h"
#include "table.h"

// y = f(x)
KERNEL(activate) {
#define VALUE(f, slope) SIXTEENS(i, start, end, { store(a.y + i, f(load(a.x + i, left)), left); })
  FOR_ACTIVATION(a.kind, VALUE)
#undef VALUE
}

// dz = dy f′(z)
KERNEL(activateBackward) {
#define SLOPE(f, slope) \
  SIXTEENS(i, start, end, { store(a.dz + i, load(a.dy + i, left) * slope(load(a.z + i, left)), left); })
  FOR_ACTIVATION(a.kind, SLOPE)
#undef SLOPE
}

// y ← f(y + bias) by row; the sum goes to `pre` where there is one. kind −1: no activation.
INLINE float16 same(float16 x) { return x; }
KERNEL(biasActivation) {
#define ROWS(f, slope) \
  for (int row = start; row < end; row++) { \
    float *y = a.y + (idx)row * a.columns, *pre = a.pre ? a.pre + (idx)row * a.columns : 0; \
    SIXTEENS(c, 0, a.columns, { \
      float16 z = load(y + c, left); \
      if (a.bias) z += load(a.bias + c, left); \
      if (pre) store(pre + c, z, left); \
      store(y + c, f(z), left); \
    }) \
  }
  if (a.kind < 0) ROWS(same, )
  else FOR_ACTIVATION(a.kind, ROWS)
#undef ROWS
}

// y = f(u) v; x [R, 2 width] = [u | v], or [v | u] where the second half is activated
KERNEL(gated) {
#define ROWS(f, slope) \
  for (int row = start; row < end; row++) { \
    const float *x = a.x + 2 * (idx)row * a.width, *u = x + (a.second ? a.width : 0), *v = x + (a.second ? 0 : a.width); \
    float *y = a.y + (idx)row * a.width; \
    SIXTEENS(c, 0, a.width, { store(y + c, f(load(u + c, left)) * load(v + c, left), left); }) \
  }
  FOR_ACTIVATION(a.kind, ROWS)
#undef ROWS
}

// du = dy v f′(u), dv = dy f(u)
KERNEL(gatedBackward) {
#define ROWS(f, slope) \
  for (int row = start; row < end; row++) { \
    idx at = 2 * (idx)row * a.width, u = at + (a.second ? a.width : 0), v = at + (a.second ? 0 : a.width); \
    const float *dy = a.dy + (idx)row * a.width; \
    SIXTEENS(c, 0, a.width, { \
      float16 x = load(a.x + u + c, left), d = load(dy + c, left); \
      store(a.dx + u + c, d * load(a.x + v + c, left) * slope(x), left); \
      store(a.dx + v + c, d * f(x), left); \
    }) \
  }
  FOR_ACTIVATION(a.kind, ROWS)
#undef ROWS
}
