/**
 * Layer normalisation (Ba et al. 2016, arXiv 1607.06450), with what stands before it in a post-LN encoder.
 *
 * @module
 */
import type { Dropout } from "../../engine/engine.ts";
import { accumulate, gradientTarget, handOn, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** Options of {@linkcode layerNorm}. */
export interface LayerNormOptions {
  /** Added before normalising. */
  readonly residual?: Tensor | undefined;
  /** Applied to x before the residual is added. */
  readonly dropout?: Dropout | undefined;
}

/**
 * y = γ ŝ + β, ŝ = (s − mean s) / √(var s + ε), s = dropout(x) + residual; by rows of [R, H]
 *
 * ds = (γ dy − mean(γ dy) − ŝ mean(γ dy ŝ)) / σ, dγ = Σ dy ŝ, dβ = Σ dy
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, H].
 * @param gamma [H] scale.
 * @param beta [H] shift, or none.
 * @param epsilon Added to the variance.
 * @param options Dropout, and what is added, before it.
 * @returns [R, H]
 */
export function layerNorm(
  tape: Tape,
  x: Tensor,
  gamma: Tensor,
  beta: Tensor | undefined,
  epsilon: number,
  options: LayerNormOptions = {},
): Tensor {
  const { engine } = tape;
  const { residual, dropout } = options;
  const forward = engine.layerNorm(x.value, gamma.value, beta?.value, epsilon, { residual: residual?.value, dropout });
  return record(tape, forward.y, [x, gamma, beta, residual], (dy) => {
    const dGamma = gradientTarget(tape, gamma);
    const dBeta = gradientTarget(tape, beta);
    const passed = x.needsGradient ? dropout : undefined;
    const ds = engine.layerNormBackward(dy, forward, gamma.value, dGamma, dBeta, { dropout: passed });
    handOn(tape, gamma, dGamma);
    handOn(tape, beta, dBeta);
    if (residual !== undefined) accumulate(tape, residual, ds.sum, true);
    accumulate(tape, x, ds.x, true);
  });
}

/**
 * x ⊙ mask / (1 − rate); dx = dy ⊙ the same. Without `dropout`, x itself.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @param dropout Rate and random stream; undefined where there is none, as outside of training.
 * @returns x with its share of zeros, of the same expectation.
 */
export function dropout(tape: Tape, x: Tensor, dropout: Dropout | undefined): Tensor {
  if (dropout === undefined || dropout.rate === 0) return x;
  const { engine } = tape;
  return record(tape, engine.dropout(x.value, dropout), [x], (dy) => accumulate(tape, x, engine.dropout(dy, dropout)));
}
