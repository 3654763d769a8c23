/**
 * How far apart the embeddings of a pair are.
 *
 * @module
 */
import { absolute, affine, multiply, normalize, rowNorm, rowSum, subtract } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** 1 − cos(u, v), ‖u − v‖₂ or ‖u − v‖₁. */
export type Distance = "cosine" | "euclidean" | "manhattan";

/** cos(uᵢ, vᵢ) by row, with PyTorch's ε of 1e-8; [B, D], [B, D] → [B] */
export function pairwiseCosine(tape: Tape, u: Tensor, v: Tensor): Tensor {
  return rowSum(tape, multiply(tape, normalize(tape, u, 1e-8), normalize(tape, v, 1e-8)));
}

/**
 * The distance of each row's two embeddings; [B, D], [B, D] → [B]
 *
 * `shift` is added to u − v: PyTorch's pairwise_distance keeps away from 0 by 1e-6. Two equal embeddings have a
 * gradient of 0 here in any case.
 */
export function pairwiseDistance(tape: Tape, kind: Distance, u: Tensor, v: Tensor, shift = 0): Tensor {
  if (kind === "cosine") return affine(tape, pairwiseCosine(tape, u, v), -1, 1);
  const difference = subtract(tape, u, v);
  const shifted = shift === 0 ? difference : affine(tape, difference, 1, shift);
  return kind === "euclidean" ? rowNorm(tape, shifted) : rowSum(tape, absolute(tape, shifted));
}
