// C = α op(A) op(B) (+ C), row-major, for a slice of at most DEPTH of the k products of each sum: each element of C is one
// chain of FMA in the order of k, cut where slices end.
//
// B is packed in panels of PANEL columns, [panel][k][PANEL], and A in tiles of TILE rows, [tile][k][TILE]. A tile times a
// panel keeps its TILE × PANEL sums in registers.
#include "pack.h"
#include "product.h"
#include "table.h"

#define TILES (192 / TILE) // that are packed at once: a panel, which comes from a far cache, is used by all of them
#define NEAR 256 // columns of B that are near, where A is all packed
#define ROWS_OF_PANELS 8 // panels that are packed side by side

// Blocks of `size` columns of x, out[block][p][size], p < depth, the last with zeros behind the `count` columns that there
// are. A row of all blocks before the next one: rows of a large matrix lie in pages of their own, and each is opened once.
INLINE void packColumns(const float *x, idx ld, int count, int depth, int size, float *out) {
  int full = count / size * size;
  for (int p = 0; p < depth; p++, x += ld, out += size) {
    float *to = out;
    for (int c = 0; c < full; c += size, to += (idx)depth * size)
      for (int i = 0; i < size; i++) to[i] = x[c + i];
    for (int i = 0; full < count && i < size; i++) to[i] = full + i < count ? x[full + i] : 0;
  }
}

// Panels `start` … `end` − 1 of B.
INLINE void packPanels(const float *b, idx ldb, int transposed, int n, int k, float *packed, int start, int end) {
  int together = transposed ? 1 : ROWS_OF_PANELS;
  for (int panel = start; panel < end; panel += together) {
    int column = panel * PANEL, count = lesser(lesser(together, end - panel) * PANEL, n - column);
    float *out = packed + (idx)panel * k * PANEL;
    if (transposed) packRows(b + column * ldb, ldb, count, k, PANEL, out);
    else packColumns(b + column, ldb, count, k, PANEL, out);
  }
}

// Items are panels.
KERNEL(packB) { packPanels(a.b, a.ldb, a.transposed, a.n, a.k, a.packed, start, end); }

// Rows of Bᵀ [n, k], put for good to where products take them: the panels of each slice behind each other. Items are rows of
// w, of which the first is row `first` of Bᵀ.
KERNEL(packWeight) {
  idx columns = (a.n + PANEL - 1) / PANEL * PANEL;
  for (int row = start, together; row < end; row += together) {
    int column = a.first + row;
    together = column % 4 == 0 && row + 4 <= end ? 4 : 1;
    for (int k0 = 0; k0 < a.k; k0 += DEPTH) {
      int depth = lesser(DEPTH, a.k - k0);
      const float *x = a.w + (idx)row * a.k + k0;
      float *to = a.packed + k0 * columns + (idx)(column / PANEL) * depth * PANEL + column % PANEL;
      if (together == 4) packFour(x, a.k, depth, PANEL, to);
      else
        for (int p = 0; p < depth; p++) to[(idx)p * PANEL] = x[p];
    }
  }
}

// A tile times a panel, put to C.
APART void multiply(const float *x, const float *y, int depth, float *c, idx ldc, int height, int width, float alpha,
                     int add) {
  // Where the sums go is fetched meanwhile: its rows lie far from each other, and nothing else would foresee them.
  for (int i = 0; i < TILE; i++)
    for (int j = 0; j < PANEL; j += 16) __builtin_prefetch(c + i * ldc + j, 1);
  reg sums[TILE][REGISTERS] = {};
#pragma clang loop unroll(disable)
  for (int p = 0; p < depth; p++, x += TILE, y += PANEL) {
    reg row[REGISTERS];
    // Of few rows a panel is used once or twice, and comes from far: the next one is fetched meanwhile, to a near cache.
    for (int j = 0; j < PANEL; j += 16) __builtin_prefetch(y + depth * PANEL + j, 0, 2);
#pragma clang loop unroll(full)
    for (int j = 0; j < REGISTERS; j++) row[j] = *(reg_at *)(y + j * WIDTH);
#pragma clang loop unroll(full)
    for (int i = 0; i < TILE; i++) {
      reg xi = SPLAT_REG(x[i]);
#pragma clang loop unroll(full)
      for (int j = 0; j < REGISTERS; j++) sums[i][j] = fmaReg(xi, row[j], sums[i][j]);
    }
  }
  put(sums, c, ldc, height, width, alpha, add);
}

// Rows first … last − 1 of A, in tiles.
INLINE void packTiles(const struct product *of, int first, int last, float *tiles) {
  const struct product a = *of;
  if (a.transposed) packColumns(a.a + first, a.lda, last - first, a.k, TILE, tiles);
  else
    for (int i = first; i < last; i += TILE)
      packRows(a.a + (idx)i * a.lda, a.lda, lesser(TILE, last - i), a.k, TILE, tiles + (idx)(i - first) * a.k);
}

// Rows first … last − 1 times the panels of columns begin … end − 1, each of which is near as long as it is used.
INLINE void multiplyRows(const struct product *of, const float *tiles, int first, int last, const float *packed, int begin,
                         int end, float16 *v) {
  const struct product a = *of;
  for (int column = begin; column < end; column += PANEL) {
    const float *y = packed + (idx)(column - begin) * a.k;
    int done = lesser(column + PANEL, end);
    for (int i = first; i < last; i += TILE)
      multiply(tiles + (idx)(i - first) * a.k, y, a.k, a.c + (idx)i * a.ldc + column, a.ldc, lesser(TILE, last - i),
               done - column, a.alpha, a.accumulate);
    EPILOGUE(a, first, last, begin, done, end, 64, v)
  }
}

// Whether a thread has packed for this call already. It is remembered below what kernels write to.
INLINE int hasPacked(unsigned call, void *scratch) {
  unsigned *packedFor = (unsigned *)scratch - 16;
  int has = *packedFor == call;
  *packedFor = call;
  return has;
}

// Items are tiles or, `byPanels`, panels: then each thread packs all of A, and a few of the panels it takes at a time, which
// stay in a near cache; or takes them from `packed`. Without that each thread packs all of B if there is a `call`: with few
// threads that is cheaper than to send it from one core's cache to another's. Calls that follow each other with one number
// share what was packed.
KERNEL(product) {
  float16 *v = scratch;
  float *here = (float *)(v + CHUNK);
  if (a.byPanels) {
    float *panels = here, *tiles = here + NEAR * DEPTH;
    if (!hasPacked(a.call, scratch))
      for (int first = 0; first < a.m; first += TILES * TILE)
        packTiles(&a, first, lesser(a.m, first + TILES * TILE), tiles + (idx)first * a.k);
    for (int from = start * PANEL; from < end * PANEL; from += NEAR) {
      int to = lesser(a.n, lesser(end * PANEL, from + NEAR));
      const float *taken = panels;
      if (a.packed) taken = a.packed + (idx)from * a.k;
      else
        packPanels(a.b + from * (idx)(a.transposedB ? a.ldb : 1), a.ldb, a.transposedB, to - from, a.k, panels, 0,
                   (to - from + PANEL - 1) / PANEL);
      for (int first = 0; first < a.m; first += TILES * TILE)
        multiplyRows(&a, tiles + (idx)first * a.k, first, lesser(a.m, first + TILES * TILE), taken, from, to, v);
    }
    return;
  }
  float *tiles = here, *panels = tiles + TILES * TILE * DEPTH;
  if (a.call && !hasPacked(a.call, scratch)) packPanels(a.b, a.ldb, a.transposedB, a.n, a.k, panels, 0, (a.n + PANEL - 1) / PANEL);
  for (int from = start; from < end; from += TILES) {
    int first = from * TILE, last = lesser(a.m, lesser(end, from + TILES) * TILE);
    packTiles(&a, first, last, tiles);
    multiplyRows(&a, tiles, first, last, a.call ? panels : a.packed, 0, a.n, v);
  }
}
