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
  /** How much a positive pair counts, for data with few of them. Default 1. */
  readonly positiveWeight?: number;
}

/**
 * −mean (w y log σ(z) + (1 − y) log(1 − σ(z))), z the logit
 *
 * Columns: two texts, and a score in [0, 1]; a class 0 or 1 is one. The model has one label. Source: Nogueira & Cho 2019,
 * arXiv 1901.04085.
 *
 * @example
 * ```ts
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(crossEncoder.binaryCrossEntropy({ positiveWeight: 4 }).outputs, "score");
 * ```
 */
export function binaryCrossEntropy(options: BinaryCrossEntropyOptions = {}): CrossEncoderLoss<"score"> {
  const { positiveWeight = 1 } = options;
  if (!(positiveWeight > 0 && Number.isFinite(positiveWeight))) {
    throw new UsageError("the weight of positives must be above 0", { found: `${positiveWeight}` });
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
