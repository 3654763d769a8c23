/**
 * Mega-batch margin loss: every anchor against the hardest of very many other positives.
 *
 * @module
 */
import { activate, add, affine, matmul, mean, multiply, normalize, rowMax, rowSum } from "../tensor/ops.ts";
import { pairMask } from "./class_distances.ts";
import type { Loss } from "./loss.ts";

/** Options of {@linkcode megaBatchMargin}. */
export interface MegaBatchMarginOptions {
  /** The cosine that anchor and positive shall have at least. Default .8 */
  readonly positiveMargin?: number;
  /** The cosine that an anchor shall have at most with another one's positive. Default .3 */
  readonly negativeMargin?: number;
}

/** What a masked similarity becomes. */
const NEVER = -1e30;

/**
 * mean_i max(0, m₊ − cos(aᵢ, pᵢ)) + max(0, max_{j ≠ i} cos(aᵢ, pⱼ) − m₋)
 *
 * Columns: anchor and positive; no label. The larger the batch, the harder the negatives: 500 rows and more; what does
 * not fit goes through the encoder in parts, with the same gradient. Source: Wieting & Gimpel 2018, doi
 * 10.18653/v1/P18-1042.
 *
 * @example
 * ```ts
 * import { megaBatchMargin } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(megaBatchMargin().options["positiveMargin"], 0.8);
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
      const own = pairMask(tape, anchors!.value.shape[0]!, (i, j) => i === j);
      const positive = rowSum(tape, multiply(tape, anchors!, positives!));
      const hardest = rowMax(tape, add(tape, cosines, affine(tape, own, NEVER)));
      const near = activate(tape, "relu", affine(tape, positive, -1, positiveMargin));
      const far = activate(tape, "relu", affine(tape, hardest, 1, -negativeMargin));
      return mean(tape, add(tape, near, far));
    },
  };
}
