/**
 * Margin-MSE loss: a student learns by how much its teacher prefers one document to another.
 *
 * @module
 */
import { mean, multiply, rowSum, square, subtract } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

/**
 * mean (q·p − q·n − margin)²
 *
 * Columns: query, positive, negative, and as score the teacher's score of (query, positive) minus that of
 * (query, negative). Source: Hofstätter et al. 2020, arXiv 2010.02666.
 *
 * @example
 * ```ts
 * import { marginMse } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(marginMse().texts.min, 3);
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
