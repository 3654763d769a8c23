/**
 * Residual and normalisation of pre-norm layers: what is added goes on, and what is normalised goes into the next part.
 *
 * @module
 */
import type { Dropout, Handle } from "../../engine/engine.ts";
import { accumulate, gradientTarget, handOn, isOpen, record, replace, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** A normalisation of rows: of layers (mean and variance) or by the root mean square. */
export interface Norm {
  /** Which one. */
  readonly kind: "layer" | "rms";
  /** [H] scale. */
  readonly weight: Tensor;
  /** [H] shift of a layer norm, if it has one. */
  readonly bias?: Tensor | undefined;
  /** Added to variance or mean square. */
  readonly epsilon: number;
  /** RMS: the scale is 1 + w. Default false. */
  readonly onePlus?: boolean | undefined;
}

/**
 * s = dropout(x) + residual, y = norm(s); by rows of [R, H]. Both go on: s as the next residual, y into the next part.
 *
 * ds = the gradient that comes with s + that of the norm; dx = ds ⊙ mask, d residual = ds
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, H] what a part of the layer gave.
 * @param residual [R, H] what it is added to; none where there is nothing yet.
 * @param norm The normalisation that follows.
 * @param dropout Applied to x.
 * @returns s and y, [R, H] each.
 */
export function residualNorm(
  tape: Tape,
  x: Tensor,
  residual: Tensor | undefined,
  norm: Norm,
  dropout?: Dropout,
): { readonly sum: Tensor; readonly y: Tensor } {
  const { engine } = tape;
  const { kind, weight, bias, epsilon, onePlus = false } = norm;
  const options = { residual: residual?.value, dropout };
  const forward = kind === "layer"
    ? engine.layerNorm(x.value, weight.value, bias?.value, epsilon, options)
    : engine.rmsNorm(x.value, weight.value, epsilon, { ...options, onePlus });
  let dx: Handle | undefined; // as the norm's backward pass gave it, which comes right before
  const sum = record(tape, forward.sum, [x, residual], (ds) => {
    // The gradient of the sum serves both, so neither may be added to in place while the other needs it.
    if (residual !== undefined) accumulate(tape, residual, ds);
    if (!x.needsGradient) return;
    dx ??= dropout === undefined ? ds : engine.dropout(ds, dropout);
    accumulate(tape, x, dx, dx !== ds);
  });
  const y = record(tape, forward.y, [sum, weight, bias], (dy) => {
    const dWeight = gradientTarget(tape, weight);
    const dBias = gradientTarget(tape, bias);
    const passed = {
      added: sum.gradient,
      inPlace: isOpen(tape, sum),
      dropout: x.needsGradient ? dropout : undefined,
    };
    const ds = kind === "layer"
      ? engine.layerNormBackward(dy, forward, weight.value, dWeight, dBias, passed)
      : engine.rmsNormBackward(dy, forward, weight.value, dWeight, { onePlus, ...passed });
    handOn(tape, weight, dWeight);
    handOn(tape, bias, dBias);
    if (ds.sum !== sum.gradient) replace(tape, sum, ds.sum);
    dx = ds.x;
  });
  return { sum, y };
}
