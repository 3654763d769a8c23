// What a native library gives: threads of its own over a memory that is not, by the best instructions that the machine has.
// It stands alone: no C library, no memory but its own few kilobytes and the caller's.
#include "system.h"
#include "threads.h"

#define VISIBLE __attribute__((visibility("default")))

// What the compiler calls by itself.
#define OWN __attribute__((visibility("hidden"), no_builtin))
OWN void *memset(void *to, int value, __SIZE_TYPE__ size) {
  for (char *p = to; size--; p++) *p = (char)value;
  return to;
}
OWN void *memcpy(void *to, const void *from, __SIZE_TYPE__ size) {
  for (__SIZE_TYPE__ i = 0; i < size; i++) ((char *)to)[i] = ((const char *)from)[i];
  return to;
}
#if defined(_WIN32)
int _fltused = 0;
int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }
#endif

#if defined(__x86_64__)
extern const struct level sse42, avx2, avx512, avx512bf16;
#if defined(__linux__)
extern const struct level amx;
static const struct level *const LEVELS[] = {&sse42, &avx2, &avx512, &avx512bf16, &amx};
#else
static const struct level *const LEVELS[] = {&sse42, &avx2, &avx512, &avx512bf16};
#endif

static void cpuid(unsigned leaf, unsigned part, unsigned r[4]) {
  __asm__ volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(part));
}
// The best of LEVELS, or −1: what both the processor and the system can.
static int detect(void) {
  unsigned r[4];
  cpuid(0, 0, r);
  unsigned leaves = r[0];
  cpuid(1, 0, r);
  unsigned features = r[2];
  if (!(features >> 20 & 1)) return -1;                                                  // SSE4.2
  if (!(features >> 27 & 1) || !(features >> 12 & 1) || leaves < 7) return 0;            // OSXSAVE, FMA
  unsigned kept, high;                                                                   // registers that the system keeps
  __asm__ volatile("xgetbv" : "=a"(kept), "=d"(high) : "c"(0));
  cpuid(7, 0, r);
  if ((kept & 6) != 6 || !(r[1] >> 5 & 1)) return 0;                                     // AVX2
  const unsigned wide = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;                       // AVX-512 F, DQ, BW, VL
  if ((kept & 0xe6) != 0xe6 || (r[1] & wide) != wide) return 1;
  unsigned tiles = r[3] >> 22 & r[3] >> 24 & r[3] >> 25 & r[2] >> 11 & 1;                // AMX of bf16 and int8, VNNI
  cpuid(7, 1, r);
  if (!(r[0] >> 5 & 1)) return 2;                                                        // BF16
  return tiles && (kept >> 17 & 3) == 3 && mayUseTiles() ? 4 : 3;
}
// How a level of the machine adds up products of 8 bits, as dots.h numbers it.
static int dotsOf(int level) {
  unsigned r[4];
  cpuid(7, 0, r);
  if (level == 0) return 0;
  if (level > 3) return 2;              // AMX
  if (level > 1) return r[2] >> 11 & 1; // AVX-512 VNNI
  if (r[0] == 0) return 0;
  cpuid(7, 1, r);
  return r[0] >> 4 & 1; // AVX-VNNI
}
#else
extern const struct level neon;
#if defined(_WIN32)
static const struct level *const LEVELS[] = {&neon};
static int detect(void) { return 0; }
#else
extern const struct level neonbf16;
static const struct level *const LEVELS[] = {&neon, &neonbf16};
static int detect(void) { return hasBf16(); }
#endif
static int dotsOf(int level) { return hasDots(); }
#endif

// Keeps the library in the process for good: when the system unloads it at the end, threads still sleep in it.
#if defined(_WIN32)
__declspec(dllimport) int GetModuleHandleExA(unsigned long flags, const void *address, void **module);
static void pin(void) {
  void *module;
  GetModuleHandleExA(1 | 4, (const void *)&pin, &module); // PIN, FROM_ADDRESS
}
#elif defined(__APPLE__)
typedef struct {
  const char *file;
  void *base;
  const char *name;
  void *address;
} place;
int dladdr(const void *address, place *place);
void *dlopen(const char *file, int mode);
static void pin(void) {
  place here;
  if (dladdr((const void *)&pin, &here)) dlopen(here.file, 1 | 0x10 | 0x80); // LAZY, NOLOAD, NODELETE
}
#else
static void pin(void) {} // the linker's nodelete does it
#endif

// Engines at a time. They lie here and not in the caller's memory: a helper still looks at them when that is gone.
#define ENGINES 64
#define HELPERS 256
static struct work works[ENGINES];
static int used[ENGINES];
static struct helper {
  struct work *work;
  void *scratch;
} helpers[ENGINES][HELPERS];

THREAD(helper) {
  struct helper *h = argument;
  struct work *w = h->work;
  help(w, h->scratch);
  if (__atomic_sub_fetch(&w->running, 1, __ATOMIC_SEQ_CST) == 0) wake(&w->running);
  return 0;
}

// The best level of the machine, or −1.
VISIBLE int kindred_level(void) { return detect(); }

// How a level adds up products of 8 bits here.
VISIBLE int kindred_dots(int level) { return dotsOf(level); }

// Waits until the helpers have left.
VISIBLE void kindred_stop(struct work *w) {
  dismiss(w);
  for (int running; (running = __atomic_load_n(&w->running, __ATOMIC_SEQ_CST)) > 0;) sleepWhile(&w->running, running);
  __atomic_store_n(&used[w - works], 0, __ATOMIC_SEQ_CST);
}

// Threads that run kernels of a level over the memory at `base`; each has scratch there, from byte `scratch` on every
// `scratchBytes`. Returns 0 where they cannot be had.
VISIBLE struct work *kindred_start(int level, char *base, int threads, int scratch, int scratchBytes) {
  if (level < 0 || level > detect() || threads > HELPERS) return 0;
  pin();
  int i = 0;
  while (i < ENGINES && __atomic_exchange_n(&used[i], 1, __ATOMIC_SEQ_CST)) i++;
  if (i == ENGINES) return 0;
  struct work *w = &works[i];
  *w = (struct work){.level = LEVELS[level], .base = base};
  for (int t = 1; t < threads; t++) {
    helpers[i][t] = (struct helper){w, base + scratch + (__PTRDIFF_TYPE__)t * scratchBytes};
    __atomic_add_fetch(&w->running, 1, __ATOMIC_SEQ_CST);
    if (startThread(helper, &helpers[i][t])) continue;
    __atomic_sub_fetch(&w->running, 1, __ATOMIC_SEQ_CST);
    kindred_stop(w);
    return 0;
  }
  return w;
}

// All items of a kernel, in portions of at least `grain`. The caller's scratch is at byte `scratch`.
VISIBLE void kindred_run(struct work *w, int kernel, int items, int grain, int scratch) {
  if (items <= grain || w->running == 0) w->level->run(kernel, w->base, w->values, 0, items, w->base + scratch);
  else share(w, kernel, items, grain, w->base + scratch);
}

// Where the arguments of a kernel are to be written.
VISIBLE double *kindred_values(struct work *w) { return w->values; }
VISIBLE int kindred_tile(struct work *w) { return w->level->tile; }
VISIBLE int kindred_panel(struct work *w) { return w->level->panel; }
VISIBLE int kindred_block(struct work *w) { return w->level->block; }
VISIBLE int kindred_helped(struct work *w) { return __atomic_load_n(&w->helped, __ATOMIC_SEQ_CST); }
