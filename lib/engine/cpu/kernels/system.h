// What differs between systems: to sleep while a number stays what it is, to wake who sleeps, to start a thread, to be
// allowed the registers of AMX, to know what an Arm processor has.
#pragma once

#if defined(__wasm__)

#define EXPORT(name) __attribute__((export_name(#name)))
extern const struct level wasm;
#define LEVEL_OF(w) (&wasm)
// Looks so often before it sleeps, some ten microseconds: waking takes longer.
#define SPINS 20000
static inline void relax(void) {}
static inline void sleepWhile(int *place, int value) { __builtin_wasm_memory_atomic_wait32(place, value, -1); }
static inline void wake(int *place) { __builtin_wasm_memory_atomic_notify(place, -1u); }

#else

#define EXPORT(name)
#define LEVEL_OF(w) ((w)->level)
#define SPINS 1000 // a pause is some tens of nanoseconds
static inline void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

#if !defined(__linux__)
static inline int mayUseTiles(void) { return 0; } // not asked for: see build.ts
#endif

#if defined(_WIN32)

__declspec(dllimport) void *CreateThread(void *, unsigned long long, unsigned long (*)(void *), void *, unsigned long, void *);
__declspec(dllimport) int CloseHandle(void *);
__declspec(dllimport) int WaitOnAddress(volatile void *, void *, unsigned long long, unsigned long);
__declspec(dllimport) void WakeByAddressAll(void *);
static inline void sleepWhile(int *place, int value) { WaitOnAddress(place, &value, 4, 0xffffffff); }
static inline void wake(int *place) { WakeByAddressAll(place); }
#define THREAD(name) static unsigned long name(void *argument)
static inline int startThread(unsigned long (*f)(void *), void *argument) {
  void *thread = CreateThread(0, 0, f, argument, 0, 0);
  return thread && CloseHandle(thread);
}
#if defined(__aarch64__)
__declspec(dllimport) int IsProcessorFeaturePresent(unsigned long feature);
static inline int hasDots(void) { return IsProcessorFeaturePresent(43); } // products of 8 bits
#endif

#else

int pthread_create(void *thread, const void *attributes, void *(*f)(void *), void *argument);
int pthread_detach(void *thread);
#define THREAD(name) static void *name(void *argument)
static inline int startThread(void *(*f)(void *), void *argument) {
  void *thread;
  return pthread_create(&thread, 0, f, argument) == 0 && pthread_detach(thread) == 0;
}

#if defined(__linux__)

static inline void futex(int *place, long operation, long value) {
#if defined(__x86_64__)
  register long timeout __asm__("r10") = 0;
  long number = 202;
  __asm__ volatile("syscall" : "+a"(number) : "D"(place), "S"(operation), "d"(value), "r"(timeout) : "rcx", "r11", "memory");
#else
  register long number __asm__("x8") = 98, x0 __asm__("x0") = (long)place, x1 __asm__("x1") = operation;
  register long x2 __asm__("x2") = value, x3 __asm__("x3") = 0;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(number), "r"(x1), "r"(x2), "r"(x3) : "memory");
#endif
}
static inline void sleepWhile(int *place, int value) { futex(place, 128, value); } // FUTEX_WAIT_PRIVATE
static inline void wake(int *place) { futex(place, 129, 0x7fffffff); }             // FUTEX_WAKE_PRIVATE
#if defined(__x86_64__)
// Linux keeps a thread's tiles only for a process that asked; it may refuse, for want of room where signals are handled.
static inline int mayUseTiles(void) {
  long number = 158, operation = 0x1023, what = 18; // arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA)
  __asm__ volatile("syscall" : "+a"(number) : "D"(operation), "S"(what) : "rcx", "r11", "memory");
  return number == 0;
}
#else
unsigned long getauxval(unsigned long what);
// What the C library was told when the process began: products of 8 bits (AT_HWCAP), BF16 and I8MM (AT_HWCAP2).
static inline int hasDots(void) { return getauxval(16) >> 20 & 1; }
static inline int hasBf16(void) { return hasDots() && (getauxval(26) >> 14 & getauxval(26) >> 13 & 1) != 0; }
#endif

#else // macOS: what its C++ library uses

int __ulock_wait(unsigned operation, void *place, unsigned long long value, unsigned timeout);
int __ulock_wake(unsigned operation, void *place, unsigned long long value);
static inline void sleepWhile(int *place, int value) { __ulock_wait(1, place, (unsigned)value, 0); }
static inline void wake(int *place) { __ulock_wake(0x101, place, 0); }
#if defined(__aarch64__)
int sysctlbyname(const char *name, void *value, __SIZE_TYPE__ *size, void *to, __SIZE_TYPE__ bytes);
static inline int has(const char *feature) {
  int value = 0;
  __SIZE_TYPE__ size = sizeof value;
  return sysctlbyname(feature, &value, &size, 0, 0) == 0 && value;
}
static inline int hasDots(void) { return has("hw.optional.arm.FEAT_DotProd"); }
static inline int hasBf16(void) {
  return hasDots() && has("hw.optional.arm.FEAT_BF16") && has("hw.optional.arm.FEAT_I8MM");
}
#endif

#endif
#endif
#endif
