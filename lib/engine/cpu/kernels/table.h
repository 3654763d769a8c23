// Generated from table.ts by `deno task build:kernels`. Do not edit.
#pragma once

// A kernel: does items `start` … `end` − 1 with its arguments `a`, and may overwrite what is at `scratch`.
#define KERNEL(name) static __attribute__((noinline)) void name(struct name a, int start, int end, void *scratch)

struct packB {
  const float *b;
  int ldb;
  int transposed;
  int n;
  int k;
  float *packed;
};
KERNEL(packB);

struct packWeight {
  const float *w;
  int first;
  int n;
  int k;
  float *packed;
};
KERNEL(packWeight);

struct product {
  const float *a;
  int lda;
  int transposed;
  const float *packed;
  const float *b;
  int ldb;
  int transposedB;
  unsigned call;
  int byPanels;
  float *c;
  int ldc;
  int m;
  int n;
  int k;
  float alpha;
  int accumulate;
  const float *bias;
  float *pre;
  int kind;
};
KERNEL(product);

struct packHalf {
  const float *b;
  int ldb;
  int transposed;
  int n;
  int k;
  int *packed;
};
KERNEL(packHalf);

struct productHalf {
  const float *a;
  int lda;
  int transposed;
  const int *packed;
  float *c;
  int ldc;
  int m;
  int n;
  int k;
  float alpha;
  int accumulate;
  const float *bias;
  float *pre;
  int kind;
};
KERNEL(productHalf);

struct attention {
  const float *q;
  int qStride;
  const float *k;
  int kStride;
  const float *v;
  int vStride;
  const int *offsets;
  int heads;
  int kvHeads;
  int headSize;
  float scale;
  int causal;
  int window;
  const float *bias;
  int span;
  float *out;
  float *logSumExp;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(attention);

struct attentionBackward {
  const float *q;
  int qStride;
  const float *k;
  int kStride;
  const float *v;
  int vStride;
  const int *offsets;
  int heads;
  int kvHeads;
  int headSize;
  float scale;
  int causal;
  int window;
  const float *bias;
  int span;
  int sequences;
  const float *logSumExp;
  const float *dOut;
  float *dq;
  int dqStride;
  float *dk;
  int dkStride;
  float *dv;
  int dvStride;
  float *dBias;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(attentionBackward);

struct layerNorm {
  const float *x;
  const float *residual;
  float *sum;
  float *y;
  float *statistics;
  const float *gamma;
  const float *beta;
  float epsilon;
  int width;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(layerNorm);

struct layerNormBackward {
  const float *dy;
  const float *sum;
  const float *statistics;
  const float *gamma;
  const float *added;
  float *ds;
  float *dx;
  float *partial;
  int rows;
  int width;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(layerNormBackward);

struct rmsNorm {
  const float *x;
  const float *residual;
  float *sum;
  float *y;
  float *statistics;
  const float *weight;
  float plus;
  float epsilon;
  int width;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(rmsNorm);

struct rmsNormBackward {
  const float *dy;
  const float *sum;
  const float *statistics;
  const float *weight;
  float plus;
  const float *added;
  float *ds;
  float *dx;
  float *partial;
  int rows;
  int width;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(rmsNormBackward);

struct headNorm {
  const float *x;
  float *out;
  int columns;
  int first;
  int count;
  int size;
  const float *weight;
  float plus;
  float epsilon;
  float *statistics;
};
KERNEL(headNorm);

struct headNormBackward {
  float *dOut;
  const float *x;
  int columns;
  int first;
  int count;
  int size;
  const float *weight;
  float plus;
  const float *statistics;
  float *partial;
  int rows;
};
KERNEL(headNormBackward);

struct normalizeRows {
  const float *x;
  float *y;
  float *norms;
  int width;
  float epsilon;
};
KERNEL(normalizeRows);

struct normalizeRowsBackward {
  const float *dy;
  const float *y;
  const float *norms;
  float *dx;
  int width;
  float epsilon;
};
KERNEL(normalizeRowsBackward);

struct gather {
  const float *table;
  const int *ids;
  float *y;
  int width;
};
KERNEL(gather);

struct scatterAdd {
  float *dTable;
  const int *ids;
  const float *dy;
  int rows;
  int width;
  unsigned char *ever;
  unsigned char *dirty;
};
KERNEL(scatterAdd);

struct dropout {
  const float *x;
  float *y;
  int width;
  int threshold;
  float keepScale;
  const unsigned *places;
  unsigned seed;
  unsigned purpose;
  unsigned step;
};
KERNEL(dropout);

struct pool {
  const float *x;
  const int *ids;
  const int *offsets;
  float *y;
  int width;
  int mode;
  int skip;
};
KERNEL(pool);

struct scatterPool {
  float *dTable;
  const int *ids;
  const int *offsets;
  const float *dy;
  int sequences;
  int width;
  int mode;
  int skip;
  unsigned char *ever;
  unsigned char *dirty;
};
KERNEL(scatterPool);

struct poolBackward {
  const float *dy;
  const float *x;
  const float *pooled;
  const int *offsets;
  float *dx;
  int width;
  int mode;
  int skip;
};
KERNEL(poolBackward);

struct logSumExpRows {
  float *logits;
  const float *bias;
  float *out;
  int columns;
};
KERNEL(logSumExpRows);

struct softmaxRows {
  const float *x;
  const float *logSumExp;
  float *y;
  int columns;
};
KERNEL(softmaxRows);

struct softmaxRowsBackward {
  const float *x;
  const float *logSumExp;
  const int *targets;
  const float *dLoss;
  float count;
  float *y;
  int columns;
};
KERNEL(softmaxRowsBackward);

struct crossEntropyBackward {
  const float *p;
  const int *targets;
  const float *dLoss;
  float count;
  float *dz;
  int columns;
};
KERNEL(crossEntropyBackward);

struct activate {
  int kind;
  const float *x;
  float *y;
};
KERNEL(activate);

struct activateBackward {
  int kind;
  const float *z;
  const float *dy;
  float *dz;
  float *partial;
  int rows;
  int columns;
  int parts;
};
KERNEL(activateBackward);

struct biasActivation {
  float *y;
  const float *bias;
  float *pre;
  int kind;
  int columns;
};
KERNEL(biasActivation);

struct gated {
  int kind;
  const float *x;
  float *y;
  int width;
  int second;
};
KERNEL(gated);

struct gatedBackward {
  int kind;
  const float *x;
  const float *dy;
  float *dx;
  int width;
  int second;
};
KERNEL(gatedBackward);

struct rotate {
  float *x;
  int stride;
  const float *table;
  const int *positions;
  int pairs;
  int heads;
  int headSize;
  float turn;
};
KERNEL(rotate);

struct topK {
  const float *x;
  int columns;
  int from;
  const float *best;
  const int *bestIndices;
  int k;
  float *values;
  int *indices;
};
KERNEL(topK);

struct topProducts {
  const float *about;
  int columns;
  int from;
  const float *best;
  const int *bestIndices;
  int k;
  float *values;
  int *indices;
  const float *a;
  const float *aNorms;
  const float *aErrors;
  const float *b;
  const float *bNorms;
  const float *bErrors;
  int depth;
  int *multiplied;
};
KERNEL(topProducts);

struct unary {
  int kind;
  const float *x;
  float *y;
};
KERNEL(unary);

struct binary {
  int kind;
  const float *x;
  const float *other;
  int single;
  float *y;
};
KERNEL(binary);

struct affine {
  const float *x;
  float scale;
  float shift;
  float *y;
};
KERNEL(affine);

struct addTo {
  float *target;
  const float *x;
  float scale;
};
KERNEL(addTo);

struct fill {
  float *target;
  float value;
};
KERNEL(fill);

struct transpose {
  const float *x;
  float *y;
  int rows;
  int columns;
};
KERNEL(transpose);

struct copyColumns {
  const float *x;
  int columns;
  int from;
  int width;
  float *y;
  int outColumns;
  int to;
};
KERNEL(copyColumns);

struct scaleRows {
  const float *x;
  const float *r;
  float *y;
  int columns;
};
KERNEL(scaleRows);

struct rowReduce {
  int kind;
  const float *x;
  float *y;
  int columns;
};
KERNEL(rowReduce);

struct columnSumBlocks {
  const float *x;
  int rows;
  int columns;
  float *partial;
};
KERNEL(columnSumBlocks);

struct columnSumFinish {
  const float *partial;
  int blocks;
  int stride;
  float *y;
  int accumulate;
};
KERNEL(columnSumFinish);

struct sumBlocks {
  const float *x;
  int size;
  int squared;
  double *partial;
};
KERNEL(sumBlocks);

struct adamw {
  float *w;
  float *g;
  float *m;
  float *v;
  float weightDecay;
  const float *state;
  double beta1;
  double beta2;
  float epsilon;
};
KERNEL(adamw);

struct adamwRows {
  float *w;
  float *g;
  float *m;
  float *v;
  float weightDecay;
  const unsigned char *ever;
  unsigned char *dirty;
  int width;
  const float *state;
  double beta1;
  double beta2;
  float epsilon;
};
KERNEL(adamwRows);

struct clearRows {
  float *g;
  unsigned char *dirty;
  int width;
};
KERNEL(clearRows);

struct squaresOfRows {
  const float *g;
  const unsigned char *dirty;
  int rows;
  int width;
  double *partial;
};
KERNEL(squaresOfRows);

struct packInt8 {
  const float *w;
  int first;
  int n;
  int k;
  int form;
  float *packed;
};
KERNEL(packInt8);

struct int8Bounds {
  const float *x;
  int k;
  int form;
  float *norms;
  float *errors;
};
KERNEL(int8Bounds);

struct int8Product {
  const float *x;
  const float *packed;
  const float *bias;
  int kind;
  float *y;
  int m;
  int n;
  int k;
  int form;
  int rows;
  int parts;
};
KERNEL(int8Product);
