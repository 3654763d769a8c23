// Parts of tensors, put elsewhere. Items are rows. The elements may be whole numbers: they are moved as bytes.
#include "table.h"
#include "vector.h"

// y[c][r] = x[r][c]
KERNEL(transpose) {
  int row = start;
  for (; row + 4 <= end; row += 4)
    for (int c = 0; c < a.columns; c++) {
      const float *x = a.x + (idx)row * a.columns + c;
      float4 four = {x[0], x[a.columns], x[2 * (idx)a.columns], x[3 * (idx)a.columns]};
      *(float4_at *)(a.y + (idx)c * a.rows + row) = four;
    }
  for (; row < end; row++)
    for (int c = 0; c < a.columns; c++) a.y[(idx)c * a.rows + row] = a.x[(idx)row * a.columns + c];
}

// Columns from … from + width − 1 of x [R, columns] become columns to … of y [R, outColumns].
KERNEL(copyColumns) {
  for (int row = start; row < end; row++)
    __builtin_memcpy(a.y + (idx)row * a.outColumns + a.to, a.x + (idx)row * a.columns + a.from, 4 * (idx)a.width);
}
