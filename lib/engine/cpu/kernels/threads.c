// How threads share the items of a kernel: each takes the next few that nobody has taken, and the thread that called waits
// until all items are done. It never waits for a thread: one that the system has not woken yet is missed by nobody.
#include "table.h"
#include "vector.h"

// The control block, as lib/engine/cpu/threads.ts knows it.
struct work {
  // Above the number of the call, on which sleepers wait; below the first item that nobody has taken. They change together,
  // so that who comes late never takes an item of one call with the arguments of another.
  u64 next;
  int kernel, items, grain;
  int done;   // items
  int closed; // not 0: helpers leave
  int helped; // items that helpers have done, ever
  double values[64] __attribute__((aligned(64)));
};

#define READ(x) __atomic_load_n(&x, __ATOMIC_SEQ_CST)
#define WRITE(x, value) __atomic_store_n(&x, value, __ATOMIC_SEQ_CST)
#define ADD(x, value) __atomic_add_fetch(&x, value, __ATOMIC_SEQ_CST)
#define NOBODY 0x7fffffff // no item is to be had

// Looks so often before it sleeps, some ten microseconds: waking takes longer.
#define SPINS 20000

void run(int kernel, char *base, const double *values, int start, int end, void *scratch);

static int *callOf(struct work *w) { return (int *)&w->next + 1; }
static void sleepWhile(int *place, int value) { __builtin_wasm_memory_atomic_wait32(place, value, -1); }
static void wake(int *place) { __builtin_wasm_memory_atomic_notify(place, -1u); }

// Does what there is to do, and says how many items it did.
static int take(struct work *w, void *scratch) {
  for (int mine = 0;;) {
    u64 next = READ(w->next);
    int from = (int)next, items = READ(w->items), to = lesser(items, from + READ(w->grain));
    if (from >= items) return mine;
    u64 after = (next & ~0xffffffffull) | (unsigned)to;
    if (!__atomic_compare_exchange_n(&w->next, &next, after, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    // From here on the caller waits for these items: the arguments stay as they are.
    run(w->kernel, 0, w->values, from, to, scratch);
    mine += to - from;
    if (ADD(w->done, to - from) == items) wake(&w->done);
  }
}

// All items of a kernel, whose arguments are in `values`, with whoever helps.
__attribute__((export_name("share"))) void share(struct work *w, int kernel, int items, int grain, void *scratch) {
  u64 call = (READ(w->next) >> 32) + 1;
  WRITE(w->next, call << 32 | NOBODY); // nobody takes anything while this changes
  w->kernel = kernel;
  WRITE(w->items, items);
  WRITE(w->grain, grain);
  WRITE(w->done, 0);
  WRITE(w->next, call << 32);
  wake(callOf(w));
  take(w, scratch);
  for (int spins = 0; spins < SPINS; spins++)
    if (READ(w->done) == items) return;
  for (int done; (done = READ(w->done)) < items;) sleepWhile(&w->done, done);
}

// Helps until the work is closed.
__attribute__((export_name("help"))) void help(struct work *w, void *scratch) {
  for (;;) {
    int call = READ(*callOf(w)); // before it is seen that nothing is closed: else its closing would be missed
    if (READ(w->closed)) return;
    ADD(w->helped, take(w, scratch));
    for (int spins = 0; spins < SPINS && READ(*callOf(w)) == call; spins++) {}
    sleepWhile(callOf(w), call);
  }
}

// Sends the helpers away.
__attribute__((export_name("dismiss"))) void dismiss(struct work *w) {
  WRITE(w->closed, 1);
  WRITE(w->next, ((READ(w->next) >> 32) + 1) << 32 | NOBODY);
  wake(callOf(w));
}
