// Sums of products of whole numbers of 8 bits, by whatever instruction there is: exact, and so the same bits by each.
//
// W stands in panels of PANEL columns, [k / group][PANEL][group]; a group is what one instruction adds up.
#pragma once
#include "vector.h"

// As FORMS in lib/engine/cpu/native.ts numbers them.
enum {
  WIDENED, // two products of 16 bits: every machine
  DOTS,    // four products of 8 bits: VNNI, NEON's dot products
  GRIDS,   // AMX: 16 × 16 sums of 64 products
  SEVENS   // four products of 7 and 8 bits, in two steps: every x86, and WebAssembly
};

// The largest whole number of x; that of W is 127.
#define LIMIT(form) ((form) == SEVENS ? 63 : 127)

// On x86 an instruction of DOTS and GRIDS multiplies numbers without a sign by such with one: x is then 128 more than it is,
// and 128 Σ w comes off each sum. SEVENS does so everywhere, by 64.
#if defined(__x86_64__)
#define OFFSET(form) ((form) == WIDENED ? 0 : (form) == SEVENS ? 64 : 128)
#else
#define OFFSET(form) ((form) == SEVENS ? 64 : 0)
#endif

typedef signed char bytes __attribute__((vector_size(4 * WIDTH)));
typedef signed char half_bytes __attribute__((vector_size(2 * WIDTH)));
typedef short shorts __attribute__((vector_size(4 * WIDTH)));
typedef regInt regInt_at __attribute__((aligned(4), may_alias));
typedef bytes bytes_at __attribute__((aligned(1), may_alias));
typedef half_bytes half_bytes_at __attribute__((aligned(1), may_alias));

// Of WIDTH columns: a group of two, made 16 bits wide; a group of four.
INLINE shorts widened(const signed char *w) { return __builtin_convertvector(*(half_bytes_at *)w, shorts); }
INLINE bytes four(const signed char *w) { return *(bytes_at *)w; }

// sums + x w of each group of two
INLINE regInt addTwo(regInt sums, regInt x, shorts w) {
#if defined(__AVX512BW__)
  return sums + (regInt)__builtin_ia32_pmaddwd512((shorts)x, w);
#elif defined(__AVX2__)
  return sums + (regInt)__builtin_ia32_pmaddwd256((shorts)x, w);
#elif defined(__x86_64__)
  return sums + (regInt)__builtin_ia32_pmaddwd128((shorts)x, w);
#elif defined(__wasm__)
  return sums + (regInt)__builtin_wasm_dot_s_i32x4_i16x8((shorts)x, w);
#else
  typedef short short4 __attribute__((vector_size(8)));
  shorts v = (shorts)x;
#define WIDE(x, a, b, c, d) __builtin_convertvector((short4)__builtin_shufflevector(x, x, a, b, c, d), int4)
  regInt low = WIDE(v, 0, 1, 2, 3) * WIDE(w, 0, 1, 2, 3), high = WIDE(v, 4, 5, 6, 7) * WIDE(w, 4, 5, 6, 7);
  return sums + (__builtin_shufflevector(low, high, 0, 2, 4, 6) + __builtin_shufflevector(low, high, 1, 3, 5, 7));
#endif
}

// sums + x w of each group of four, x from 0 to 127: no two products leave 16 bits.
#if defined(__AVX512BW__)
#define PAIRS(x, w) __builtin_ia32_pmaddubsw512(x, w)
#elif defined(__AVX2__)
#define PAIRS(x, w) __builtin_ia32_pmaddubsw256(x, w)
#elif defined(__x86_64__)
#define PAIRS(x, w) __builtin_ia32_pmaddubsw128(x, w)
#endif
INLINE regInt addSevens(regInt sums, regInt x, bytes w) {
#if defined(__x86_64__)
  return addTwo(sums, (regInt)PAIRS((bytes)x, w), (shorts){} + 1);
#elif defined(__wasm__)
  return (regInt)__builtin_wasm_relaxed_dot_i8x16_i7x16_add_s_i32x4(w, (bytes)x, sums);
#else
  __builtin_trap(); // never asked for: products of 8 bits are no slower there
#endif
}

// A tile of x, [step][TILE], times a panel, [step][PANEL]: each step adds a group. To sums[TILE][PANEL].
#define UNROLLED _Pragma("clang loop unroll(full)")
#define MULTIPLIER(name, group, of, load, add) \
  APART void name(const int *x, const signed char *w, int steps, int *sums) { \
    regInt held[TILE][REGISTERS] = {}; \
    _Pragma("clang loop unroll(disable)") \
    for (int p = 0; p < steps; p++, x += TILE, w += group * PANEL) { \
      __builtin_prefetch(w + steps * group * PANEL, 0, 2); /* the next panel, which comes from far */ \
      of row[REGISTERS]; \
      UNROLLED for (int j = 0; j < REGISTERS; j++) row[j] = load(w + j * group * WIDTH); \
      UNROLLED for (int i = 0; i < TILE; i++) { \
        regInt xi = x[i] - (regInt){}; \
        UNROLLED for (int j = 0; j < REGISTERS; j++) held[i][j] = add(held[i][j], xi, row[j]); \
      } \
    } \
    UNROLLED for (int i = 0; i < TILE; i++) \
      UNROLLED for (int j = 0; j < REGISTERS; j++) *(regInt_at *)(sums + i * PANEL + j * WIDTH) = held[i][j]; \
  }

MULTIPLIER(multiplyTwo, 2, shorts, widened, addTwo)
MULTIPLIER(multiplySevens, 4, bytes, four, addSevens)

// Four at a time, on machines that have it beside what the level asks for: those that have not never come here.
#if defined(__AVX512F__)
#define WITH_DOTS __attribute__((target("avx512vnni")))
#define ADD_FOUR(sums, x, w) ((regInt)__builtin_ia32_vpdpbusd512(sums, (bytes)(x), w))
#elif defined(__AVX2__)
#define WITH_DOTS __attribute__((target("avxvnni")))
#define ADD_FOUR(sums, x, w) ((regInt)__builtin_ia32_vpdpbusd256(sums, (bytes)(x), w))
#elif defined(__aarch64__)
#include <arm_neon.h>
#define WITH_DOTS __attribute__((target("dotprod")))
#define ADD_FOUR(sums, x, w) ((regInt)vdotq_s32((int32x4_t)(sums), (int8x16_t)(x), (int8x16_t)(w)))
#endif
#if defined(WITH_DOTS)
WITH_DOTS MULTIPLIER(multiplyFour, 4, bytes, four, ADD_FOUR)
#else
#define multiplyFour multiplyTwo
#endif

#define GRID 32 // rows and columns of four tiles of AMX

// Rows x[GRID][depth], `ld` bytes apart, times a panel of as many columns. Tiles are set up by `openGrids`.
#if defined(__AMX_INT8__)
_Static_assert(PANEL == GRID, "a panel is two tiles wide");
APART void multiplyGrid(const signed char *x, idx ld, const signed char *w, int depth, int *sums) {
  __builtin_ia32_tilezero(0);
  __builtin_ia32_tilezero(1);
  __builtin_ia32_tilezero(2);
  __builtin_ia32_tilezero(3);
  for (int p = 0; p < depth; p += 64, x += 64, w += 64 * GRID) {
    __builtin_ia32_tileloadd64(4, x, ld);
    __builtin_ia32_tileloadd64(6, w, 4 * GRID);
    __builtin_ia32_tileloadd64(7, w + 64, 4 * GRID);
    __builtin_ia32_tdpbusd(0, 4, 6);
    __builtin_ia32_tdpbusd(1, 4, 7);
    __builtin_ia32_tileloadd64(5, x + 16 * ld, ld);
    __builtin_ia32_tdpbusd(2, 5, 6);
    __builtin_ia32_tdpbusd(3, 5, 7);
  }
  __builtin_ia32_tilestored64(0, sums, 4 * GRID);
  __builtin_ia32_tilestored64(1, sums + 16, 4 * GRID);
  __builtin_ia32_tilestored64(2, sums + 16 * GRID, 4 * GRID);
  __builtin_ia32_tilestored64(3, sums + 16 * GRID + 16, 4 * GRID);
}
// Eight tiles of 16 rows of 64 bytes, for this thread, until they are closed.
INLINE void openGrids(void) {
  struct {
    unsigned char palette, from, unused[14];
    unsigned short width[16];
    unsigned char height[16];
  } shape = {.palette = 1};
  for (int i = 0; i < 8; i++) shape.width[i] = 64, shape.height[i] = 16;
  __builtin_ia32_tile_loadconfig(&shape);
}
INLINE void closeGrids(void) { __builtin_ia32_tilerelease(); }
#else
INLINE void multiplyGrid(const signed char *x, idx ld, const signed char *w, int depth, int *sums) {}
INLINE void openGrids(void) {}
INLINE void closeGrids(void) {}
#endif
