/**
 * Margin-MSE loss: a student learns by how much its teacher prefers one document to another.
 *
 * @module
 */
import { mean, reshape, square, subtract } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { marginsOf, type ScoreBy, studentScores } from "./teacher_scores.ts";

/** Options of {@linkcode marginMse}. */
export interface MarginMseOptions {
  /** The student's scores: dot products or cosines. Default dot. */
  readonly similarity?: ScoreBy;
}

/**
 * L = mean (q·p − q·nⱼ − mⱼ)²; q, p, nⱼ [B, D], margins m [B] or [B, N] → [1]
 *
 * Columns: query, positive, N ≥ 1 negatives, and as score either the N margins or the teacher's N + 1 scores s of all
 * documents with mⱼ = s₀ − sⱼ. Source: Hofstätter et al. 2020, arXiv 2010.02666.
 *
 * @param options What the student's scores are.
 * @returns The loss, for triplets and tuples with one or several scores.
 *
 * @example
 * ```ts
 * import { marginMse, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // The student prefers the positive by 2 − 1, the teacher by 3 …
 * const columns = [[[1, 0]], [[2, 5]], [[1, 7]]];
 * assert.equal((await tryLoss(marginMse(), columns, [3])).value, (1 - 3) ** 2);
 * // … or is given by its scores of both.
 * assert.equal((await tryLoss(marginMse(), columns, [9, 6])).value, (1 - 3) ** 2);
 * ```
 */
export function marginMse(options: MarginMseOptions = {}): Loss<"score"> {
  const { similarity = "dot" } = options;
  return {
    name: "margin_mse",
    texts: { min: 3, max: Infinity },
    label: "score",
    inBatch: false,
    labelWidths: (columns) => [columns - 2, columns - 1],
    options: { similarity },
    paper: "Hofstätter et al. 2020, arXiv 2010.02666",
    apply(tape, columns, labels) {
      const scores = studentScores(tape, columns, similarity);
      const [rows, documents] = scores.value.shape as [number, number];
      const given = labels!.shape.length === 1 ? reshape(tape, constant(labels!), [rows, 1]) : constant(labels!);
      const margins = given.value.shape[1] === documents ? marginsOf(tape, given) : given;
      return mean(tape, square(tape, subtract(tape, marginsOf(tape, scores), margins)));
    },
  };
}
