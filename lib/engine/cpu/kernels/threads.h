// How threads share the items of a kernel: each takes the next few that nobody has taken, and the thread that called waits
// until all items are done. It never waits for a thread: one that the system has not woken yet is missed by nobody.
#pragma once
#include "level.h"

// What threads share, as lib/engine/cpu/threads.ts knows it.
struct work {
  // Above the number of the call, on which sleepers wait; below the first item that nobody has taken. They change together,
  // so that who comes late never takes an item of one call with the arguments of another.
  unsigned long long next;
  int kernel, items, grain;
  int done;   // items
  int closed; // not 0: helpers leave
  int helped; // items that helpers have done, ever
  const struct level *level;
  char *base;  // of addresses
  int running; // helpers that have not left
  double values[64] __attribute__((aligned(64)));
};

// All items of a kernel, whose arguments are in `values`, with whoever helps.
void share(struct work *w, int kernel, int items, int grain, void *scratch);
// Helps until the work is closed.
void help(struct work *w, void *scratch);
// Sends the helpers away.
void dismiss(struct work *w);
