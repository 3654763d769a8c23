// Sums, and what goes by rows.
#include "table.h"
#include "vector.h"

// y = x ⊙ r by row
KERNEL(scaleRows) {
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * a.columns;
    float *y = a.y + (idx)row * a.columns;
    float16 r = SPLAT(a.r[row]);
    SIXTEENS(c, 0, a.columns, { store(y + c, load(x + c, left) * r, left); })
  }
}

// kind 0: Σ of a row, in double; 1: its maximum
KERNEL(rowReduce) {
  for (int row = start; row < end; row++) {
    const float *x = a.x + (idx)row * a.columns;
    if (a.kind == 0) {
      double16 sums = {};
      SIXTEENS(c, 0, a.columns, { sums += widen(load(x + c, left)); })
      a.y[row] = (float)sumDouble(sums);
    } else {
      float max = -__builtin_inff();
      for (int c = 0; c < a.columns; c++) max = x[c] > max || x[c] != x[c] ? x[c] : max;
      a.y[row] = max;
    }
  }
}

// Items are blocks of 64 rows; partial [blocks, columns] gets the sums of their columns.
KERNEL(columnSumBlocks) {
  for (int block = start; block < end; block++) {
    int last = lesser(a.rows, block * 64 + 64);
    float *out = a.partial + (idx)block * a.columns;
    __builtin_memset(out, 0, 4 * (idx)a.columns);
    for (int row = block * 64; row < last; row++) {
      const float *x = a.x + (idx)row * a.columns;
      SIXTEENS(c, 0, a.columns, { store(out + c, load(out + c, left) + load(x + c, left), left); })
    }
  }
}

// Items are columns: y (+)= Σ over the blocks, in their order.
KERNEL(columnSumFinish) {
  for (int c = start; c < end; c++) {
    double sum = a.accumulate ? a.y[c] : 0;
    for (int block = 0; block < a.blocks; block++) sum += a.partial[(idx)block * a.stride + c];
    a.y[c] = (float)sum;
  }
}

// Items are blocks of 16384 elements; each gives Σ x, or Σ x², short runs of it in float and their sums in double.
KERNEL(sumBlocks) {
  for (int block = start; block < end; block++) {
    int last = lesser(a.size, (block + 1) << 14);
    double total = 0;
    for (int i = block << 14; i < last;) {
      float16 run = {};
      int stop = lesser(last, i + 256);
      SIXTEENS(j, i, stop, {
        float16 x = load(a.x + j, left);
        run = a.squared ? fma16(x, x, run) : run + x;
      })
      total += sum(run);
      i = stop;
    }
    a.partial[block] = total;
  }
}
