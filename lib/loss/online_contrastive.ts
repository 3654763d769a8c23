/**
 * Online contrastive loss: the contrastive loss of a batch's hard pairs alone.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import { activate, add, affine, multiply, square, sum } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import { type ContrastiveOptions, PAIRWISE_SHIFT } from "./contrastive.ts";
import { pairwiseDistance } from "./distance.ts";
import type { Loss } from "./loss.ts";
import { NEVER } from "./masks.ts";

/**
 * L = Σ d² over the hard positives + Σ max(0, m − d)² over the hard negatives, d = distance(u, v); u, v [B, D], y [B] →
 * [1]
 *
 * A negative is hard if it is nearer than the batch's farthest positive, a positive if it is farther than the nearest
 * negative; without pairs of the other kind, the mean distance of its own kind takes their place. It is a sum: its size
 * depends on the batch.
 *
 * Columns: two texts, and a score y: 1 if they mean the same, 0 if not. Source: Reimers et al., sentence-transformers.
 *
 * @param options Distance and margin.
 * @returns The loss, for pairs with a score.
 *
 * @example
 * ```ts
 * import { onlineContrastive, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Equal pairs 1 and 3 apart, different ones 2 and 4: only the pairs at 3 and 2 are on the wrong side of each other.
 * const loss = onlineContrastive({ distance: "manhattan", margin: 5 });
 * const { gradients } = await tryLoss(loss, [[[0], [0], [0], [0]], [[1], [3], [2], [4]]], [1, 1, 0, 0]);
 * assert.deepEqual(gradients[1]!.map(([x]) => Math.sign(x!)), [0, 1, -1, 0]);
 * ```
 */
export function onlineContrastive(options: ContrastiveOptions = {}): Loss<"score"> {
  const { distance = "cosine", margin = 0.5 } = options;
  return {
    name: "online_contrastive",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: { distance, margin },
    paper: "Reimers et al., sentence-transformers (OnlineContrastiveLoss)",
    apply(tape, [u, v], labels) {
      const { engine } = tape;
      const d = pairwiseDistance(tape, distance, u!, v!, PAIRWISE_SHIFT);
      const hard = hardPairs(engine, d.value, labels!);
      const lacking = activate(tape, "relu", affine(tape, d, -1, margin));
      const pulled = multiply(tape, square(tape, d), constant(hard.positive));
      const pushed = multiply(tape, square(tape, lacking), constant(hard.negative));
      return sum(tape, add(tape, pulled, pushed));
    },
  };
}

/** 1 for the hard pairs of each kind, 0 for all others; d, y [B] → [B]. On the device: no step waits for the host. */
function hardPairs(engine: Engine, d: Handle, y: Handle): { readonly positive: Handle; readonly negative: Handle } {
  const not = engine.affine(y, -1, 1);
  const above = (x: Handle, limit: Handle): Handle =>
    engine.activate("relu", engine.unary("sign", engine.binary("subtract", x, limit)));
  /** max of x over the rows with `among` = 1, or, if there are none, the mean of x over the others. */
  const limit = (x: Handle, among: Handle, others: Handle): Handle => {
    const listed = engine.binary("add", x, engine.affine(among, -NEVER, NEVER));
    const most = engine.reshape(engine.rowReduce("max", engine.reshape(listed, [1, x.shape[0]!])), [1]);
    const present = engine.unary("sign", engine.sum(among));
    const count = engine.binary("maximum", engine.sum(others), engine.upload(Float32Array.of(1), [1]));
    const average = engine.binary("divide", engine.sum(engine.binary("multiply", x, others)), count);
    return engine.binary(
      "add",
      engine.binary("multiply", most, present),
      engine.binary("multiply", average, engine.affine(present, -1, 1)),
    );
  };
  const near = engine.affine(d, -1);
  return {
    positive: engine.binary("multiply", y, above(d, engine.affine(limit(near, not, y), -1))),
    negative: engine.binary("multiply", not, above(near, engine.affine(limit(d, y, not), -1))),
  };
}
