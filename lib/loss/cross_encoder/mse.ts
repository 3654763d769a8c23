/**
 * Mean squared error: the score of a teacher, or of a person, is learned as it is.
 *
 * @module
 */
import { mean, square, subtract } from "../../tensor/ops.ts";
import { constant } from "../../tensor/tensor.ts";
import type { CrossEncoderLoss, LogitActivation } from "../cross_encoder_loss.ts";
import { activated } from "./activation.ts";

/** Options of {@linkcode mse}. */
export interface MseOptions {
  /** What is compared with the label: the logit, or σ of it, for scores in [0, 1]. Default identity. */
  readonly activation?: LogitActivation;
}

/**
 * L = mean (f(z) − y)², z the logit; logits and scores y [B, 1] → [1]
 *
 * Columns: two texts, and a score. The model has one label. Source: Hofstätter et al. 2020, arXiv 2010.02666.
 *
 * @param options The logit, or σ of it.
 * @returns The loss, for pairs with a score.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal((await tryLoss(crossEncoder.mse(), [[[3], [1]]], [1, 1])).value, (4 + 0) / 2);
 * assert.equal((await tryLoss(crossEncoder.mse({ activation: "sigmoid" }), [[[0]]], [1])).value, 0.25);
 * ```
 */
export function mse(options: MseOptions = {}): CrossEncoderLoss<"score"> {
  const { activation = "identity" } = options;
  return {
    name: "mse",
    texts: { min: 2, max: 2 },
    label: "score",
    outputs: "score",
    options: { activation },
    paper: "Hofstätter et al. 2020, arXiv 2010.02666",
    apply: (tape, logits, labels) =>
      mean(tape, square(tape, subtract(tape, activated(tape, logits, activation), constant(labels!)))),
  };
}
