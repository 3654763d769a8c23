/**
 * Cross-entropy: which class does the pair belong to?
 *
 * @module
 */
import * as ops from "../../tensor/ops.ts";
import type { CrossEncoderLoss } from "../cross_encoder_loss.ts";

/**
 * L = mean (logΣexp(z) − z[class]), z the logits of the classes; logits [B, classes], classes [B] → [1]
 *
 * Columns: two texts, and a class. The model has as many labels as there are classes, two or more. Source: Devlin et al.
 * 2018, arXiv 1810.04805.
 *
 * @returns The loss, for pairs with a class.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // The model says class 1 of both pairs, which is wrong of the second.
 * const { gradients } = await tryLoss(crossEncoder.crossEntropy(), [[[0, 9, 0], [0, 9, 0]]], [1, 2]);
 * assert.ok(Math.abs(gradients[0]![0]![1]!) < 0.001 && gradients[0]![1]![1]! > 0.49);
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
