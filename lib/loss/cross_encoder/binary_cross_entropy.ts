/**
 * Binary cross-entropy: does the pair belong together, or how much?
 *
 * @module
 */
import { UsageError } from "../../error.ts";
import * as ops from "../../tensor/ops.ts";
import type { CrossEncoderLoss } from "../cross_encoder_loss.ts";

/** Options of {@linkcode binaryCrossEntropy}. */
export interface BinaryCrossEntropyOptions {
  /** How much a positive pair counts (w), for data with few of them. Default 1. */
  readonly positiveWeight?: number;
}

/**
 * L = −mean (w y log σ(z) + (1 − y) log(1 − σ(z))), z the logit; logits and scores y [B, 1] → [1]
 *
 * Columns: two texts, and a score in [0, 1]; a class 0 or 1 is one. The model has one label. Source: Nogueira & Cho 2019,
 * arXiv 1901.04085.
 *
 * @param options What a positive pair counts.
 * @returns The loss, for pairs with a score.
 * @throws {UsageError} A weight that is not above 0.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // A logit of 0 is undecided: log 2 for either label, four times that for a positive that counts four times.
 * const loss = crossEncoder.binaryCrossEntropy({ positiveWeight: 4 });
 * assert.ok(Math.abs((await tryLoss(loss, [[[0]]], [0])).value - Math.LN2) < 1e-6);
 * assert.ok(Math.abs((await tryLoss(loss, [[[0]]], [1])).value - 4 * Math.LN2) < 1e-6);
 * ```
 */
export function binaryCrossEntropy(options: BinaryCrossEntropyOptions = {}): CrossEncoderLoss<"score"> {
  const { positiveWeight = 1 } = options;
  if (!(positiveWeight > 0 && Number.isFinite(positiveWeight))) {
    throw new UsageError("the weight of positives must be above 0", {
      expected: "a number above 0",
      found: `${positiveWeight}`,
    });
  }
  return {
    name: "binary_cross_entropy",
    texts: { min: 2, max: 2 },
    label: "score",
    outputs: "score",
    range: [0, 1],
    options: { positiveWeight },
    paper: "Nogueira & Cho 2019, arXiv 1901.04085",
    apply: (tape, logits, labels) => ops.binaryCrossEntropy(tape, logits, labels!, positiveWeight),
  };
}
