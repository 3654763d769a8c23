/**
 * AnglE loss: CoSENT over a similarity whose gradient does not vanish where the cosine is flat.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { absolute, add, affine, multiply, normalize, rowSum, sliceColumns, subtract } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type CosentOptions, rankingOfPairs } from "./cosent.ts";
import type { Loss } from "./loss.ts";

/**
 * L = log (1 + Σ exp(s · a(uᵢ, vᵢ) − s · a(uⱼ, vⱼ))) over the pairs i, j of the batch with scoreᵢ < scoreⱼ;
 * a = |û·v̂ + Σ (û″ v̂′ − û′ v̂″)|, ′ and ″ the halves of a vector, its real and imaginary part; u, v [B, D], scores [B]
 * → [1]
 *
 * Columns: two texts, and a score, of which only the order counts. Source: Li & Li 2023, arXiv 2309.12871.
 *
 * @param options Scale.
 * @returns The loss, for pairs with a score. For embeddings of odd width its `apply` throws a `UsageError`.
 *
 * @example
 * ```ts
 * import { angle, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // As complex numbers: 1 beside 1, and 1 beside 1 + i, for which a is 0.
 * const columns = [[[1, 0], [1, 0]], [[1, 0], [1, 1]]];
 * const right = await tryLoss(angle(), columns, [0.9, 0.1]);
 * const wrong = await tryLoss(angle(), columns, [0.1, 0.9]);
 * assert.ok(right.value < wrong.value);
 * ```
 */
export function angle(options: CosentOptions = {}): Loss<"score"> {
  const { scale = 20 } = options;
  return {
    name: "angle",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: { scale },
    paper: "Li & Li 2023, arXiv 2309.12871",
    apply: (tape, [u, v], labels) => rankingOfPairs(tape, affine(tape, angleSimilarity(tape, u!, v!), scale), labels!),
  };
}

/** a(uᵢ, vᵢ) by row; [B, D], [B, D] → [B] */
function angleSimilarity(tape: Tape, u: Tensor, v: Tensor): Tensor {
  const width = u.value.shape[1]!;
  if (width % 2 !== 0) throw new UsageError("angle needs embeddings of even width", { found: `${width}` });
  const halves = (x: Tensor) => [sliceColumns(tape, x, 0, width / 2), sliceColumns(tape, x, width / 2, width)] as const;
  const [a, b] = [normalize(tape, u), normalize(tape, v)];
  const [[a1, a2], [b1, b2]] = [halves(a), halves(b)];
  const cosine = rowSum(tape, multiply(tape, a, b));
  const sine = rowSum(tape, subtract(tape, multiply(tape, a2, b1), multiply(tape, a1, b2)));
  return absolute(tape, add(tape, cosine, sine));
}
