/**
 * What losses that learn from a teacher's scores have in common: the student's own scores of the documents of a row.
 *
 * @module
 */
import { concatColumns, matmul, multiply, normalize, reshape, rowSum } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";

/** What the student's score of a query and a document is. */
export type ScoreBy = "dot" | "cosine";

/** The score of each document for the query of its row; query [B, D], N documents [B, D] → [B, N] */
export function studentScores(tape: Tape, columns: readonly Tensor[], by: ScoreBy): Tensor {
  const [query, ...documents] = by === "dot" ? columns : columns.map((column) => normalize(tape, column));
  const rows = query!.value.shape[0]!;
  return concatColumns(
    tape,
    documents.map((document) => reshape(tape, rowSum(tape, multiply(tape, query!, document)), [rows, 1])),
  );
}

/** s₀ − sⱼ, [B, N + 1] → [B, N]: the product with a row of ones above −I */
export function marginsOf(tape: Tape, scores: Tensor): Tensor {
  const negatives = scores.value.shape[1]! - 1;
  const difference = new Float32Array((negatives + 1) * negatives).fill(1, 0, negatives);
  for (let j = 0; j < negatives; j++) difference[(j + 1) * negatives + j] = -1;
  return matmul(tape, scores, constant(tape.engine.upload(difference, [negatives + 1, negatives])));
}
