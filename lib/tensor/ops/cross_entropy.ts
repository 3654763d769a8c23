/**
 * Cross-entropy of logits, and of a linear layer over a large vocabulary.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { accumulate, gradientTarget, handOn, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * mean over rows of logΣexp(z) − z[target] → [1]; rows with target −1 do not count. dz = (softmax z − onehot) / count
 *
 * @param tape Where the backward step goes, and the engine.
 * @param logits [R, C].
 * @param targets i32 [R] the column of each row, or −1.
 * @returns [1] the mean over the rows that count.
 */
export function crossEntropy(tape: Tape, logits: Tensor, targets: Handle): Tensor {
  const { engine } = tape;
  const { loss, probabilities } = engine.crossEntropy(logits.value, targets);
  return record(tape, loss, [logits], (dLoss) => {
    accumulate(tape, logits, engine.crossEntropyBackward(dLoss, probabilities, targets));
  });
}

/**
 * The same for z = x Wᵀ + b in chunks of rows: a large [R, V] is never held. x [R, H], W [V, H], b [V] → [1]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, H].
 * @param weight [V, H].
 * @param bias [V], or none.
 * @param targets i32 [R] the column of each row, or −1.
 * @returns [1] the mean over the rows that count.
 */
export function linearCrossEntropy(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  targets: Handle,
): Tensor {
  const { engine } = tape;
  const forward = engine.linearCrossEntropy(x.value, weight.value, bias?.value, targets);
  return record(tape, forward.loss, [x, weight, bias], (dLoss) => {
    const dWeight = gradientTarget(tape, weight);
    const dBias = gradientTarget(tape, bias);
    const dx = engine.linearCrossEntropyBackward(
      dLoss,
      x.value,
      weight.value,
      bias?.value,
      targets,
      forward,
      dWeight,
      dBias,
    );
    if (forward.logits !== undefined) engine.release(forward.logits);
    accumulate(tape, x, dx, true);
    handOn(tape, weight, dWeight);
    handOn(tape, bias, dBias);
  });
}
