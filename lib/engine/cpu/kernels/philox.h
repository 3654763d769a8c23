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

// The high halves of the products of four numbers. The compiler must not see the constant: it would forget that 32 bits
// times 32 bits is one instruction.
INLINE uint4 mulHigh(uint4 a, uint4 b) {
  typedef u64 ulong2 __attribute__((vector_size(16)));
  __asm__ volatile("" : "+r"(b));
#define HALF(x, i) __builtin_convertvector(__builtin_shufflevector(x, x, 2 * i, 2 * i + 1), ulong2)
  ulong2 low = HALF(a, 0) * HALF(b, 0), high = HALF(a, 1) * HALF(b, 1);
#undef HALF
  return __builtin_shufflevector((uint4)low, (uint4)high, 1, 3, 5, 7);
}

// The numbers of a row at counters (first + i, position, stream, step): eight 16-bit numbers per counter, one after the
// other, at least `count` of them (rounded up to 32).
INLINE void philox(dropoutKey key, int row, unsigned first, int count, unsigned short *out) {
  const uint4 m0 = 0xD2511F53u - (uint4){}, m1 = 0xCD9E8D57u - (uint4){};
  unsigned stream = key.places[2 * (idx)row], position = key.places[2 * (idx)row + 1];
  for (int i = 0; i < count; i += 32, first += 4, out += 32) {
    uint4 c0 = first + (uint4){0, 1, 2, 3}, c1 = position - (uint4){}, c2 = stream - (uint4){}, c3 = key.step - (uint4){};
    unsigned k0 = key.seed, k1 = key.purpose;
#pragma clang loop unroll(disable)
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
      uint4 high0 = mulHigh(c0, m0), low0 = c0 * m0, high1 = mulHigh(c2, m1), low1 = c2 * m1;
      c0 = high1 ^ c1 ^ k0;
      c1 = low1;
      c2 = high0 ^ c3 ^ k1;
      c3 = low0;
    }
    // 4 × 4 transposition: the words of one counter side by side
    uint4 a = __builtin_shufflevector(c0, c1, 0, 4, 1, 5), b = __builtin_shufflevector(c0, c1, 2, 6, 3, 7);
    uint4 c = __builtin_shufflevector(c2, c3, 0, 4, 1, 5), d = __builtin_shufflevector(c2, c3, 2, 6, 3, 7);
    uint4 *to = (uint4 *)out;
    to[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    to[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    to[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    to[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
  }
}

// The factors of elements i … i + 15: 0, or 1 / (1 − rate).
INLINE float16 keep(dropoutKey key, const unsigned short *numbers, int i) {
  int16 drawn = __builtin_convertvector(*(const ushort16_at *)(numbers + i), int16);
  return where(drawn >= key.threshold, SPLAT(key.scale));
}
