/**
 * Normalisation by the root mean square (Zhang & Sennrich 2019, arXiv 1910.07467): of rows, and of single heads.
 *
 * @module
 */
import type { Dropout, HeadRange } from "../../engine/engine.ts";
import { accumulate, gradientTarget, handOn, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** Options of {@linkcode rmsNorm}. */
export interface RmsNormOptions {
  /** Added before normalising. */
  readonly residual?: Tensor | undefined;
  /** Applied to x before the residual is added. */
  readonly dropout?: Dropout | undefined;
  /** The scale is 1 + w. Default false. */
  readonly onePlus?: boolean | undefined;
}

/**
 * y = w s / √(mean s² + ε), s = dropout(x) + residual; by rows of [R, H]
 *
 * ds = (w dy − ŝ mean(w dy ŝ)) / σ, dw = Σ dy ŝ, with ŝ = s / σ
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, H].
 * @param weight [H] scale.
 * @param epsilon Added to the mean square.
 * @param options Dropout, what is added before it, and whether the scale is 1 + w.
 * @returns [R, H]
 */
export function rmsNorm(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  epsilon: number,
  options: RmsNormOptions = {},
): Tensor {
  const { engine } = tape;
  const { residual, dropout, onePlus = false } = options;
  const forward = engine.rmsNorm(x.value, weight.value, epsilon, { residual: residual?.value, dropout, onePlus });
  return record(tape, forward.y, [x, weight, residual], (dy) => {
    const dWeight = gradientTarget(tape, weight);
    const passed = x.needsGradient ? dropout : undefined;
    const ds = engine.rmsNormBackward(dy, forward, weight.value, dWeight, { onePlus, dropout: passed });
    handOn(tape, weight, dWeight);
    if (residual !== undefined) accumulate(tape, residual, ds.sum, true);
    accumulate(tape, x, ds.x, true);
  });
}

/** Heads that are normalised by a weight [D] of their size. */
export interface NormedHeads extends HeadRange {
  /** [D] their scale. */
  readonly weight: Tensor;
}

/**
 * The same for single heads of x [T, …], which stand side by side: each of those that are named is normalised, the others
 * stay.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, …].
 * @param heads Which heads, by which scales.
 * @param epsilon Added to the mean square.
 * @param onePlus The scale is 1 + w. Default false.
 * @returns As x.
 */
export function headNorm(
  tape: Tape,
  x: Tensor,
  heads: readonly NormedHeads[],
  epsilon: number,
  onePlus = false,
): Tensor {
  const { engine } = tape;
  const y = engine.empty(x.value.shape);
  engine.copy(y, x.value);
  const statistics = heads.map(({ weight, first, count }) =>
    engine.headNorm(x.value, y, weight.value, epsilon, { first, count }, onePlus)
  );
  return record(tape, y, [x, ...heads.map(({ weight }) => weight)], (dy) => {
    const own = tape.holders.get(dy) === 1 ? dy : engine.affine(dy, 1);
    for (const [i, { weight, first, count }] of heads.entries()) {
      const dWeight = gradientTarget(tape, weight);
      engine.headNormBackward(own, x.value, statistics[i]!, weight.value, { first, count }, dWeight, onePlus);
      handOn(tape, weight, dWeight);
    }
    accumulate(tape, x, own, true);
  });
}
