/**
 * Small parts that every family, every head and the denoising decoder are put together from.
 *
 * @module
 */
import type { Activation, Dropout, Handle } from "../engine/engine.ts";
import { type Purpose, randomPurpose } from "../engine/philox.ts";
import { adaptedLinear, embedding, layerNorm, linear } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { Encoder, TrainingKey } from "./batch.ts";

/** Dropout at one place of the model, or none. */
export type DropoutAt = (rate: number, purpose: Purpose, layer?: number) => Dropout | undefined;

/** Masks for the rows of `places` (i32 [T, 2]) in training; none otherwise. */
export function dropoutFor(places: Handle, training: TrainingKey | undefined): DropoutAt {
  return (rate, purpose, layer = 0) =>
    training === undefined || rate === 0
      ? undefined
      : { rate, key: { ...training, purpose: randomPurpose(purpose, layer) }, places };
}

/**
 * Rows of a table by number; `numbers` are those of `at` on the host. The row of padding takes no gradient from where it stands
 * in a text: PyTorch's `padding_idx`.
 */
export function lookUp(tape: Tape, table: Tensor, at: Handle, numbers: Int32Array, padId: number): Tensor {
  const { engine, closures } = tape;
  if (closures === undefined || !numbers.includes(padId)) return embedding(tape, table, at);
  const counts = Float32Array.from({ length: at.shape[0]! }, (_, i) => numbers[i] === padId ? 0 : 1);
  return embedding(tape, table, at, engine.upload(counts, [counts.length]));
}

/** f(x Wᵀ + b) with the tensors of that name, and with the weight's adapter if it has one. */
export function project(tape: Tape, parameters: Parameters, name: string, x: Tensor, activation?: Activation): Tensor {
  const [weight, bias] = [parameters[`${name}.weight`]!, parameters[`${name}.bias`]];
  return weight.adapter === undefined
    ? linear(tape, x, weight, bias, activation)
    : adaptedLinear(tape, x, weight, bias, weight.adapter, activation);
}

/** LN(drop(x) + residual) with the tensors of that name. */
export function norm(
  tape: Tape,
  { parameters, config }: Encoder,
  name: string,
  x: Tensor,
  residual?: Tensor,
  dropout?: Dropout,
): Tensor {
  const [gamma, beta] = [parameters[`${name}.weight`]!, parameters[`${name}.bias`]!];
  return layerNorm(tape, x, gamma, beta, config.layerNormEpsilon, { residual, dropout });
}
