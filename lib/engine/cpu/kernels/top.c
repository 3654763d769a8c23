// The largest of each row. Items are rows.
#include "table.h"
#include "vector.h"

// Whether any of sixteen flags is set.
INLINE int any(int16 flags) {
  int4 f = QUARTER(flags, 0) | QUARTER(flags, 1) | QUARTER(flags, 2) | QUARTER(flags, 3);
  return f[0] | f[1] | f[2] | f[3];
}

// values and indices [R, k]: largest first, of equal ones the first; k ≤ columns. A NaN comes after every number.
KERNEL(topK) {
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * a.columns;
    float *values = a.values + (idx)row * a.k;
    int *indices = a.indices + (idx)row * a.k, held = 0;
    for (int from = 0; from < a.columns && a.k > 0; from += 16) {
      int count = lesser(16, a.columns - from);
      // Most sixteens have nothing above the least that is held.
      if (held == a.k && count == 16 && !any(~(*(const float16_at *)(x + from) <= SPLAT(values[a.k - 1])))) continue;
      for (int c = from; c < from + count; c++) {
        float v = x[c];
        int place = held;
        while (place > 0 && (v > values[place - 1] || (v == v && values[place - 1] != values[place - 1]))) place--;
        if (place == a.k) continue;
        if (held < a.k) held++;
        for (int i = held - 1; i > place; i--) values[i] = values[i - 1], indices[i] = indices[i - 1];
        values[place] = v;
        indices[place] = c;
      }
    }
  }
}
