// Generated from table.ts by `deno task build:kernels`. Do not edit.
#include "table.h"

// An address is bytes from `base`; 0 is nothing.
#define ADDRESS(value) (value == 0 ? (void *)0 : (void *)(base + (__SIZE_TYPE__)value))

// Does items `start` … `end` − 1 of the kernel of this number, with its arguments in the order of the table.
static void run(int kernel, char *base, const double *values, int start, int end, void *scratch) {
  switch (kernel) {
    case 0:
      return packB((struct packB){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          (int)values[3],
          (int)values[4],
          ADDRESS(values[5]),
      }, start, end, scratch);
    case 1:
      return packWeight((struct packWeight){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          (int)values[3],
          ADDRESS(values[4]),
      }, start, end, scratch);
    case 2:
      return product((struct product){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
          (unsigned)(long long)values[7],
          (int)values[8],
          ADDRESS(values[9]),
          (int)values[10],
          (int)values[11],
          (int)values[12],
          (int)values[13],
          (float)values[14],
          (int)values[15],
          ADDRESS(values[16]),
          ADDRESS(values[17]),
          (int)values[18],
      }, start, end, scratch);
    case 3:
      return packHalf((struct packHalf){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          (int)values[3],
          (int)values[4],
          ADDRESS(values[5]),
      }, start, end, scratch);
    case 4:
      return productHalf((struct productHalf){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
          (int)values[7],
          (int)values[8],
          (float)values[9],
          (int)values[10],
          ADDRESS(values[11]),
          ADDRESS(values[12]),
          (int)values[13],
      }, start, end, scratch);
    case 5:
      return attention((struct attention){
          ADDRESS(values[0]),
          (int)values[1],
          ADDRESS(values[2]),
          (int)values[3],
          ADDRESS(values[4]),
          (int)values[5],
          ADDRESS(values[6]),
          (int)values[7],
          (int)values[8],
          (int)values[9],
          (float)values[10],
          (int)values[11],
          (int)values[12],
          ADDRESS(values[13]),
          (int)values[14],
          ADDRESS(values[15]),
          ADDRESS(values[16]),
          (int)values[17],
          (float)values[18],
          ADDRESS(values[19]),
          (unsigned)(long long)values[20],
          (unsigned)(long long)values[21],
          (unsigned)(long long)values[22],
      }, start, end, scratch);
    case 6:
      return attentionBackward((struct attentionBackward){
          ADDRESS(values[0]),
          (int)values[1],
          ADDRESS(values[2]),
          (int)values[3],
          ADDRESS(values[4]),
          (int)values[5],
          ADDRESS(values[6]),
          (int)values[7],
          (int)values[8],
          (int)values[9],
          (float)values[10],
          (int)values[11],
          (int)values[12],
          ADDRESS(values[13]),
          (int)values[14],
          (int)values[15],
          ADDRESS(values[16]),
          ADDRESS(values[17]),
          ADDRESS(values[18]),
          (int)values[19],
          ADDRESS(values[20]),
          (int)values[21],
          ADDRESS(values[22]),
          (int)values[23],
          ADDRESS(values[24]),
          (int)values[25],
          (float)values[26],
          ADDRESS(values[27]),
          (unsigned)(long long)values[28],
          (unsigned)(long long)values[29],
          (unsigned)(long long)values[30],
      }, start, end, scratch);
    case 7:
      return layerNorm((struct layerNorm){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          ADDRESS(values[5]),
          ADDRESS(values[6]),
          (float)values[7],
          (int)values[8],
          (int)values[9],
          (float)values[10],
          ADDRESS(values[11]),
          (unsigned)(long long)values[12],
          (unsigned)(long long)values[13],
          (unsigned)(long long)values[14],
      }, start, end, scratch);
    case 8:
      return layerNormBackward((struct layerNormBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          ADDRESS(values[5]),
          ADDRESS(values[6]),
          ADDRESS(values[7]),
          (int)values[8],
          (int)values[9],
          (int)values[10],
          (float)values[11],
          ADDRESS(values[12]),
          (unsigned)(long long)values[13],
          (unsigned)(long long)values[14],
          (unsigned)(long long)values[15],
      }, start, end, scratch);
    case 9:
      return rmsNorm((struct rmsNorm){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          ADDRESS(values[5]),
          (float)values[6],
          (float)values[7],
          (int)values[8],
          (int)values[9],
          (float)values[10],
          ADDRESS(values[11]),
          (unsigned)(long long)values[12],
          (unsigned)(long long)values[13],
          (unsigned)(long long)values[14],
      }, start, end, scratch);
    case 10:
      return rmsNormBackward((struct rmsNormBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (float)values[4],
          ADDRESS(values[5]),
          ADDRESS(values[6]),
          ADDRESS(values[7]),
          ADDRESS(values[8]),
          (int)values[9],
          (int)values[10],
          (int)values[11],
          (float)values[12],
          ADDRESS(values[13]),
          (unsigned)(long long)values[14],
          (unsigned)(long long)values[15],
          (unsigned)(long long)values[16],
      }, start, end, scratch);
    case 11:
      return headNorm((struct headNorm){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
          (int)values[3],
          (int)values[4],
          (int)values[5],
          ADDRESS(values[6]),
          (float)values[7],
          (float)values[8],
          ADDRESS(values[9]),
      }, start, end, scratch);
    case 12:
      return headNormBackward((struct headNormBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
          (int)values[3],
          (int)values[4],
          (int)values[5],
          ADDRESS(values[6]),
          (float)values[7],
          ADDRESS(values[8]),
          ADDRESS(values[9]),
          (int)values[10],
      }, start, end, scratch);
    case 13:
      return normalizeRows((struct normalizeRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          (float)values[4],
      }, start, end, scratch);
    case 14:
      return normalizeRowsBackward((struct normalizeRowsBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (int)values[4],
          (float)values[5],
      }, start, end, scratch);
    case 15:
      return gather((struct gather){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
      }, start, end, scratch);
    case 16:
      return scatterAdd((struct scatterAdd){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          (int)values[4],
          ADDRESS(values[5]),
          ADDRESS(values[6]),
      }, start, end, scratch);
    case 17:
      return dropout((struct dropout){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
          (int)values[3],
          (float)values[4],
          ADDRESS(values[5]),
          (unsigned)(long long)values[6],
          (unsigned)(long long)values[7],
          (unsigned)(long long)values[8],
      }, start, end, scratch);
    case 18:
      return pool((struct pool){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (int)values[4],
          (int)values[5],
          (int)values[6],
      }, start, end, scratch);
    case 19:
      return scatterPool((struct scatterPool){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (int)values[4],
          (int)values[5],
          (int)values[6],
          (int)values[7],
          ADDRESS(values[8]),
          ADDRESS(values[9]),
      }, start, end, scratch);
    case 20:
      return poolBackward((struct poolBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
          (int)values[7],
      }, start, end, scratch);
    case 21:
      return logSumExpRows((struct logSumExpRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
      }, start, end, scratch);
    case 22:
      return softmaxRows((struct softmaxRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
      }, start, end, scratch);
    case 23:
      return softmaxRowsBackward((struct softmaxRowsBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (float)values[4],
          ADDRESS(values[5]),
          (int)values[6],
      }, start, end, scratch);
    case 24:
      return crossEntropyBackward((struct crossEntropyBackward){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (float)values[3],
          ADDRESS(values[4]),
          (int)values[5],
      }, start, end, scratch);
    case 25:
      return activate((struct activate){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
      }, start, end, scratch);
    case 26:
      return activateBackward((struct activateBackward){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
          (int)values[7],
      }, start, end, scratch);
    case 27:
      return biasActivation((struct biasActivation){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          (int)values[4],
      }, start, end, scratch);
    case 28:
      return gated((struct gated){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          (int)values[4],
      }, start, end, scratch);
    case 29:
      return gatedBackward((struct gatedBackward){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (int)values[4],
          (int)values[5],
      }, start, end, scratch);
    case 30:
      return rotate((struct rotate){
          ADDRESS(values[0]),
          (int)values[1],
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (int)values[4],
          (int)values[5],
          (int)values[6],
          (float)values[7],
      }, start, end, scratch);
    case 31:
      return topK((struct topK){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          ADDRESS(values[6]),
          ADDRESS(values[7]),
      }, start, end, scratch);
    case 32:
      return topProducts((struct topProducts){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          ADDRESS(values[4]),
          (int)values[5],
          ADDRESS(values[6]),
          ADDRESS(values[7]),
          ADDRESS(values[8]),
          ADDRESS(values[9]),
          ADDRESS(values[10]),
          ADDRESS(values[11]),
          ADDRESS(values[12]),
          ADDRESS(values[13]),
          (int)values[14],
          ADDRESS(values[15]),
      }, start, end, scratch);
    case 33:
      return unary((struct unary){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
      }, start, end, scratch);
    case 34:
      return binary((struct binary){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          ADDRESS(values[4]),
      }, start, end, scratch);
    case 35:
      return affine((struct affine){
          ADDRESS(values[0]),
          (float)values[1],
          (float)values[2],
          ADDRESS(values[3]),
      }, start, end, scratch);
    case 36:
      return addTo((struct addTo){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (float)values[2],
      }, start, end, scratch);
    case 37:
      return fill((struct fill){
          ADDRESS(values[0]),
          (float)values[1],
      }, start, end, scratch);
    case 38:
      return transpose((struct transpose){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
          (int)values[3],
      }, start, end, scratch);
    case 39:
      return copyColumns((struct copyColumns){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          (int)values[3],
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
      }, start, end, scratch);
    case 40:
      return scaleRows((struct scaleRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
      }, start, end, scratch);
    case 41:
      return rowReduce((struct rowReduce){
          (int)values[0],
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
      }, start, end, scratch);
    case 42:
      return columnSumBlocks((struct columnSumBlocks){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
      }, start, end, scratch);
    case 43:
      return columnSumFinish((struct columnSumFinish){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          (int)values[4],
      }, start, end, scratch);
    case 44:
      return sumBlocks((struct sumBlocks){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
      }, start, end, scratch);
    case 45:
      return adamw((struct adamw){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (float)values[4],
          ADDRESS(values[5]),
          (double)values[6],
          (double)values[7],
          (float)values[8],
      }, start, end, scratch);
    case 46:
      return adamwRows((struct adamwRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          ADDRESS(values[3]),
          (float)values[4],
          ADDRESS(values[5]),
          ADDRESS(values[6]),
          (int)values[7],
          ADDRESS(values[8]),
          (double)values[9],
          (double)values[10],
          (float)values[11],
      }, start, end, scratch);
    case 47:
      return clearRows((struct clearRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
      }, start, end, scratch);
    case 48:
      return squaresOfRows((struct squaresOfRows){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          (int)values[2],
          (int)values[3],
          ADDRESS(values[4]),
      }, start, end, scratch);
    case 49:
      return packInt8((struct packInt8){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          (int)values[3],
          (int)values[4],
          ADDRESS(values[5]),
      }, start, end, scratch);
    case 50:
      return int8Bounds((struct int8Bounds){
          ADDRESS(values[0]),
          (int)values[1],
          (int)values[2],
          ADDRESS(values[3]),
          ADDRESS(values[4]),
      }, start, end, scratch);
    case 51:
      return int8Product((struct int8Product){
          ADDRESS(values[0]),
          ADDRESS(values[1]),
          ADDRESS(values[2]),
          (int)values[3],
          ADDRESS(values[4]),
          (int)values[5],
          (int)values[6],
          (int)values[7],
          (int)values[8],
          (int)values[9],
          (int)values[10],
      }, start, end, scratch);
  }
}
