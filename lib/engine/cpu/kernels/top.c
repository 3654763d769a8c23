// The largest of each row.
#include "table.h"
#include "vector.h"

#define PART 128 // columns whose largest are found before they are put among those that are held
#define LEAST (-__builtin_inff())

// Whether v goes before w, of which w was there first. A NaN is as small as −∞.
INLINE int isAbove(float v, float w) { return v > w || (w != w && v > LEAST); }
// Whether any of sixteen does.
INLINE int anyAbove(float16 x, float w) { return __builtin_reduce_or(x > SPLAT(w == w ? w : LEAST)) != 0; }

// Puts `count` sorted ones behind what was there first: of the `held` + `count` the first k stay.
INLINE void merge(const float *news, const int *newIndices, int count, float *values, int *indices, int held, int k) {
  for (int place = held + count - 1; count > 0; place--) {
    int isOld = held > 0 && isAbove(news[count - 1], values[held - 1]);
    int from = isOld ? --held : --count;
    if (place >= k) continue;
    values[place] = isOld ? values[from] : news[from];
    indices[place] = isOld ? indices[from] : newIndices[from];
  }
}

// values and indices [R, k], largest first, of x [R, columns], whose columns are numbered from `from`; with `best` and
// `bestIndices` [R, k] also of these, which are in order. Items are rows.
KERNEL(topK) {
  float *news = scratch;
  int *newIndices = (int *)(news + PART), most = lesser(a.k, PART);
  for (int row = start; row < end && a.k > 0; row++) {
    const float *x = a.x + (idx)row * a.columns;
    float *values = a.values + (idx)row * a.k;
    int *indices = a.indices + (idx)row * a.k, held = 0;
    if (a.best) {
      __builtin_memcpy(values, a.best + (idx)row * a.k, 4 * (idx)a.k);
      __builtin_memcpy(indices, a.bestIndices + (idx)row * a.k, 4 * (idx)a.k);
      held = a.k;
    }
    for (int c = 0; c < a.columns;) {
      int count = 0;
      for (int last = lesser(c + PART, a.columns); c < last;) {
        int stop = lesser(c + 16, last);
        // Most sixteens have nothing that goes before the least.
        if (stop == c + 16 && held == a.k && !anyAbove(load(x + c, 16), count == most ? news[most - 1] : values[a.k - 1]))
          c = stop;
        for (; c < stop; c++) {
          if (held == a.k && !isAbove(x[c], values[a.k - 1])) continue;
          if (count == most && !isAbove(x[c], news[most - 1])) continue;
          int place = count < most ? count++ : most - 1;
          for (; place > 0 && isAbove(x[c], news[place - 1]); place--)
            news[place] = news[place - 1], newIndices[place] = newIndices[place - 1];
          news[place] = x[c];
          newIndices[place] = a.from + c;
        }
      }
      merge(news, newIndices, count, values, indices, held, a.k);
      held = lesser(a.k, held + count);
    }
  }
}
