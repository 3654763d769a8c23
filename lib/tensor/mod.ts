/**
 * Tensors with gradients: the tape, and the operations on it, each with its formula forward and backward.
 *
 * @module
 */
export { attention, type AttentionInput } from "./ops/attention.ts";
export { binaryCrossEntropy, sigmoid } from "./ops/binary_cross_entropy.ts";
export { crossEntropy, linearCrossEntropy } from "./ops/cross_entropy.ts";
export {
  absolute,
  activate,
  add,
  affine,
  exponential,
  multiply,
  square,
  squareRoot,
  subtract,
} from "./ops/elementwise.ts";
export { embedding } from "./ops/embedding.ts";
export { gated } from "./ops/gated.ts";
export { dropout, layerNorm, type LayerNormOptions } from "./ops/layer_norm.ts";
export { linear, matmul } from "./ops/linear.ts";
export { adaptedLinear } from "./ops/low_rank.ts";
export { normalize, pool } from "./ops/pool.ts";
export { type Norm, residualNorm } from "./ops/residual_norm.ts";
export { headNorm, type NormedHeads, rmsNorm, type RmsNormOptions } from "./ops/rms_norm.ts";
export { rotate, rotationTable } from "./ops/rotary.ts";
export { rowMax, rowNorm, scaleRows } from "./ops/rows.ts";
export { segmentLogSumExp, type Segments, segmentsOf, sumRowsBy } from "./ops/segments.ts";
export {
  concatColumns,
  concatRows,
  mean,
  reshape,
  rowSum,
  sliceColumns,
  sliceRows,
  sum,
  transpose,
} from "./ops/shape.ts";
export { softplus } from "./ops/softplus.ts";
export {
  accumulate,
  backward,
  gradientTarget,
  handOn,
  inference,
  isOpen,
  record,
  recording,
  type Tape,
} from "./tape.ts";
export {
  constant,
  countTrained,
  type LowRank,
  parameter,
  type ParameterBlock,
  type Parameters,
  type Tensor,
} from "./tensor.ts";
