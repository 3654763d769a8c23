/**
 * Cosine-similarity loss: the cosine of a pair shall be its score.
 *
 * @module
 */
import { constant } from "../tensor/tensor.ts";
import { mean, multiply, normalize, rowSum, square, subtract } from "../tensor/ops.ts";
import type { Loss } from "./loss.ts";

/**
 * mean (cos(u, v) − score)²
 *
 * Columns: two texts, and a score, usually in [0, 1]. Source: Reimers & Gurevych 2019, arXiv 1908.10084.
 *
 * @example
 * ```ts
 * import { cosineSimilarity } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(cosineSimilarity().label, "score");
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
    apply(tape, [u, v], labels) {
      const cosine = rowSum(tape, multiply(tape, normalize(tape, u!, 1e-8), normalize(tape, v!, 1e-8)));
      return mean(tape, square(tape, subtract(tape, cosine, constant(labels!))));
    },
  };
}
