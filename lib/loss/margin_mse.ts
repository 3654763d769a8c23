/**
 * Margin-MSE loss: a student learns by how much its teacher prefers one document to another.
 *
 * @module
 */
import { mean, multiply, rowSum, square, subtract } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

/**
 * L = mean (q·p − q·n − margin)²; q, p, n [B, D], margins [B] → [1]
 *
 * Columns: query, positive, negative, and as score the teacher's score of (query, positive) minus that of
 * (query, negative). Source: Hofstätter et al. 2020, arXiv 2010.02666.
 *
 * @returns The loss, for triplets with a score.
 *
 * @example
 * ```ts
 * import { marginMse, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // The student prefers the positive by 2 − 1, the teacher by 3.
 * const { value } = await tryLoss(marginMse(), [[[1, 0]], [[2, 5]], [[1, 7]]], [3]);
 * assert.equal(value, (1 - 3) ** 2);
 * ```
 */
export function marginMse(): Loss<"score"> {
  return {
    name: "margin_mse",
    texts: { min: 3, max: 3 },
    label: "score",
    inBatch: false,
    options: {},
    paper: "Hofstätter et al. 2020, arXiv 2010.02666",
    apply(tape, [query, positive, negative], labels) {
      const margin = rowSum(tape, multiply(tape, subtract(tape, positive!, negative!), query!));
      return mean(tape, square(tape, subtract(tape, margin, constant(labels!))));
    },
  };
}
