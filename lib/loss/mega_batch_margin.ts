/**
 * Mega-batch margin loss: every anchor against the hardest of very many other positives.
 *
 * @module
 */
import { activate, add, affine, matmul, mean, multiply, normalize, rowMax, rowSum } from "../tensor/ops.ts";
import type { Loss } from "./loss.ts";
import { NEVER, pairMask } from "./masks.ts";

/** Options of {@linkcode megaBatchMargin}. */
export interface MegaBatchMarginOptions {
  /** The cosine that anchor and positive shall have at least. Default 0.8. */
  readonly positiveMargin?: number;
  /** The cosine that an anchor shall have at most with another one's positive. Default 0.3. */
  readonly negativeMargin?: number;
}

/**
 * L = mean_i max(0, m₊ − cos(aᵢ, pᵢ)) + max(0, max_{j ≠ i} cos(aᵢ, pⱼ) − m₋); a, p [B, D] → [1]
 *
 * Columns: anchor and positive; no label. The larger the batch, the harder the negatives: 500 rows and more; what does
 * not fit goes through the encoder in parts, with the same gradient. Source: Wieting & Gimpel 2018, doi
 * 10.18653/v1/P18-1042.
 *
 * @param options Both margins, as cosines.
 * @returns The loss, for pairs.
 *
 * @example
 * ```ts
 * import { megaBatchMargin, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const anchors = [[1, 0], [0, 1]];
 * const apart = await tryLoss(megaBatchMargin(), [anchors, [[2, 0], [0, 3]]]);
 * assert.equal(apart.value, 0); // a cosine of 1 with the own positive, of 0 with the other one
 * const swapped = await tryLoss(megaBatchMargin(), [anchors, [[0, 3], [2, 0]]]);
 * assert.ok(Math.abs(swapped.value - (0.8 + 0.7)) < 1e-6);
 * ```
 */
export function megaBatchMargin(options: MegaBatchMarginOptions = {}): Loss<"none"> {
  const { positiveMargin = 0.8, negativeMargin = 0.3 } = options;
  return {
    name: "mega_batch_margin",
    texts: { min: 2, max: 2 },
    label: "none",
    inBatch: true,
    options: { positiveMargin, negativeMargin },
    paper: "Wieting & Gimpel 2018, doi 10.18653/v1/P18-1042",
    apply(tape, columns) {
      const [anchors, positives] = columns.map((column) => normalize(tape, column));
      const cosines = matmul(tape, anchors!, positives!, { transposeB: true });
      const size = anchors!.value.shape[0]!;
      const own = pairMask(tape, [size, size], (i, j) => i === j);
      const positive = rowSum(tape, multiply(tape, anchors!, positives!));
      const hardest = rowMax(tape, add(tape, cosines, affine(tape, own, NEVER)));
      const near = activate(tape, "relu", affine(tape, positive, -1, positiveMargin));
      const far = activate(tape, "relu", affine(tape, hardest, 1, -negativeMargin));
      return mean(tape, add(tape, near, far));
    },
  };
}
