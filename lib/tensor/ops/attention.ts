/**
 * Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762) over packed sequences.
 *
 * @module
 */
import type { Attention } from "../../engine/engine.ts";
import { accumulate, gradientTarget, handOn, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** Input of {@linkcode attention}: the engine's, with tensors for what can have a gradient. */
export interface AttentionInput extends Omit<Attention, "qkv" | "bias"> {
  /** [T, (heads + 2 · kvHeads) · D] queries, keys and values of all heads side by side. */
  readonly qkv: Tensor;
  /** [2L − 1, heads] additive bias by relative position. */
  readonly bias?: Tensor | undefined;
}

/**
 * softmax(scale · q kᵀ + bias) v within each sequence and head; [T, (heads + 2 · kvHeads) · D] → [T, heads · D]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param input Queries, keys and values, where sequences begin, heads, and what else the engine wants.
 * @returns [T, heads · D], each token a mean of the values of its sequence.
 */
export function attention(tape: Tape, input: AttentionInput): Tensor {
  const { engine } = tape;
  const { qkv, bias } = input;
  const values = { ...input, qkv: qkv.value, bias: bias?.value };
  const forward = engine.attention(values);
  return record(tape, forward.out, [qkv, bias], (dOut) => {
    const dBias = gradientTarget(tape, bias);
    accumulate(tape, qkv, engine.attentionBackward(values, forward, dOut, dBias), true);
    handOn(tape, bias, dBias);
  });
}
