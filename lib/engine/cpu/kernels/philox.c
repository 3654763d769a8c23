// See philox.h.
#include "philox.h"

// As many counters side by side as a register holds, in blocks of four.
#define BLOCKS (WIDTH / 4)
typedef unsigned lanes __attribute__((vector_size(4 * WIDTH)));
typedef u64 lanes64 __attribute__((vector_size(4 * WIDTH)));

#if BLOCKS == 4
INLINE lanes joinBlocks(const uint4 *x) { return (lanes)join((float4)x[0], (float4)x[1], (float4)x[2], (float4)x[3]); }
#elif BLOCKS == 2
INLINE lanes joinBlocks(const uint4 *x) { return __builtin_shufflevector(x[0], x[1], 0, 1, 2, 3, 4, 5, 6, 7); }
#else
INLINE lanes joinBlocks(const uint4 *x) { return x[0]; }
#endif

// The products of numbers of 32 bits: their low halves, and their high ones.
typedef struct {
  lanes low, high;
} products;
#if defined(__x86_64__)
// The machine multiplies every second number to 64 bits.
INLINE products multiplied(lanes a, unsigned by) {
  const lanes64 first = 0xffffffffull - (lanes64){}, b = by - (lanes64){};
  lanes64 even = ((lanes64)a & first) * b, odd = ((lanes64)a >> 32) * b;
  return (products){(lanes)((even & first) | odd << 32), (lanes)(even >> 32 | (odd & ~first))};
}
#else
// WebAssembly's compiler must not see the constant: it would forget that 32 bits times 32 bits is one instruction.
INLINE products multiplied(lanes a, unsigned by) {
  typedef u64 ulong2 __attribute__((vector_size(16)));
  lanes b = by - (lanes){};
#if defined(__wasm__)
  __asm__ volatile("" : "+r"(b));
#endif
#define HALF(x, i) __builtin_convertvector(__builtin_shufflevector(x, x, 2 * i, 2 * i + 1), ulong2)
  ulong2 low = HALF(a, 0) * HALF(b, 0), high = HALF(a, 1) * HALF(b, 1);
#undef HALF
  return (products){a * b, __builtin_shufflevector((uint4)low, (uint4)high, 1, 3, 5, 7)};
}
#endif

typedef struct {
  lanes c0, c1, c2, c3;
} counters;
INLINE counters round(counters c, unsigned k0, unsigned k1) {
  products p = multiplied(c.c0, 0xD2511F53u), q = multiplied(c.c2, 0xCD9E8D57u);
  return (counters){q.high ^ c.c1 ^ k0, q.low, p.high ^ c.c3 ^ k1, p.low};
}

// Where a block of 32 numbers is: row, and place in it.
typedef struct {
  int row, part;
} place;
INLINE counters countersOf(dropoutKey key, int row, unsigned first, const place *at) {
  uint4 c0[BLOCKS], position[BLOCKS], stream[BLOCKS];
#pragma clang loop unroll(full)
  for (int b = 0; b < BLOCKS; b++) {
    const unsigned *own = key.places + 2 * (idx)(row + at[b].row);
    c0[b] = first + 4 * (unsigned)at[b].part + (uint4){0, 1, 2, 3};
    stream[b] = own[0] - (uint4){};
    position[b] = own[1] - (uint4){};
  }
  return (counters){joinBlocks(c0), joinBlocks(position), joinBlocks(stream), key.step - (lanes){}};
}
// 4 × 4 transposition of each block: the words of one counter side by side.
INLINE void putCounters(counters x, const place *at, unsigned short *out, idx stride) {
  uint4 c0[BLOCKS], c1[BLOCKS], c2[BLOCKS], c3[BLOCKS];
  *(lanes *)c0 = x.c0, *(lanes *)c1 = x.c1, *(lanes *)c2 = x.c2, *(lanes *)c3 = x.c3;
#pragma clang loop unroll(full)
  for (int b = 0; b < BLOCKS; b++) {
    uint4 low = __builtin_shufflevector(c0[b], c1[b], 0, 4, 1, 5), low2 = __builtin_shufflevector(c2[b], c3[b], 0, 4, 1, 5);
    uint4 high = __builtin_shufflevector(c0[b], c1[b], 2, 6, 3, 7), high2 = __builtin_shufflevector(c2[b], c3[b], 2, 6, 3, 7);
    uint4 *to = (uint4 *)(out + at[b].row * stride + at[b].part * 32);
    to[0] = __builtin_shufflevector(low, low2, 0, 1, 4, 5);
    to[1] = __builtin_shufflevector(low, low2, 2, 3, 6, 7);
    to[2] = __builtin_shufflevector(high, high2, 0, 1, 4, 5);
    to[3] = __builtin_shufflevector(high, high2, 2, 3, 6, 7);
  }
}

// Two registers at a time: a round is a chain of slow instructions, and the machine does those of both side by side. Behind
// the end the last block is drawn again.
static void philox(dropoutKey key, int row, int rows, unsigned first, int count, unsigned short *out, idx stride) {
  int each = (count + 31) / 32;
  place next = {0, 0}, last = {rows - 1, each - 1}, at[2 * BLOCKS];
  for (int left = rows * each; left > 0; left -= 2 * BLOCKS) {
    for (int b = 0; b < 2 * BLOCKS; b++) {
      at[b] = b < left ? next : last;
      if (++next.part == each) next = (place){next.row + 1, 0};
    }
    counters x = countersOf(key, row, first, at), y = countersOf(key, row, first, at + BLOCKS);
    unsigned k0 = key.seed, k1 = key.purpose;
#pragma clang loop unroll(disable)
    for (int r = 0; r < 10; r++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) x = round(x, k0, k1), y = round(y, k0, k1);
    putCounters(x, at, out, stride);
    putCounters(y, at + BLOCKS, out, stride);
  }
}
