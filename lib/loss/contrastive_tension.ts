/**
 * Contrastive Tension: two encoders with weights of their own must agree on a text, and on nothing else.
 *
 * @module
 */
import {
  add,
  affine,
  binaryCrossEntropy,
  crossEntropy,
  exponential,
  matmul,
  multiply,
  normalize,
  rowSum,
} from "../tensor/ops.ts";
import type { Loss } from "./loss.ts";

const PAPER = "Carlsson et al. 2021, Semantic Re-tuning with Contrastive Tension, ICLR";

/**
 * L = Σᵢ −(yᵢ log σ(uᵢ·vᵢ) + (1 − yᵢ) log(1 − σ(uᵢ·vᵢ))); u, v [B, D], y [B] → [1]: a sum, as in the paper, not a mean
 *
 * Columns: two texts, and a score of 1 where they are the same text, else 0; u is embedded by the one model, v by the
 * other. Source: Carlsson et al. 2021, https://openreview.net/pdf?id=Ov_sMNau-PF.
 *
 * @returns The loss, for pairs with a score of 0 or 1; `contrastiveTensionObjective` makes the pairs and has the models.
 *
 * @example
 * ```ts
 * import { contrastiveTension, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Embeddings at a right angle: the dot product 0 says nothing, and costs log 2 for each pair.
 * const { value } = await tryLoss(contrastiveTension(), [[[1, 0], [0, 1]], [[0, 1], [1, 0]]], [1, 0]);
 * assert.ok(Math.abs(value - 2 * Math.log(2)) < 1e-6);
 * ```
 */
export function contrastiveTension(): Loss<"score"> {
  return {
    name: "contrastive_tension",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: {},
    paper: PAPER,
    apply(tape, [u, v], labels) {
      const products = rowSum(tape, multiply(tape, u!, v!));
      return affine(tape, binaryCrossEntropy(tape, products, labels!), products.value.shape[0]!);
    },
  };
}

/** Options of {@linkcode contrastiveTensionInBatch}. */
export interface ContrastiveTensionInBatchOptions {
  /** What cosines are multiplied by at first: e^t, of which t is trained. Default 20. */
  readonly scale?: number;
}

/**
 * L = ½ (−mean logsoftmax(S)ᵢᵢ − mean logsoftmax(Sᵀ)ᵢᵢ) with Sᵢⱼ = eᵗ cos(uᵢ, vⱼ); u, v [B, D] → [1]; t [1] begins at
 * log(scale) and is trained
 *
 * Columns: the same text twice, no label; u is embedded by the one model, v by the other. Equal texts within a batch would
 * be taken for negatives of each other, so the sampler keeps them apart. Source: sentence-transformers'
 * ContrastiveTensionLossInBatchNegatives, after Carlsson et al. 2021.
 *
 * @param options The scale at the start.
 * @returns The loss, for pairs; `contrastiveTensionObjective` has the models.
 *
 * @example
 * ```ts
 * import { contrastiveTensionInBatch, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Two texts at a right angle, on which both models agree: both softmaxes are those of (1, 0).
 * const same = [[1, 0], [0, 1]];
 * const { value } = await tryLoss(contrastiveTensionInBatch({ scale: 1 }), [same, same]);
 * assert.ok(Math.abs(value - Math.log(1 + Math.exp(-1))) < 1e-6);
 * ```
 */
export function contrastiveTensionInBatch(options: ContrastiveTensionInBatchOptions = {}): Loss<"none"> {
  const { scale = 20 } = options;
  return {
    name: "contrastive_tension_in_batch",
    texts: { min: 2, max: 2 },
    label: "none",
    inBatch: true,
    options: { scale },
    paper: PAPER,
    head: () => ({ logit_scale: { shape: [1], data: Float32Array.of(Math.log(scale)), trained: true } }),
    apply(tape, [u, v], _, head) {
      const { engine } = tape;
      const size = u!.value.shape[0]!;
      const own = engine.upload(Int32Array.from({ length: size }, (_, i) => i), [size]);
      const [a, b] = [normalize(tape, u!), normalize(tape, v!)];
      const factor = exponential(tape, head["logit_scale"]!);
      const [there, back] = ([[a, b], [b, a]] as const).map(([from, to]) =>
        crossEntropy(tape, multiply(tape, matmul(tape, from, to, { transposeB: true }), factor), own)
      );
      return affine(tape, add(tape, there!, back!), 0.5);
    },
  };
}
