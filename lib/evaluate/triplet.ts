/**
 * Triplet accuracy: how often an anchor is nearer to its positive than to its negative.
 *
 * @module
 */
import { EvaluationError, UsageError } from "../error.ts";
import type { Values } from "../numeric/correlation.ts";
import { expectFinite } from "./expect.ts";
import { type Embeddings, pairwiseSimilarities, SIMILARITIES, type Similarity } from "../embed/pairwise.ts";

/** Accuracy by similarity, and the highest. */
export type TripletMetrics = {
  readonly [key in `${"cosine" | "manhattan" | "euclidean" | "dot" | "max"}_accuracy`]: number;
};

/**
 * Share of triplets whose positive is more similar to the anchor than the negative, by more than a margin:
 * sentence-transformers' `TripletEvaluator`.
 *
 * @param anchor [n, width] embeddings.
 * @param positive [n, width] embeddings.
 * @param negative [n, width] embeddings.
 * @param options The margin. Default 0.
 * @returns Accuracies by similarity, and the highest.
 * @throws {DatasetError} Embeddings of other rows or widths, or that are not finite.
 * @throws {EvaluationError} There are no triplets.
 * @throws {UsageError} A margin that is not a number.
 *
 * @example
 * ```ts
 * import { tripletMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const of = (...data: number[]) => ({ data: Float32Array.from(data), width: 2, rows: 1 });
 * assert.equal(tripletMetrics(of(1, 0), of(1, 0.2), of(0, 1)).cosine_accuracy, 1);
 * assert.equal(tripletMetrics(of(1, 0), of(1, 0.2), of(0, 1), { margin: 1 }).cosine_accuracy, 0);
 * ```
 */
export function tripletMetrics(
  anchor: Embeddings,
  positive: Embeddings,
  negative: Embeddings,
  options: { readonly margin?: number } = {},
): TripletMetrics {
  const count = tripletCounter(options);
  count.add(pairwiseSimilarities(anchor, positive), pairwiseSimilarities(anchor, negative));
  return count.metrics();
}

/** Triplets that are counted a few at a time. */
export interface TripletCounter {
  /**
   * Counts triplets by the similarities of their anchors with positives and with negatives. An `EvaluationError` where
   * these are not as many, or not finite.
   */
  readonly add: (near: Readonly<Record<Similarity, Values>>, far: Readonly<Record<Similarity, Values>>) => void;
  /** Accuracies of all triplets so far; an `EvaluationError` before the first one. */
  readonly metrics: () => TripletMetrics;
}

/**
 * The same for triplets that come a few at a time: nothing is kept of them.
 *
 * @param options The margin. Default 0.
 * @returns Counts, and tells the accuracies.
 * @throws {UsageError} A margin that is not a number.
 *
 * @example
 * ```ts
 * import { tripletCounter } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const of = (x: number) => ({ cosine: [x], dot: [x], euclidean: [x], manhattan: [x] });
 * const count = tripletCounter();
 * count.add(of(.9), of(.1));
 * count.add(of(.2), of(.3));
 * assert.equal(count.metrics().cosine_accuracy, .5);
 * ```
 */
export function tripletCounter(options: { readonly margin?: number } = {}): TripletCounter {
  const { margin = 0 } = options;
  if (!Number.isFinite(margin)) throw new UsageError("the margin is not a number", { found: String(margin) });
  const hits: Record<Similarity, number> = { cosine: 0, dot: 0, euclidean: 0, manhattan: 0 };
  let rows = 0;
  return {
    add(near, far) {
      for (const kind of SIMILARITIES) {
        for (const values of [near[kind], far[kind]]) expectFinite(kind, values, near.cosine.length);
        for (let i = 0; i < near[kind].length; i++) if (near[kind][i]! > far[kind][i]! + margin) hits[kind]++;
      }
      rows += near.cosine.length;
    },
    metrics() {
      if (rows === 0) throw new EvaluationError("there are no triplets", { expected: "at least one" });
      const metrics: Record<string, number> = {};
      for (const kind of SIMILARITIES) metrics[`${kind}_accuracy`] = hits[kind] / rows;
      metrics["max_accuracy"] = Math.max(...Object.values(metrics));
      return metrics as TripletMetrics;
    },
  };
}
