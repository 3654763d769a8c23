// Rows of tables, dropout of rows, and from the rows of a sequence to its embedding.
#include "philox.h"
#include "table.h"

// y[t] = table[ids[t]]. Items are rows.
KERNEL(gather) {
  for (int t = start; t < end; t++)
    __builtin_memcpy(a.y + (idx)t * a.width, a.table + (idx)a.ids[t] * a.width, 4 * (idx)a.width);
}

// dTable[ids[t]] += dy[t]. Items are columns, so that threads never meet and the order of addition is that of t.
KERNEL(scatterAdd) {
  for (int t = 0; t < a.rows; t++) {
    int id = a.ids[t];
    if (a.ever) a.ever[id] = a.dirty[id] = 1;
    float *to = a.dTable + (idx)id * a.width;
    const float *from = a.dy + (idx)t * a.width;
    SIXTEENS(c, start, end, { store(to + c, load(to + c, left) + load(from + c, left), left); })
  }
}

KERNEL(dropout) {
  dropoutKey key = DROPOUT(a);
  for (int row = start; row < end; row++)
    dropRow(key, row, a.x + (idx)row * a.width, a.y + (idx)row * a.width, a.width, scratch);
}

// As lib/engine/cpu/pooling.ts numbers them.
enum { MEAN, CLS, MAX, MEAN_SQRT_LEN, WEIGHTED_MEAN, LAST_TOKEN };

// What the token at `position` of `length` weighs, the first `skip` left out; all modes but MAX.
static float weight(int mode, int position, int length, int skip) {
  float count = (float)(length - skip);
  switch (mode) {
    case MEAN: return 1 / count;
    case CLS: return position == skip;
    case MEAN_SQRT_LEN: return 1 / __builtin_sqrtf(count);
    case WEIGHTED_MEAN: return (float)(position + 1) * 2 / (count * (float)(length + skip + 1)); // Σ from skip + 1 to length
    default: return position == length - 1;
  }
}

// Items are sequences. With `ids`, x is a table, and the tokens are those of its rows.
KERNEL(pool) {
  int n = a.width;
  for (int s = start; s < end; s++) {
    int first = a.offsets[s], length = a.offsets[s + 1] - first;
    float *y = a.y + (idx)s * n;
    __builtin_memset(y, 0, 4 * (idx)n);
    for (int p = a.skip; p < length; p++) {
      const float *x = a.x + (a.ids ? (idx)a.ids[first + p] : (idx)(first + p)) * n;
      float w = a.mode == MAX ? 0 : weight(a.mode, p, length, a.skip);
      if (a.mode != MAX && w == 0) continue;
      SIXTEENS(c, 0, n, {
        float16 v = load(x + c, left), old = load(y + c, left);
        if (a.mode != MAX) v = old + SPLAT(w) * v;
        else if (p > a.skip) v = greatest(v, old);
        store(y + c, v, left);
      })
    }
  }
}

// dTable[ids[t]] += w dy[sequence of t], all modes but MAX. Items are columns, as those of scatterAdd.
KERNEL(scatterPool) {
  for (int s = 0; s < a.sequences; s++) {
    int first = a.offsets[s], length = a.offsets[s + 1] - first;
    const float *from = a.dy + (idx)s * a.width;
    for (int p = a.skip; p < length; p++) {
      float16 w = SPLAT(weight(a.mode, p, length, a.skip));
      if (w[0] == 0) continue;
      int id = a.ids[first + p];
      if (a.ever) a.ever[id] = a.dirty[id] = 1;
      float *to = a.dTable + (idx)id * a.width;
      SIXTEENS(c, start, end, { store(to + c, load(to + c, left) + w * load(from + c, left), left); })
    }
  }
}

// Items are sequences; of a maximum the first token that has it gets the gradient.
KERNEL(poolBackward) {
  int n = a.width;
  for (int s = start; s < end; s++) {
    int first = a.offsets[s], length = a.offsets[s + 1] - first;
    const float *dy = a.dy + (idx)s * n, *pooled = a.pooled + (idx)s * n;
    const float *x = a.x + (idx)first * n;
    float *dx = a.dx + (idx)first * n;
    if (a.mode == MAX) {
      __builtin_memset(dx, 0, 4 * (idx)length * n);
      for (int c = 0; c < n; c++)
        for (int p = a.skip; p < length; p++)
          if (x[(idx)p * n + c] == pooled[c]) {
            dx[(idx)p * n + c] = dy[c];
            break;
          }
      continue;
    }
    for (int p = 0; p < length; p++) {
      float16 w = SPLAT(p < a.skip ? 0 : weight(a.mode, p, length, a.skip));
      SIXTEENS(c, 0, n, { store(dx + (idx)p * n + c, w * load(dy + c, left), left); })
    }
  }
}
