/**
 * Margin-MSE: a student learns by how much its teacher prefers the positive to each negative.
 *
 * @module
 */
import { mean, square, subtract } from "../../tensor/ops.ts";
import { constant } from "../../tensor/tensor.ts";
import type { CrossEncoderLoss, LogitActivation } from "../cross_encoder_loss.ts";
import { marginsOf } from "../teacher_scores.ts";
import { activated } from "./activation.ts";

/** Options of {@linkcode marginMse}. */
export interface MarginMseOptions {
  /** What margins are of: the logits, or σ of them. Default identity. */
  readonly activation?: LogitActivation;
}

/**
 * L = mean ((f(z₀) − f(zⱼ)) − mⱼ)² over all negatives j; z₀ is the positive's logit; logits [B, 1 + N], labels [B, N] or
 * [B, 1 + N] → [1]
 *
 * Columns: query, positive, N ≥ 1 negatives, and as score either the N margins mⱼ or the teacher's N + 1 scores s with
 * mⱼ = s₀ − sⱼ. The model has one label. Source: Hofstätter et al. 2020, arXiv 2010.02666.
 *
 * @param options Logits, or σ of them.
 * @returns The loss, for triplets and tuples with one or several scores.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Logits of a positive and two negatives: margins of 3 and 1. The teacher has margins of 3 and 2 …
 * const logits = [[[4, 1, 3]]];
 * assert.equal((await tryLoss(crossEncoder.marginMse(), logits, [3, 2])).value, (0 + 1) / 2);
 * // … or is given by its scores of all three.
 * assert.equal((await tryLoss(crossEncoder.marginMse(), logits, [5, 2, 3])).value, (0 + 1) / 2);
 * ```
 */
export function marginMse(options: MarginMseOptions = {}): CrossEncoderLoss<"score"> {
  const { activation = "identity" } = options;
  return {
    name: "margin_mse",
    texts: { min: 3, max: Infinity },
    label: "score",
    outputs: "score",
    labelWidths: (candidates) => [candidates - 1, candidates],
    options: { activation },
    paper: "Hofstätter et al. 2020, arXiv 2010.02666",
    apply(tape, logits, labels) {
      const margins = marginsOf(tape, activated(tape, logits, activation));
      const isScores = labels!.shape[1] === logits.value.shape[1];
      const teacher = isScores ? marginsOf(tape, constant(labels!)) : constant(labels!);
      return mean(tape, square(tape, subtract(tape, margins, teacher)));
    },
  };
}
