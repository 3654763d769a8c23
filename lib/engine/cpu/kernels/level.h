// What there is once for each set of instructions.
#pragma once

struct level {
  // Items `start` … `end` − 1 of a kernel; see dispatch.c.
  void (*run)(int kernel, char *base, const double *values, int start, int end, void *scratch);
  // Rows of a tile of A and columns of a panel of B; see product.c. Rows of a block likewise; see product_bf16.c.
  int tile, panel, block;
};
