/**
 * Cosine-similarity loss: the cosine of a pair shall be its score.
 *
 * @module
 */
import { mean, square, subtract } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import { pairwiseCosine } from "./distance.ts";
import type { Loss } from "./loss.ts";

/**
 * L = mean (cos(u, v) − score)²; u, v [B, D], scores [B] → [1]
 *
 * Columns: two texts, and a score, usually in [0, 1]. Source: Reimers & Gurevych 2019, arXiv 1908.10084.
 *
 * @returns The loss, for pairs with a score.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Two pairs at a right angle, with scores of 0 and 0.5.
 * const { value } = await tryLoss(cosineSimilarity(), [[[1, 0], [0, 2]], [[0, 1], [3, 0]]], [0, 0.5]);
 * assert.equal(value, (0 + 0.25) / 2);
 * ```
 */
export function cosineSimilarity(): Loss<"score"> {
  return {
    name: "cosine_similarity",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: {},
    paper: "Reimers & Gurevych 2019, arXiv 1908.10084",
    apply: (tape, [u, v], labels) =>
      mean(tape, square(tape, subtract(tape, pairwiseCosine(tape, u!, v!), constant(labels!)))),
  };
}
