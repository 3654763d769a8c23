/**
 * Gated linear units (Shazeer 2020, arXiv 2002.05202).
 *
 * @module
 */
import type { Activation } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * y = f(a) ⊙ b, x = [a | b], or [b | a] where the second half is activated; [T, 2F] → [T, F]
 *
 * da = dy ⊙ b ⊙ f′(a), db = dy ⊙ f(a)
 *
 * @param tape Where the backward step goes, and the engine.
 * @param activation f.
 * @param x [T, 2F].
 * @param activated Which half goes through f. Default: the first.
 * @returns [T, F]
 */
export function gated(
  tape: Tape,
  activation: Activation,
  x: Tensor,
  activated: "first" | "second" = "first",
): Tensor {
  const { engine } = tape;
  return record(tape, engine.gated(activation, x.value, activated), [x], (dy) => {
    accumulate(tape, x, engine.gatedBackward(activation, x.value, dy, activated), true);
  });
}
