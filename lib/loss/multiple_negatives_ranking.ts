/**
 * Multiple-negatives ranking loss: every anchor shall find its own positive among those of the whole batch.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { add, affine, concatColumns, concatRows, crossEntropy, matmul, normalize } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { NEVER, pairMask } from "./masks.ts";

/** Which similarities compete with that of anchor and positive. */
export type Direction = "query_to_doc" | "doc_to_query" | "query_to_query" | "doc_to_doc";

/** Which negatives weigh more the nearer they are: those of other rows, a row's own, or both. */
export type Hardness = "in_batch_negatives" | "hard_negatives" | "all_negatives";

/** Options of {@linkcode multipleNegativesRanking}. */
export interface MultipleNegativesRankingOptions {
  /** Inverse temperature s: what cosines are multiplied by. Default 20. */
  readonly scale?: number;
  /** Which similarities compete. Default: `["query_to_doc"]`, which is always needed. */
  readonly directions?: readonly Direction[];
  /** One softmax over all directions, or the mean of one each (query_to_doc and doc_to_query only). Default joint. */
  readonly partitionMode?: "joint" | "per_direction";
  /**
   * Adds `strength` · cos, without its gradient, to the logits of these negatives. Default: none. Lan et al. 2025, arXiv
   * 2503.04812, use 9 for in-batch negatives; Schechter Vera et al. 2025, arXiv 2509.20354, 5 for hard negatives.
   */
  readonly hardness?: { readonly among: Hardness; readonly strength: number };
}

/**
 * L = −mean logsoftmax(s · cos(aᵢ, dⱼ))ᵢᵢ over all documents d of the batch: the positives, then the explicit negatives;
 * each column [B, D] → [1]
 *
 * Columns: anchor, positive, then any number of negatives; no label. Equal texts within a batch would be taken for
 * negatives of each other, so the sampler keeps them apart. Source: Henderson et al. 2017, arXiv 1705.00652; van den
 * Oord et al. 2018, arXiv 1807.03748.
 *
 * @param options Scale, directions, and what negatives weigh.
 * @returns The loss, for pairs, triplets and tuples.
 * @throws {UsageError} Directions without `query_to_doc`, or that `per_direction` does not know; a strength that is not
 *   above 0.
 *
 * @example
 * ```ts
 * import { multipleNegativesRanking, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Two anchors at a right angle, each with its own positive: scale 1 makes it softmax of (1, 0).
 * const { value } = await tryLoss(multipleNegativesRanking({ scale: 1 }), [[[1, 0], [0, 1]], [[3, 0], [0, 2]]]);
 * assert.ok(Math.abs(value - Math.log(1 + Math.exp(-1))) < 1e-6);
 * // A negative of their own for each, as a third column: now every anchor must beat three documents.
 * const triplets = [[[1, 0], [0, 1]], [[3, 0], [0, 2]], [[1, 1], [1, 1]]];
 * assert.ok((await tryLoss(multipleNegativesRanking({ scale: 1 }), triplets)).value > value);
 * ```
 */
export function multipleNegativesRanking(options: MultipleNegativesRankingOptions = {}): Loss<"none"> {
  const { scale = 20, directions = ["query_to_doc"], partitionMode = "joint", hardness } = options;
  if (!directions.includes("query_to_doc")) {
    throw new UsageError("the direction query_to_doc is always needed", {
      found: directions.length === 0 ? "none" : directions.join(", "),
    });
  }
  if (partitionMode === "per_direction" && directions.some((d) => d !== "query_to_doc" && d !== "doc_to_query")) {
    throw new UsageError("per_direction allows only query_to_doc and doc_to_query", { found: directions.join(", ") });
  }
  if (hardness !== undefined && !(hardness.strength > 0)) {
    throw new UsageError("the strength of hardness must be above 0", { found: `${hardness.strength}` });
  }
  const weighting = hardness && { hardness: hardness.among, hardnessStrength: hardness.strength };
  return {
    name: "multiple_negatives_ranking",
    texts: { min: 2, max: Infinity },
    label: "none",
    inBatch: true,
    options: { scale, directions, partitionMode, ...weighting },
    paper: "Henderson et al. 2017, arXiv 1705.00652",
    apply(tape, columns) {
      const { engine } = tape;
      const [queries, ...documents] = columns.map((column) => normalize(tape, column));
      const size = queries!.value.shape[0]!;
      const all = documents.length === 1 ? documents[0]! : concatRows(tape, documents);
      const similarity = (a: Tensor, b: Tensor) => matmul(tape, a, b, { transposeB: true, scale });
      const own = engine.upload(Int32Array.from({ length: size }, (_, i) => i), [size]);
      const scores = (direction: Direction): Tensor => {
        switch (direction) {
          case "query_to_doc":
            return harder(tape, similarity(queries!, all), scale, hardness);
          case "doc_to_query": // of positive i to every query
            return similarity(documents[0]!, queries!);
          case "query_to_query":
            return without(tape, similarity(queries!, queries!), (i, j) => i === j);
          case "doc_to_doc": // documents of the same query do not compete
            return without(tape, similarity(documents[0]!, all), (i, j) => i === j % size);
        }
      };
      if (partitionMode === "per_direction") {
        const losses = directions.map((direction) => crossEntropy(tape, scores(direction), own));
        return affine(tape, losses.reduce((sum, loss) => add(tape, sum, loss)), 1 / losses.length);
      }
      // The target is in query_to_doc; where doc_to_query competes as well, its own diagonal is the same pair again.
      const ordered = ["query_to_doc", ...directions.filter((d) => d !== "query_to_doc")] as Direction[];
      const parts = ordered.map(scores);
      return crossEntropy(tape, parts.length === 1 ? parts[0]! : concatColumns(tape, parts), own);
    },
  };
}

/** s · cos + strength · cos at the chosen negatives; document j is one of query i's own where i ≡ j modulo B. */
function harder(
  tape: Tape,
  scores: Tensor,
  scale: number,
  hardness: MultipleNegativesRankingOptions["hardness"],
): Tensor {
  if (hardness === undefined) return scores;
  const { among, strength } = hardness;
  const [rows, columns] = scores.value.shape as [number, number];
  const chosen = pairMask(tape, [rows, columns], (i, j) => {
    if (i !== j % rows) return among !== "hard_negatives";
    return j >= rows && among !== "in_batch_negatives";
  });
  const weights = tape.engine.affine(chosen.value, strength / scale);
  return add(tape, scores, constant(tape.engine.binary("multiply", scores.value, weights)));
}

/** Similarities of which some must not count. */
function without(tape: Tape, scores: Tensor, masked: (i: number, j: number) => boolean): Tensor {
  return add(tape, scores, affine(tape, pairMask(tape, scores.value.shape as [number, number], masked), NEVER));
}
