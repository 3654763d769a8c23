/**
 * The smooth ramp: minus the logarithm of the logistic function of −x.
 *
 * @module
 */
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)), which does not overflow; dx = dy ⊙ σ(x)
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns −log σ(−x), of the same shape.
 */
export function softplus(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const power = engine.unary("exp", engine.affine(engine.unary("abs", x.value), -1));
  const y = engine.binary("add", engine.activate("relu", x.value), engine.unary("log", engine.affine(power, 1, 1)));
  return record(tape, y, [x], (dy) => {
    const logistic = engine.affine(engine.activate("tanh", engine.affine(x.value, 0.5)), 0.5, 0.5);
    accumulate(tape, x, engine.binary("multiply", dy, logistic));
  });
}
