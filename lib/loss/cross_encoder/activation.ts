/**
 * What a loss does to logits before anything else.
 *
 * @module
 */
import { sigmoid } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { LogitActivation } from "../cross_encoder_loss.ts";

/** Logits, or σ of them. */
export function activated(tape: Tape, logits: Tensor, activation: LogitActivation): Tensor {
  return activation === "sigmoid" ? sigmoid(tape, logits) : logits;
}
