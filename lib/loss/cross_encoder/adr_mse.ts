/**
 * ADR-MSE: the rank that the scores give a document shall be the rank that its label gives it.
 *
 * @module
 */
import { UsageError } from "../../error.ts";
import { affine, embedding, sigmoid, square, subtract, sumRowsBy } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { LogitActivation } from "../cross_encoder_loss.ts";
import type { ListLoss, Lists } from "../list_loss.ts";
import { activated } from "./activation.ts";
import { column, listsOf, pairsWithin, uploadPlaces, weightedSum } from "./lists.ts";

/** Options of {@linkcode adrMse}. */
export interface AdrMseOptions {
  /** How sharply scores become ranks, α. Default 1. */
  readonly alpha?: number;
  /** What scores are: the logits, or σ of them. Default identity. */
  readonly activation?: LogitActivation;
}

/**
 * L = mean over documents of (rᵢ − r̂ᵢ)² / log₂(1 + rᵢ), r̂ᵢ = 1 + Σⱼ≠ᵢ σ(α (sⱼ − sᵢ)); scores s [n, 1] → [1]
 *
 * rᵢ is the rank by labels within the list, of equal labels their mean rank, which equal scores can reach. Rows: a query,
 * its documents, and a label for each. The model has one label. Source: Schlatt et al. 2025, Rank-DistiLLM, arXiv
 * 2405.07920.
 *
 * @param options How sharply scores become ranks.
 * @returns The loss, for lists.
 * @throws {UsageError} An α that is not above 0.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = crossEncoder.adrMse();
 * // Equal labels share a rank, and equal scores do.
 * assert.ok((await tryLoss(loss, [[[7, 7, 7]]], [1, 1, 1])).value < 1e-12);
 * assert.ok((await tryLoss(loss, [[[9, 0]]], [1, 0])).value < (await tryLoss(loss, [[[0, 9]]], [1, 0])).value);
 * ```
 */
export function adrMse(options: AdrMseOptions = {}): ListLoss {
  const { alpha = 1, activation = "identity" } = options;
  if (!(alpha > 0 && Number.isFinite(alpha))) {
    throw new UsageError("alpha must be above 0", { expected: "a number above 0", found: `${alpha}` });
  }
  return {
    name: "adr_mse",
    label: "list",
    outputs: "score",
    options: { alpha, activation },
    paper: "Schlatt et al. 2025, arXiv 2405.07920",
    countOf: ({ length }) => length,
    total(tape, logits, lists) {
      const scores = activated(tape, logits, activation);
      const wanted = ranksByLabel(lists);
      const { first, second } = pairsWithin(lists, (i, j) => i !== j);
      const target = column(tape, wanted.map((rank) => rank - 1));
      // A document alone has rank 1, which no score changes.
      const above = first.length === 0 ? affine(tape, scores, 0) : ranksAbove(tape, scores, first, second, alpha);
      const errors = square(tape, subtract(tape, above, target));
      const sum = weightedSum(tape, errors, column(tape, wanted.map((rank) => 1 / Math.log2(1 + rank))));
      return { sum, count: wanted.length };
    },
  };
}

/** Σⱼ σ(α (sⱼ − sᵢ)) over the pairs of i and j: [n, 1] */
function ranksAbove(tape: Tape, scores: Tensor, first: Int32Array, second: Int32Array, alpha: number): Tensor {
  const own = uploadPlaces(tape, first);
  const lead = subtract(tape, embedding(tape, scores, uploadPlaces(tape, second)), embedding(tape, scores, own));
  return sumRowsBy(tape, sigmoid(tape, affine(tape, lead, alpha)), own, scores.value.shape[0]!);
}

/** Ranks by label within each list, from 1; equal labels have their mean rank: [n] */
function ranksByLabel(lists: Lists): Float32Array {
  const ranks = new Float32Array(lists.labels.length);
  for (const [from, to] of listsOf(lists)) {
    const labels = lists.labels.subarray(from, to);
    labels.forEach((label, i) => {
      const higher = labels.filter((other) => other > label).length;
      const equal = labels.filter((other) => other === label).length;
      ranks[from + i] = higher + (equal + 1) / 2;
    });
  }
  return ranks;
}
