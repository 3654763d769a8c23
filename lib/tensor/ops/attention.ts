/**
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762) over packed sequences.
 *
 * @module
 */
import type { Attention, Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** Input of {@linkcode attention}: the engine's, with tensors for what can have a gradient. */
export interface AttentionInput extends Omit<Attention, "q" | "k" | "v" | "bias"> {
  /** [T, H] queries. */
  readonly q: Tensor;
  /** [T, H] keys. */
  readonly k: Tensor;
  /** [T, H] values. */
  readonly v: Tensor;
  /** [2L − 1, heads] additive bias by relative position. */
  readonly bias?: Tensor | undefined;
}

/**
 * softmax(q kᵀ / √d + bias) v within each sequence and head; [T, H] → [T, H]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param input Queries, keys and values [T, H], where sequences begin, heads, and what else the engine wants.
 * @returns [T, H], each token a mean of the values of its sequence.
 */
export function attention(tape: Tape, input: AttentionInput): Tensor {
  const { engine } = tape;
  const { q, k, v, bias } = input;
  const values = { ...input, q: q.value, k: k.value, v: v.value, bias: bias?.value };
  const forward = engine.attention(values);
  return record(tape, forward.out, [q, k, v, bias], (dOut) => {
    let dBias: Handle | undefined;
    if (bias?.needsGradient) dBias = bias.isParameter ? bias.gradient : engine.zeros(bias.value.shape);
    const { dq, dk, dv } = engine.attentionBackward(values, forward, dOut, dBias);
    accumulate(tape, q, dq);
    accumulate(tape, k, dk);
    accumulate(tape, v, dv);
    if (bias !== undefined && dBias !== undefined && !bias.isParameter) accumulate(tape, bias, dBias);
  });
}
