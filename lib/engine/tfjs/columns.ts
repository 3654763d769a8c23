/**
 * Columns of a matrix, where kernels work in place on some of them.
 *
 * @module
 */
import type { TensorFlow, TfTensor } from "./tensorflow.ts";

/** Columns from … to − 1 of [R, C]. */
export function columnsOf(tf: TensorFlow, x: TfTensor, from: number, to: number): TfTensor {
  return tf.slice(x, [0, from], [x.shape[0]!, to - from]);
}

/** The same matrix with other columns from `from` on. */
export function withColumns(tf: TensorFlow, x: TfTensor, from: number, part: TfTensor): TfTensor {
  const to = from + part.shape[1]!;
  return tf.concat([columnsOf(tf, x, 0, from), part, columnsOf(tf, x, to, x.shape[1]!)], 1);
}
