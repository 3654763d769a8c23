/**
 * CoSENT loss: pairs with a higher score shall have a higher cosine.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import { add, affine, concatColumns, crossEntropy, reshape, subtract, transpose } from "../tensor/ops.ts";
import { inference, type Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import { pairwiseCosine } from "./distance.ts";
import type { Loss } from "./loss.ts";
import { NEVER, spread } from "./masks.ts";

/** Options of {@linkcode cosent}. */
export interface CosentOptions {
  /** Inverse temperature s: what similarities are multiplied by. Default 20. */
  readonly scale?: number;
}

/**
 * L = log (1 + Σ exp(s · cos(uᵢ, vᵢ) − s · cos(uⱼ, vⱼ))) over the pairs i, j of the batch with scoreᵢ < scoreⱼ; u, v
 * [B, D], scores [B] → [1]
 *
 * Only the order of scores counts, so any scale will do. Columns: two texts, and a score. Source: Su 2022,
 * https://kexue.fm/archives/8847; Huang et al. 2024, doi 10.1109/TASLP.2024.3402087.
 *
 * @param options Scale.
 * @returns The loss, for pairs with a score.
 *
 * @example
 * ```ts
 * import { cosent, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // The first pair points the same way, the second does not: that is right if the first has the higher score.
 * const columns = [[[1, 0], [1, 0]], [[1, 0], [0, 1]]];
 * const right = await tryLoss(cosent(), columns, [5, 2]);
 * const wrong = await tryLoss(cosent(), columns, [2, 5]);
 * assert.ok(right.value < 1e-6 && Math.abs(wrong.value - 20) < 1e-6);
 * ```
 */
export function cosent(options: CosentOptions = {}): Loss<"score"> {
  const { scale = 20 } = options;
  return {
    name: "cosent",
    texts: { min: 2, max: 2 },
    label: "score",
    inBatch: false,
    options: { scale },
    paper: "Su 2022, https://kexue.fm/archives/8847",
    apply: (tape, [u, v], labels) => rankingOfPairs(tape, affine(tape, pairwiseCosine(tape, u!, v!), scale), labels!),
  };
}

/**
 * log (1 + Σ exp(sᵢ − sⱼ)) over i, j with labelᵢ < labelⱼ; s, labels [B] → [1]
 *
 * It is the cross-entropy of the row (0, s₁ − s₁, s₁ − s₂, …) against its first place.
 */
export function rankingOfPairs(tape: Tape, similarities: Tensor, labels: Handle): Tensor {
  const { engine } = tape;
  const size = similarities.value.shape[0]!;
  const rows = spread(tape, similarities, size);
  const differences = subtract(tape, rows, transpose(tape, rows));
  const listed = add(tape, differences, constant(unlessLower(engine, labels)));
  const first = constant(engine.zeros([1, 1]));
  const logits = concatColumns(tape, [first, reshape(tape, listed, [1, size * size])]);
  return crossEntropy(tape, logits, engine.zeros([1], "i32"));
}

/** 0 where labelᵢ < labelⱼ, else −10³⁰, of which exp is 0: [B] → [B, B] */
function unlessLower(engine: Engine, labels: Handle): Handle {
  const rows = spread(inference(engine), constant(labels), labels.shape[0]!).value;
  const lower = engine.activate("relu", engine.unary("sign", engine.binary("subtract", engine.transpose(rows), rows)));
  return engine.affine(lower, -NEVER, NEVER);
}
