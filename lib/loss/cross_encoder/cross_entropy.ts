/**
 * Cross-entropy: which class does the pair belong to?
 *
 * @module
 */
import * as ops from "../../tensor/ops.ts";
import type { CrossEncoderLoss } from "../cross_encoder_loss.ts";

/**
 * mean (logΣexp(z) − z[class]), z the logits of the classes
 *
 * Columns: two texts, and a class. The model has as many labels as there are classes, two or more. Source: Devlin et al.
 * 2018, arXiv 1810.04805.
 *
 * @example
 * ```ts
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(crossEncoder.crossEntropy().label, "class");
 * ```
 */
export function crossEntropy(): CrossEncoderLoss<"class"> {
  return {
    name: "cross_entropy",
    texts: { min: 2, max: 2 },
    label: "class",
    outputs: "classes",
    options: {},
    paper: "Devlin et al. 2018, arXiv 1810.04805",
    apply: (tape, logits, labels) => ops.crossEntropy(tape, logits, labels!),
  };
}
