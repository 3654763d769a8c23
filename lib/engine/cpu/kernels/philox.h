// Philox4x32-10: the random numbers of dropout, as lib/engine/philox.ts has them.
#pragma once
#include "vector.h"

// Who draws: `places` has a sequence's stream and a position for each row. threshold 0: nothing is dropped.
typedef struct {
  int threshold;
  float scale;
  const unsigned *places;
  unsigned seed, purpose, step;
} dropoutKey;
#define DROPOUT(a) ((dropoutKey){a.threshold, a.keepScale, a.places, a.seed, a.purpose, a.step})

// The numbers of `rows` rows from `row` on, at counters (first + i, position, stream, step): eight 16-bit numbers per
// counter, one after the other, at least `count` of them for each row, rounded up to 32; the rows `stride` numbers apart.
static void philox(dropoutKey key, int row, int rows, unsigned first, int count, unsigned short *out, idx stride);

// The factors of elements i … i + 15: 0, or 1 / (1 − rate).
INLINE float16 keep(dropoutKey key, const unsigned short *numbers, idx i) {
  int16 drawn = __builtin_convertvector(*(const ushort16_at *)(numbers + i), int16);
  return where(drawn >= key.threshold, SPLAT(key.scale));
}

// y = x ⊙ mask for a row of n elements.
INLINE void dropRow(dropoutKey key, int row, const float *x, float *y, int n, unsigned short *numbers) {
  philox(key, row, 1, 0, n, numbers, 0);
  SIXTEENS(c, 0, n, { store(y + c, load(x + c, left) * keep(key, numbers, c), left); })
}
