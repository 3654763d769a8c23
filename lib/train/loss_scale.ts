/**
 * Scaling of the loss for gradients in half precision: small ones would become 0 (Micikevicius et al. 2018,
 * arXiv 1710.03740). The rule and its numbers are those of PyTorch's GradScaler.
 *
 * @module
 */

/** The scale as it is now. */
export interface LossScale {
  /** The loss is multiplied by this before the backward pass. */
  readonly scale: number;
  /** Steps since it last changed. */
  readonly good: number;
  /** Steps that were skipped because a gradient was not finite. */
  readonly skipped: number;
}

/** Before the first step. */
export const FIRST_LOSS_SCALE: LossScale = { scale: 65536, good: 0, skipped: 0 };

const GROWS_AFTER = 2000;

/** After a step: halved if it was skipped, doubled after 2000 good ones. */
export function nextLossScale({ scale, good, skipped }: LossScale, isSkipped: boolean): LossScale {
  if (isSkipped) return { scale: scale / 2, good: 0, skipped: skipped + 1 };
  return good + 1 === GROWS_AFTER ? { scale: 2 * scale, good: 0, skipped } : { scale, good: good + 1, skipped };
}
