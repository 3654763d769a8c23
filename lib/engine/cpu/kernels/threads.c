// See threads.h.
#include "threads.h"
#include "system.h"

#define READ(x) __atomic_load_n(&x, __ATOMIC_SEQ_CST)
#define WRITE(x, value) __atomic_store_n(&x, value, __ATOMIC_SEQ_CST)
#define ADD(x, value) __atomic_add_fetch(&x, value, __ATOMIC_SEQ_CST)
#define NOBODY 0x7fffffff // no item is to be had

typedef unsigned long long u64;

static int *callOf(struct work *w) { return (int *)&w->next + 1; }

// Does what there is to do, and says how many items it did.
static int take(struct work *w, void *scratch) {
  for (int mine = 0;;) {
    u64 next = READ(w->next);
    int from = (int)next, items = READ(w->items), grain = READ(w->grain);
    if (from >= items) return mine;
    // Less and less: much at once is cheaper, and at the end nobody shall wait long for another.
    int left = items - from, some = left / (2 * (READ(w->running) + 1)), portion = some > grain ? some : grain;
    int to = from + (portion < left ? portion : left);
    u64 after = (next & ~0xffffffffull) | (unsigned)to;
    if (!__atomic_compare_exchange_n(&w->next, &next, after, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    // From here on the caller waits for these items: the arguments stay as they are.
    LEVEL_OF(w)->run(w->kernel, w->base, w->values, from, to, scratch);
    mine += to - from;
    if (ADD(w->done, to - from) == items) wake(&w->done);
  }
}

EXPORT(share) void share(struct work *w, int kernel, int items, int grain, void *scratch) {
  u64 call = (READ(w->next) >> 32) + 1;
  WRITE(w->next, call << 32 | NOBODY); // nobody takes anything while this changes
  w->kernel = kernel;
  WRITE(w->items, items);
  WRITE(w->grain, grain);
  WRITE(w->done, 0);
  WRITE(w->next, call << 32);
  wake(callOf(w));
  take(w, scratch);
  for (int spins = 0; spins < SPINS; spins++, relax())
    if (READ(w->done) == items) return;
  for (int done; (done = READ(w->done)) < items;) sleepWhile(&w->done, done);
}

EXPORT(help) void help(struct work *w, void *scratch) {
  for (;;) {
    int call = READ(*callOf(w)); // before it is seen that nothing is closed: else its closing would be missed
    if (READ(w->closed)) return;
    ADD(w->helped, take(w, scratch));
    for (int spins = 0; spins < SPINS && READ(*callOf(w)) == call; spins++) relax();
    sleepWhile(callOf(w), call);
  }
}

EXPORT(dismiss) void dismiss(struct work *w) {
  WRITE(w->closed, 1);
  WRITE(w->next, ((READ(w->next) >> 32) + 1) << 32 | NOBODY);
  wake(callOf(w));
}
