// Softmax and cross-entropy. Items are rows.
#include "math.h"
#include "table.h"

// log Σ exp of each row; with `bias` [C] it is added to the logits, in place, before.
KERNEL(logSumExpRows) {
  int n = a.columns;
  for (int row = start; row < end; row++) {
    float *x = a.logits + (idx)row * n;
    float16 highest = SPLAT(-__builtin_inff());
    SIXTEENS(c, 0, n, {
      float16 v = load(x + c, left);
      if (a.bias) {
        v += load(a.bias + c, left);
        store(x + c, v, left);
      }
      if (left < 16) v = pick(PLACES < left, v, highest);
      highest = most(v, highest);
    })
    float max = maximum(highest);
    double total = 0;
    for (int c = 0; c < n;) { // short runs in float, their sums in double
      float16 run = {};
      int stop = lesser(n, c + 256);
      SIXTEENS(i, c, stop, {
        float16 e = exp16(load(x + i, left) - SPLAT(max));
        run += left < 16 ? where(PLACES < left, e) : e;
      })
      total += sum(run);
      c = stop;
    }
    a.out[row] = max + (float)log1(total);
  }
}

// y = exp(x − log Σ exp)
KERNEL(softmaxRows) {
  int n = a.columns;
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * n;
    float *y = a.y + (idx)row * n;
    float16 shift = SPLAT(a.logSumExp[row]);
    SIXTEENS(c, 0, n, { store(y + c, exp16(load(x + c, left) - shift), left); })
  }
}

// y = (exp(x − log Σ exp) − onehot) dLoss / count; 0 for rows without a target. y may be x.
KERNEL(softmaxRowsBackward) {
  int n = a.columns;
  float scale = a.count > 0 ? *a.dLoss / a.count : 0;
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * n;
    float *y = a.y + (idx)row * n;
    if (a.targets[row] < 0) {
      __builtin_memset(y, 0, 4 * (idx)n);
      continue;
    }
    float16 shift = SPLAT(a.logSumExp[row]);
    SIXTEENS(c, 0, n, { store(y + c, exp16(load(x + c, left) - shift) * SPLAT(scale), left); })
    y[a.targets[row]] -= scale;
  }
}

// dz = (p − onehot) dLoss / count; 0 for rows without a target.
KERNEL(crossEntropyBackward) {
  int n = a.columns;
  float scale = a.count > 0 ? *a.dLoss / a.count : 0;
  for (int row = start; row < end; row++) {
    const float *p = a.p + (idx)row * n;
    float *dz = a.dz + (idx)row * n;
    int target = a.targets[row];
    if (target < 0) {
      __builtin_memset(dz, 0, 4 * (idx)n);
      continue;
    }
    SIXTEENS(c, 0, n, { store(dz + c, load(p + c, left) * SPLAT(scale), left); })
    dz[target] = (p[target] - 1) * scale;
  }
}
