// All kernels for one set of instructions, under the name LEVEL. A native library has several, of which the machine takes
// the best that it can; WebAssembly has one.
#include "level.h"

#include "activations.c"
#include "attention.c"
#include "dispatch.c"
#include "elementwise.c"
#include "int8.c"
#include "losses.c"
#include "moving.c"
#include "norms.c"
#include "optimizer.c"
#include "philox.c"
#include "product.c"
#include "product_bf16.c"
#include "reductions.c"
#include "rotary.c"
#include "rows.c"
#include "top.c"

const struct level LEVEL = {run, TILE, PANEL, BLOCK};

#if defined(__wasm__)
__attribute__((export_name("run"))) void runHere(int kernel, const double *values, int start, int end, void *scratch) {
  run(kernel, 0, values, start, end, scratch);
}
__attribute__((export_name("tile"))) int tile(void) { return TILE; }
__attribute__((export_name("panel"))) int panel(void) { return PANEL; }
__attribute__((export_name("block"))) int blockRows(void) { return BLOCK; }
#endif
