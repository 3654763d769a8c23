// See philox.h.
#include "philox.h"

// The high halves of the products of four numbers. WebAssembly's compiler must not see the constant: it would forget that 32 bits
// times 32 bits is one instruction.
INLINE uint4 mulHigh(uint4 a, uint4 b) {
  typedef u64 ulong2 __attribute__((vector_size(16)));
#if defined(__wasm__)
  __asm__ volatile("" : "+r"(b));
#endif
#define HALF(x, i) __builtin_convertvector(__builtin_shufflevector(x, x, 2 * i, 2 * i + 1), ulong2)
  ulong2 low = HALF(a, 0) * HALF(b, 0), high = HALF(a, 1) * HALF(b, 1);
#undef HALF
  return __builtin_shufflevector((uint4)low, (uint4)high, 1, 3, 5, 7);
}

// Four counters: 32 numbers.
typedef struct {
  uint4 c0, c1, c2, c3;
} counters;
INLINE counters countersOf(dropoutKey key, int row, unsigned first) {
  unsigned stream = key.places[2 * (idx)row], position = key.places[2 * (idx)row + 1];
  return (counters){first + (uint4){0, 1, 2, 3}, position - (uint4){}, stream - (uint4){}, key.step - (uint4){}};
}
INLINE counters round(counters c, unsigned k0, unsigned k1) {
  const uint4 m0 = 0xD2511F53u - (uint4){}, m1 = 0xCD9E8D57u - (uint4){};
  return (counters){mulHigh(c.c2, m1) ^ c.c1 ^ k0, c.c2 * m1, mulHigh(c.c0, m0) ^ c.c3 ^ k1, c.c0 * m0};
}
// 4 × 4 transposition: the words of one counter side by side.
INLINE void putCounters(counters x, unsigned short *out) {
  uint4 a = __builtin_shufflevector(x.c0, x.c1, 0, 4, 1, 5), b = __builtin_shufflevector(x.c0, x.c1, 2, 6, 3, 7);
  uint4 c = __builtin_shufflevector(x.c2, x.c3, 0, 4, 1, 5), d = __builtin_shufflevector(x.c2, x.c3, 2, 6, 3, 7);
  uint4 *to = (uint4 *)out;
  to[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
  to[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  to[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
  to[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

// Two at a time: a round is a chain of slow instructions, and the machine does those of both side by side.
static void philox(dropoutKey key, int row, int rows, unsigned first, int count, unsigned short *out, idx stride) {
  int each = (count + 31) / 32;
  for (int i = 0; i < rows * each; i += 2) {
    int j = lesser(i + 1, rows * each - 1);
    counters x = countersOf(key, row + i / each, first + 4 * (unsigned)(i % each));
    counters y = countersOf(key, row + j / each, first + 4 * (unsigned)(j % each));
    unsigned k0 = key.seed, k1 = key.purpose;
#pragma clang loop unroll(disable)
    for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) x = round(x, k0, k1), y = round(y, k0, k1);
    putCounters(x, out + i / each * stride + i % each * 32);
    putCounters(y, out + j / each * stride + j % each * 32);
  }
}
