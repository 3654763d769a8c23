// softmax(scale q kᵀ + bias) v within each sequence and head of packed sequences; the scores are computed again on the way
// back. q, k and v may be columns of one matrix, and several heads may share a head of k and v.
//
// Queries are taken ROWS at a time, and of these GROUP at a time with their sums in registers. How many never shows in a
// result: every sum is a chain in the order of its index, or has its sixteen parts by the index of the key.
#include "math.h"
#include "pack.h"
#include "philox.h"
#include "table.h"

#define ROWS 32

typedef struct {
  int from, to;
} range;

// The keys that queries first … last see: themselves, what is no further than `window`, nothing later where causal.
INLINE range keysOf(int first, int last, int length, int causal, int window) {
  return (range){greater(0, first - window), causal ? last + 1 : lesser(length, last + window + 1)};
}
// The same in whole sixteens.
INLINE range sixteens(range r) { return (range){r.from & ~15, (r.to + 15) & ~15}; }

// Which of j … j + 15 are in the range.
INLINE int16 within(int j, range r) { return (PLACES >= r.from - j) & (PLACES < r.to - j); }

// Rows that are done at once, and registers of each: as many sums as stay in registers.
#if WIDTH == 16
#define GROUP 8
#define ACROSS 1
#elif WIDTH == 8
#define GROUP 4
#define ACROSS 2
#else
#define GROUP 4
#define ACROSS 2
#endif

// Rows of a matrix, GROUP of them.
typedef struct {
  float *row[GROUP];
} group;
INLINE group groupOf(const float *x, idx step, int i, int count) {
  group f;
#pragma clang loop unroll(full)
  for (int h = 0; h < GROUP; h++) f.row[h] = (float *)x + lesser(i + h, count - 1) * step; // past the end the last, again
  return f;
}

// out[i][j] = Σₚ x[i][p] yT[p][j] for i < count and the columns j of the range; rows of out are `padded` long, and there
// are a multiple of GROUP of them.
APART void scores(const float *x, idx ld, int count, const float *yT, int size, idx padded, range r, float *out) {
  for (int i = 0; i < count; i += GROUP) {
    group rows = groupOf(x, ld, i, count);
    for (int j = r.from; j < r.to; j += ACROSS * WIDTH) {
      reg sums[GROUP][ACROSS] = {};
      const float *y = yT + j;
#pragma clang loop unroll(disable)
      for (int p = 0; p < size; p++, y += padded) {
        reg column[ACROSS];
#pragma clang loop unroll(full)
        for (int l = 0; l < ACROSS; l++) column[l] = *(reg_at *)(y + l * WIDTH);
#pragma clang loop unroll(full)
        for (int h = 0; h < GROUP; h++) {
          reg xp = SPLAT_REG(rows.row[h][p]);
#pragma clang loop unroll(full)
          for (int l = 0; l < ACROSS; l++) sums[h][l] = fmaReg(xp, column[l], sums[h][l]);
        }
      }
#pragma clang loop unroll(full)
      for (int h = 0; h < GROUP; h++)
#pragma clang loop unroll(full)
        for (int l = 0; l < ACROSS; l++) *(reg_at *)(out + (i + h) * padded + j + l * WIDTH) = sums[h][l];
    }
  }
}

// out[h][0 … registers) (+)= Σⱼ p[h][j along] y[j], h < GROUP
INLINE void weighGroup(group p, idx along, int count, const float *y, idx ldy, int registers, group out, int add) {
  reg sums[GROUP][ACROSS] = {};
  if (add)
#pragma clang loop unroll(full)
    for (int h = 0; h < GROUP; h++)
      for (int l = 0; l < registers; l++) sums[h][l] = *(reg_at *)(out.row[h] + l * WIDTH);
#pragma clang loop unroll(disable)
  for (int j = 0; j < count; j++, y += ldy) {
    reg weights[GROUP];
#pragma clang loop unroll(full)
    for (int h = 0; h < GROUP; h++) {
      weights[h] = SPLAT_REG(*p.row[h]);
      p.row[h] += along;
    }
#pragma clang loop unroll(full)
    for (int l = 0; l < registers; l++) {
      reg v = *(reg_at *)(y + l * WIDTH);
#pragma clang loop unroll(full)
      for (int h = 0; h < GROUP; h++) sums[h][l] = fmaReg(weights[h], v, sums[h][l]);
    }
  }
#pragma clang loop unroll(full)
  for (int h = 0; h < GROUP; h++)
    for (int l = 0; l < registers; l++) *(reg_at *)(out.row[h] + l * WIDTH) = sums[h][l];
}
// out[i][c] (+)= Σⱼ p(i, j) y[j][c] for i < rows, j < count, c < size; p(i, j) = p[i down + j along]
APART void weigh(const float *p, idx down, idx along, int rows, int count, const float *y, idx ldy, int size, float *out,
                  idx ldo, int add) {
  for (int i = 0; i < rows; i += GROUP) {
    group weights = groupOf(p, down, i, rows);
    int c = 0;
    for (; c + ACROSS * WIDTH <= size; c += ACROSS * WIDTH)
      weighGroup(weights, along, count, y + c, ldy, ACROSS, groupOf(out + c, ldo, i, rows), add);
    for (; ACROSS > 1 && c + WIDTH <= size; c += WIDTH)
      weighGroup(weights, along, count, y + c, ldy, 1, groupOf(out + c, ldo, i, rows), add);
    for (; c < size; c++)
      for (int h = i; h < lesser(i + GROUP, rows); h++) {
        float sum = add ? out[h * ldo + c] : 0;
        for (int j = 0; j < count; j++) sum = fma1(p[h * down + j * along], y[j * ldy + c], sum);
        out[h * ldo + c] = sum;
      }
  }
}

// A head's column of the bias, from the distance 1 − length to length − 1.
static void relativeBias(const float *bias, int span, int heads, int head, int length, float *out) {
  for (int d = 1 - length; d < length; d++) out[d + length - 1] = bias[(idx)(d + span - 1) * heads + head];
}

// The random numbers of `count` queries from row `row` on, for the keys of these columns.
static void draw(dropoutKey key, int row, int count, int head, range columns, unsigned short *numbers, idx stride) {
  philox(key, row, count, ((unsigned)head << 16) + columns.from / 8, columns.to - columns.from, numbers, stride);
}

// Some queries of a sequence and the columns of scores that are looked at for them: what is done with a row of scores.
typedef struct {
  int first, count, length, causal, window;
  range columns;
  float scale;
  const float *bias; // of a head, from the distance 1 − length on; or 0
  dropoutKey key;
  const unsigned short *numbers; // from the first column on, rows `stride` apart
  idx padded, stride;
} block;
// For each row r of a block: i is its query, s its scores.
#define FOR_ROWS(a, ...) \
  for (int r = 0; r < a.count; r++) { \
    int i = a.first + r; \
    range seen = keysOf(i, i, a.length, a.causal, a.window); \
    const float *bias = a.bias ? a.bias + a.length - 1 - i : 0; \
    const unsigned short *numbers = a.numbers + r * a.stride - a.columns.from; \
    __VA_ARGS__ \
  }
#define FOR_KEYS(a, j) for (int j = a.columns.from; j < a.columns.to; j += 16)
// Sixteen of a row.
#define AT(x) (*(float16_at *)(x))

// Scores become probabilities, those that are dropped 0; of each row the greatest score, and Σ exp(score − that).
APART void probabilities(const block *of, float *scores, float *maxima, float *totals) {
  const block a = *of;
  const float16 nothing = SPLAT(-__builtin_inff());
  FOR_ROWS(a, {
    float *s = scores + r * a.padded;
    float16 highest = nothing, parts = {};
    FOR_KEYS(a, j) {
      float16 x = AT(s + j) * SPLAT(a.scale);
      if (bias) x += AT(bias + j);
      if (j < seen.from || j + 16 > seen.to) x = pick(within(j, seen), x, nothing);
      AT(s + j) = x;
      highest = most(x, highest);
    }
    float16 max = SPLAT(maxima[r] = maximum(highest));
    FOR_KEYS(a, j) {
      float16 x = AT(s + j), e = where(x != nothing, exp16(x - max));
      AT(s + j) = e;
      parts += e;
    }
    float16 inverse = SPLAT(1 / (totals[r] = sum(parts)));
    FOR_KEYS(a, j) {
      float16 p = AT(s + j) * inverse;
      AT(s + j) = a.key.threshold > 0 ? p * keep(a.key, numbers, j) : p;
    }
  })
}
// Scores become P⊙M, and dO Vᵀ becomes scale dS; dS is added to dBias, where there is one. The rows' log Σ exp are `heads`
// apart.
APART void probabilitiesBackward(const block *of, const float *logSumExp, int heads, float *scores, float *slopes,
                               float *dBias) {
  const block a = *of;
  FOR_ROWS(a, {
    float *p = scores + r * a.padded, *s = slopes + r * a.padded;
    float16 shift = SPLAT(logSumExp[r * (idx)heads]), parts = {};
    FOR_KEYS(a, j) {
      float16 x = AT(p + j) * SPLAT(a.scale), d = AT(s + j);
      if (bias) x += AT(bias + j);
      float16 e = exp16(x - shift);
      if (j < seen.from || j + 16 > seen.to) e = where(within(j, seen), e);
      if (a.key.threshold > 0) d *= keep(a.key, numbers, j);
      AT(p + j) = e;
      AT(s + j) = d;
      parts = fma16(e, d, parts);
    }
    float16 expected = SPLAT(sum(parts));
    FOR_KEYS(a, j) {
      float16 e = AT(p + j), ds = e * (AT(s + j) - expected);
      if (dBias) AT(dBias + a.length - 1 - i + j) += ds;
      AT(s + j) = ds * SPLAT(a.scale);
      if (a.key.threshold > 0) AT(p + j) = e * keep(a.key, numbers, j);
    }
  })
}

// Items are (sequence, head).
KERNEL(attention) {
  dropoutKey key = DROPOUT(a);
  int size = a.headSize;
  idx width = (idx)a.heads * size;
  for (int item = start; item < end; item++) {
    int head = item % a.heads, shared = head / (a.heads / a.kvHeads);
    int first = a.offsets[item / a.heads], length = a.offsets[item / a.heads + 1] - first;
    int window = lesser(a.window, length);
    idx padded = (length + 15) & ~15, stride = (length + 31) & ~31;
    float *kT = scratch, *p = kT + size * padded, *bias = p + ROWS * padded;
    unsigned short *numbers = (unsigned short *)(bias + 2 * padded);
    const float *q = a.q + first * (idx)a.qStride + head * size;
    const float *k = a.k + first * (idx)a.kStride + shared * size;
    const float *v = a.v + first * (idx)a.vStride + shared * size;
    float *out = a.out + first * width + head * size;
    packRows(k, a.kStride, length, size, (int)padded, kT);
    if (a.bias) relativeBias(a.bias, a.span, a.heads, head, length, bias);
    for (int i0 = 0; i0 < length; i0 += ROWS) {
      int count = lesser(ROWS, length - i0);
      range all = keysOf(i0, i0 + count - 1, length, a.causal, window), columns = sixteens(all);
      scores(q + i0 * (idx)a.qStride, a.qStride, count, kT, size, padded, columns, p);
      if (key.threshold > 0) draw(key, first + i0, count, head, columns, numbers, stride);
      float maxima[ROWS] = {}, totals[ROWS];
      for (int r = 0; r < ROWS; r++) totals[r] = 1;
      block of = {i0, count, length, a.causal, window, columns, a.scale, a.bias ? bias : 0, key, numbers, padded, stride};
      probabilities(&of, p, maxima, totals);
      weigh(p + all.from, padded, 1, count, all.to - all.from, v + all.from * (idx)a.vStride, a.vStride, size,
            out + i0 * width, width, 0);
      for (int r = 0; r < ROWS; r += 16)
        *(float16_at *)(totals + r) = *(float16_at *)(maxima + r) + log16(*(float16_at *)(totals + r));
      for (int r = 0; r < count; r++) a.logSumExp[(idx)(first + i0 + r) * a.heads + head] = totals[r];
    }
  }
}

// One sequence, and the heads that share a head of k and v. With P the probabilities and M the mask:
// dV = (P⊙M)ᵀ dO, dP = (dO Vᵀ)⊙M, dS = P⊙(dP − Σⱼ P⊙dP), dQ = scale dS K, dK = scale dSᵀ Q.
static void backwardOf(struct attentionBackward a, int sequence, int shared, float *scratch) {
  dropoutKey key = DROPOUT(a);
  int size = a.headSize, group = a.heads / a.kvHeads;
  idx width = (idx)a.heads * size;
  int first = a.offsets[sequence], length = a.offsets[sequence + 1] - first;
  int window = lesser(a.window, length);
  idx padded = (length + 15) & ~15, stride = (length + 31) & ~31;
  float *kT = scratch, *vT = kT + size * padded, *p = vT + size * padded, *s = p + ROWS * padded;
  float *bias = s + ROWS * padded, *dBias = bias + 2 * padded;
  unsigned short *numbers = (unsigned short *)(dBias + 2 * padded);
  const float *k = a.k + first * (idx)a.kStride + shared * size;
  const float *v = a.v + first * (idx)a.vStride + shared * size;
  float *dk = a.dk + first * (idx)a.dkStride + shared * size, *dv = a.dv + first * (idx)a.dvStride + shared * size;
  packRows(k, a.kStride, length, size, (int)padded, kT);
  packRows(v, a.vStride, length, size, (int)padded, vT);
  for (int j = 0; j < length; j++) {
    __builtin_memset(dk + j * (idx)a.dkStride, 0, 4 * size);
    __builtin_memset(dv + j * (idx)a.dvStride, 0, 4 * size);
  }
  for (int head = shared * group; head < (shared + 1) * group; head++) {
    const float *q = a.q + first * (idx)a.qStride + head * size, *dOut = a.dOut + first * width + head * size;
    float *dq = a.dq + first * (idx)a.dqStride + head * size;
    if (a.bias) relativeBias(a.bias, a.span, a.heads, head, length, bias);
    if (a.dBias) __builtin_memset(dBias, 0, 8 * padded);
    for (int i0 = 0; i0 < length; i0 += ROWS) {
      int count = lesser(ROWS, length - i0);
      range all = keysOf(i0, i0 + count - 1, length, a.causal, window), columns = sixteens(all);
      scores(q + i0 * (idx)a.qStride, a.qStride, count, kT, size, padded, columns, p);
      scores(dOut + i0 * width, width, count, vT, size, padded, columns, s);
      if (key.threshold > 0) draw(key, first + i0, count, head, columns, numbers, stride);
      block of = {i0, count, length, a.causal, window, columns, a.scale, a.bias ? bias : 0, key, numbers, padded, stride};
      probabilitiesBackward(&of, a.logSumExp + (idx)(first + i0) * a.heads + head, a.heads, p, s, a.dBias ? dBias : 0);
      int keys = all.to - all.from;
      idx to = all.from;
      weigh(p + to, 1, padded, keys, count, dOut + i0 * width, width, size, dv + to * a.dvStride, a.dvStride, 1);
      weigh(s + to, padded, 1, count, keys, k + to * a.kStride, a.kStride, size, dq + i0 * (idx)a.dqStride, a.dqStride, 0);
      weigh(s + to, 1, padded, keys, count, q + i0 * (idx)a.qStride, a.qStride, size, dk + to * a.dkStride, a.dkStride, 1);
    }
    if (a.dBias)
      for (int d = 1 - length; d < length; d++)
        a.dBias[(idx)(d + a.span - 1) * a.heads + head] += dBias[d + length - 1];
  }
}

// Items are (sequence, head of k and v), or heads of k and v alone where the bias has a gradient: then one thread owns
// their columns of it.
KERNEL(attentionBackward) {
  for (int item = start; item < end; item++) {
    if (!a.dBias) backwardOf(a, item / a.kvHeads, item % a.kvHeads, scratch);
    else
      for (int s = 0; s < a.sequences; s++) backwardOf(a, s, item, scratch);
  }
}
