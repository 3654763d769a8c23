// Linear layers in numbers of 8 bits: y = f(x Wᵀ + b).
//
// Each row of W, and each of x, is whole numbers from −127 to 127 times a scale of its own, max |row| / 127: the nearest, of
// two the even one. Sums of their products are exact, and a sum becomes f(sum · (row's scale · column's scale) + b), in this
// order: so every machine gives the same bits.
//
// W is packed once, by `packInt8`: the scales of its rows, what is to be added to their sums, and its panels; see dots.h. In
// the form SEVENS x has one bit less: sums are less exact, and sooner there.
#include "activations.h"
#include "dots.h"
#include "pack.h"
#include "table.h"

#define ROWS8 128 // of x that are looked at together, at most: as in int8.ts
// Depths are whole tiles of AMX.
#define DEPTH8(k) (((k) + 63) / 64 * 64)

typedef signed char char16 __attribute__((vector_size(16)));
typedef short short16 __attribute__((vector_size(32)));
typedef char16 char16_at __attribute__((aligned(1), may_alias));
typedef short short_at __attribute__((may_alias));
typedef int int_at __attribute__((may_alias));
typedef short16 short16_at __attribute__((aligned(2), may_alias));

// max |x|. The bits of numbers that are not negative are in their order, with NaN on top.
INLINE float largest(const float *x, int k) {
  int16 most = {};
  SIXTEENS(i, 0, k, { most = __builtin_elementwise_max(most, (int16)load(x + i, left) & 0x7fffffff); })
  float max;
  int bits = 0;
  for (int i = 0; i < 16; i++) bits = greater(bits, most[i]);
  __builtin_memcpy(&max, &bits, 4);
  return max;
}

// Rows that have less than this have nothing.
#define LEAST_LARGEST 0x1p-100f
// Adding it rounds to a whole number, and leaves that in the lowest bits.
#define ROUNDING 12582912 // 1.5 · 2²³

// k numbers as whole ones up to `limit`, each `offset` more than it is, in bytes or twice as wide; then zeros up to `depth`.
// Returns their scale: 0 where there is next to nothing, NaN where something is not finite.
APART float quantizeRow(const float *x, int k, int depth, int limit, int offset, int wide, void *out) {
  float max = largest(x, k), by = max < LEAST_LARGEST ? 0 : limit / max; // NaN is not less than anything
  for (int i = 0; i < depth; i += 16) {
    int16 q = (int16)(load(x + i, k - i) * SPLAT(by) + SPLAT(ROUNDING + offset));
    if (wide) *(short16_at *)((short *)out + i) = __builtin_convertvector(q, short16);
    else *(char16_at *)((signed char *)out + i) = __builtin_convertvector(q, char16);
  }
  return max < LEAST_LARGEST ? 0 : max < __builtin_inff() ? max / limit : __builtin_nanf("");
}

// Items are rows of W, from the `first` on.
KERNEL(packInt8) {
  int depth = DEPTH8(a.k), columns = (a.n + PANEL - 1) / PANEL * PANEL, group = a.form == WIDENED ? 2 : 4;
  int *corrections = (int *)(a.packed + columns);
  signed char *row = scratch, *panels = (signed char *)(a.packed + 2 * columns);
  for (int i = start; i < end; i++) {
    int column = a.first + i, sum = 0;
    a.packed[column] = quantizeRow(a.w + (idx)i * a.k, a.k, depth, 127, 0, 0, row);
    for (int p = 0; p < depth; p++) sum += row[p];
    corrections[column] = -OFFSET(a.form) * sum;
    signed char *to = panels + (idx)(column / PANEL) * depth * PANEL + column % PANEL * group;
    if (group == 2)
      for (int p = 0; p < depth / 2; p++) ((short_at *)to)[p * PANEL] = ((short_at *)row)[p];
    else
      for (int p = 0; p < depth / 4; p++) ((int_at *)to)[p * PANEL] = ((int_at *)row)[p];
  }
}

// ‖x‖, and ‖x − x̃‖ where x̃ is what `quantizeRow` makes of x: no less than they are. What is rounded on the way is within
// 1.001 (sums of squares, of up to 65536) and 3e-5 (x by its scale, 3 roundings of up to 127) for each feature. From 2⁶² on
// sums of products could leave float32, and nothing is known: the norm is ∞. Items are rows.
KERNEL(int8Bounds) {
  float limit = LIMIT(a.form), root = __builtin_sqrtf(a.k);
  for (int i = start; i < end; i++) {
    const float *x = a.x + (idx)i * a.k;
    float max = largest(x, a.k);
    int isNothing = max < LEAST_LARGEST;
    float by = isNothing ? 0 : limit / max, scale = isNothing ? LEAST_LARGEST : max / limit;
    float16 squares = {}, errors = {};
    SIXTEENS(p, 0, a.k, {
      float16 v = load(x + p, left) * SPLAT(by), e = v - (v + SPLAT(ROUNDING) - SPLAT(ROUNDING));
      squares += v * v;
      errors += e * e;
    })
    float more = isNothing ? root : 3e-5f * root, norm = scale * (1.001f * __builtin_sqrtf(sum(squares)) + more);
    a.norms[i] = norm < 0x1p62f ? norm : __builtin_inff();
    a.errors[i] = scale * (1.001f * __builtin_sqrtf(sum(errors)) + more);
  }
}

// What a thread has in its scratch.
struct room {
  float16 values[GRID * GRID / 16];
  int sums[GRID * GRID];
  float scales[ROWS8], bias[PANEL];
  signed char rows[] __attribute__((aligned(64))); // of x, as `multiplyTwo` and its like want them
};

// Rows of AMX are not a power of two apart: else they would all lie at one place of the cache.
#define ROW_BYTES(form, depth) ((form) == GRIDS ? (depth) + 64 : (form) == WIDENED ? 2 * (depth) : (depth))

// `count` rows of x from the `first` on.
INLINE void quantizeRows(struct int8Product a, int first, int count, int depth, struct room *r) {
  idx bytes = ROW_BYTES(a.form, depth);
  signed char *apart = r->rows + a.rows * bytes; // where the rows of a tile lie before they are packed
  for (int i = 0; i < count; i++) {
    void *to = a.form == GRIDS ? r->rows + i * bytes : apart + i % TILE * bytes;
    r->scales[i] = quantizeRow(a.x + (idx)(first + i) * a.k, a.k, depth, LIMIT(a.form), OFFSET(a.form), a.form == WIDENED, to);
    int height = i % TILE + 1;
    if (a.form == GRIDS || (height < TILE && i + 1 < count)) continue;
    packRows((float *)apart, bytes / 4, height, (int)bytes / 4, TILE, (float *)(r->rows + (i + 1 - height) * bytes));
  }
}

// y = f(sum · (row's scale · column's scale) + b), for `height` × `width` sums of a panel.
APART void finish(struct room *r, const float *scales, const float *columnScales, const int *corrections, int hasBias,
                  int kind, float *y, idx ldy, int height, int width) {
  float *v = (float *)r->values;
  for (int i = 0; i < height; i++)
    for (int j = 0; j < PANEL; j += WIDTH) {
      regInt sums = *(regInt_at *)(r->sums + i * PANEL + j) + *(regInt_at *)(corrections + j);
      reg value = __builtin_convertvector(sums, reg) * (SPLAT_REG(scales[i]) * *(reg_at *)(columnScales + j));
      *(reg_at *)(v + i * PANEL + j) = hasBias ? value + *(reg_at *)(r->bias + j) : value;
    }
  valuesOf(kind, r->values, (height * PANEL + 15) / 16);
  for (int i = 0; i < height; i++, y += ldy, v += PANEL)
    if (width == PANEL)
      for (int j = 0; j < PANEL; j += WIDTH) *(reg_at *)(y + j) = *(reg_at *)(v + j);
    else
      for (int j = 0; j < width; j++) y[j] = v[j];
}

// Items are blocks of `rows` rows of x, each in `parts` of the panels.
KERNEL(int8Product) {
  struct room *r = scratch;
  int depth = DEPTH8(a.k), panels = (a.n + PANEL - 1) / PANEL, columns = panels * PANEL, held = -1;
  const int *corrections = (const int *)(a.packed + columns);
  const signed char *w = (const signed char *)(a.packed + 2 * columns);
  int tall = a.form == GRIDS ? GRID : TILE;
  idx bytes = ROW_BYTES(a.form, depth);
  if (a.form == GRIDS) openGrids();
  for (int item = start; item < end; item++) {
    int block = item / a.parts, part = item % a.parts, first = block * a.rows, count = lesser(a.rows, a.m - first);
    if (block != held) quantizeRows(a, first, count, depth, r);
    held = block;
    for (int panel = panels * part / a.parts; panel < panels * (part + 1) / a.parts; panel++) {
      int column = panel * PANEL, width = lesser(PANEL, a.n - column);
      for (int j = 0; j < PANEL && a.bias; j++) r->bias[j] = j < width ? a.bias[column + j] : 0;
      const signed char *at = w + (idx)column * depth;
      for (int i = 0; i < count; i += tall) {
        const signed char *x = r->rows + i * bytes;
        if (a.form == GRIDS) multiplyGrid(x, bytes, at, depth, r->sums);
        else if (a.form == DOTS) multiplyFour((const int *)x, at, depth / 4, r->sums);
        else if (a.form == SEVENS) multiplySevens((const int *)x, at, depth / 4, r->sums);
        else multiplyTwo((const int *)x, at, depth / 2, r->sums);
        finish(r, r->scales + i, a.packed + column, corrections + column, a.bias != 0, a.kind,
               a.y + (idx)(first + i) * a.n + column, a.n, lesser(tall, count - i), width);
      }
    }
  }
  if (a.form == GRIDS) closeGrids();
}
