// Rotary positions (Su et al. 2021, arXiv 2104.09864). Items are rows.
#include "table.h"
#include "vector.h"

// The features i and i + P of the first heads turn by the angle aᵢ of the row's position, i < P:
// (xᵢ, xᵢ₊ₚ) ← (xᵢ cos aᵢ − xᵢ₊ₚ sin aᵢ, xᵢ₊ₚ cos aᵢ + xᵢ sin aᵢ), in place. The table holds cos and then sin of P angles
// for each position; `turn` is 1, or −1 for the way back.
KERNEL(rotate) {
  int n = a.pairs;
  for (int row = start; row < end; row++) {
    const float *cosines = a.table + 2 * (idx)a.positions[row] * n, *sines = cosines + n;
    for (int head = 0; head < a.heads; head++) {
      float *x = a.x + (idx)row * a.stride + head * a.headSize, *y = x + n;
      SIXTEENS(i, 0, n, {
        float16 u = load(x + i, left), v = load(y + i, left);
        float16 cosine = load(cosines + i, left), sine = load(sines + i, left) * SPLAT(a.turn);
        store(x + i, u * cosine - v * sine, left);
        store(y + i, v * cosine + u * sine, left);
      })
    }
  }
}
