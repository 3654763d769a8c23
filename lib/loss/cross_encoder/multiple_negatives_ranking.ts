/**
 * Multiple-negatives ranking: the positive shall beat a few texts of other rows, and the row's own negatives.
 *
 * @module
 */
import { expectWholeNumber } from "../../expect.ts";
import { affine, crossEntropy } from "../../tensor/ops.ts";
import type { CrossEncoderLoss, LogitActivation } from "../cross_encoder_loss.ts";
import { activated } from "./activation.ts";

/** Options of {@linkcode multipleNegativesRanking}. */
export interface MultipleNegativesRankingOptions {
  /** How many texts of other rows compete in each row; as many as there are, if fewer. Default 4. */
  readonly negatives?: number;
  /** Inverse temperature s. Default 10. */
  readonly scale?: number;
  /** What is scaled: σ of the logit, or the logit. Default sigmoid. */
  readonly activation?: LogitActivation;
}

/**
 * L = mean (logΣⱼ exp(s f(zⱼ)) − s f(z₀)); z₀ is the positive's logit, the others those of the other candidates;
 * logits [B, candidates] → [1]
 *
 * Columns: query, positive, and any number of negatives; no label. Texts of other rows, positives or negatives, are drawn
 * without replacement. Equal texts within a batch would be taken for negatives of each other, so the sampler keeps them
 * apart. The model has one label. Source: Henderson et al. 2017, arXiv 1705.00652, as sentence-transformers applies it to
 * cross-encoders. A batch above the budget of memory is split, a row above it goes through gradient caching, with the same
 * gradient: what sentence-transformers has a `CachedMultipleNegativesRankingLoss` for.
 *
 * @param options How many texts of other rows compete, and the scale.
 * @returns The loss, for pairs, triplets and tuples.
 * @throws {UsageError} A number of negatives that is not a whole number from 0.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = crossEncoder.multipleNegativesRanking({ scale: 1, activation: "identity" });
 * // The positive is first; four candidates that the model cannot tell apart leave it one chance in four.
 * assert.ok(Math.abs((await tryLoss(loss, [[[2, 2, 2, 2]]])).value - Math.log(4)) < 1e-6);
 * ```
 */
export function multipleNegativesRanking(options: MultipleNegativesRankingOptions = {}): CrossEncoderLoss<"none"> {
  const { negatives = 4, scale = 10, activation = "sigmoid" } = options;
  expectWholeNumber("negatives", negatives, 0);
  return {
    name: "multiple_negatives_ranking",
    texts: { min: 2, max: Infinity },
    label: "none",
    outputs: "score",
    inBatchNegatives: negatives,
    options: { negatives, scale, activation },
    paper: "Henderson et al. 2017, arXiv 1705.00652",
    apply(tape, logits) {
      const rows = logits.value.shape[0]!;
      const scores = affine(tape, activated(tape, logits, activation), scale);
      return crossEntropy(tape, scores, tape.engine.upload(new Int32Array(rows), [rows]));
    },
  };
}
