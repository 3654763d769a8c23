/**
 * The smooth ramp: minus the logarithm of the logistic function of −x.
 *
 * @module
 */
import type { Engine, Handle } from "../../engine/engine.ts";
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
  return record(tape, softplusOf(engine, x.value), [x], (dy) => {
    accumulate(tape, x, engine.binary("multiply", dy, logisticOf(engine, x.value, 1)));
  });
}

/** log(1 + exp(x)) */
export function softplusOf(engine: Engine, x: Handle): Handle {
  const power = engine.unary("exp", engine.affine(engine.unary("abs", x), -1));
  return engine.binary("add", engine.activate("relu", x), engine.unary("log", engine.affine(power, 1, 1)));
}

/** σ(sign · x) */
export function logisticOf(engine: Engine, x: Handle, sign: 1 | -1): Handle {
  return engine.affine(engine.activate("tanh", engine.affine(x, sign / 2)), 0.5, 0.5);
}
