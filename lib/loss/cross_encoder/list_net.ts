/**
 * ListNet: the scores of a list shall make the distribution that its labels make.
 *
 * @module
 */
import { embedding, segmentLogSumExp, segmentsOf, subtract } from "../../tensor/ops.ts";
import type { LogitActivation } from "../cross_encoder_loss.ts";
import type { ListLoss } from "../list_loss.ts";
import { activated } from "./activation.ts";
import { column, listsOf, weightedSum } from "./lists.ts";

/** Options of {@linkcode listNet}. */
export interface ListNetOptions {
  /** What scores are: the logits, or σ of them. Default identity. */
  readonly activation?: LogitActivation;
}

/**
 * L = mean over lists of −Σᵢ pᵢ log softmax(s)ᵢ, p = softmax(labels); scores s [n, 1] → [1]
 *
 * Rows: a query, its documents, and a label for each, 0 and 1 or graded. The model has one label. Source: Cao et al. 2007,
 * Learning to Rank: From Pairwise Approach to Listwise Approach, doi 10.1145/1273496.1273513 (its top-one probabilities).
 *
 * @param options Logits, or σ of them.
 * @returns The loss, for lists.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Scores that differ as the labels do are right: nothing pulls at them.
 * const { gradients } = await tryLoss(crossEncoder.listNet(), [[[5, 4], [1, 1]]], [2, 1, 1, 1]);
 * assert.ok(gradients[0]!.flat().every((gradient) => Math.abs(gradient) < 1e-6));
 * ```
 */
export function listNet(options: ListNetOptions = {}): ListLoss {
  const { activation = "identity" } = options;
  return {
    name: "list_net",
    label: "list",
    outputs: "score",
    options: { activation },
    paper: "Cao et al. 2007, doi 10.1145/1273496.1273513",
    countOf: () => 1,
    total(tape, logits, lists) {
      const scores = activated(tape, logits, activation);
      const wanted = new Float32Array(lists.labels.length);
      const own = listsOf(lists);
      for (const [from, to] of own) wanted.set(softmax(lists.labels.subarray(from, to)), from);
      const segments = segmentsOf(tape, own.map(([from, to]) => to - from));
      const normalizers = embedding(tape, segmentLogSumExp(tape, scores, segments), segments.ids);
      const sum = weightedSum(tape, subtract(tape, normalizers, scores), column(tape, wanted));
      return { sum, count: own.length };
    },
  };
}

function softmax(values: Float32Array): number[] {
  const most = values.reduce((a, b) => Math.max(a, b));
  const powers = Array.from(values, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}
