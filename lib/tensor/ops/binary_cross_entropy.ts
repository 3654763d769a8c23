/**
 * The logistic function, and the loss that belongs to it.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { mean } from "./shape.ts";
import { logisticOf, softplusOf } from "./softplus.ts";

/**
 * σ(x) = 1 / (1 + exp(−x)) = ½ + ½ tanh(x / 2); dx = dy ⊙ y (1 − y)
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns σ(x), of the same shape.
 */
export function sigmoid(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const y = logisticOf(engine, x.value, 1);
  return record(tape, y, [x], (dy) => {
    const slope = engine.binary("multiply", y, engine.affine(y, -1, 1));
    accumulate(tape, x, engine.binary("multiply", dy, slope));
  });
}

/**
 * Mean over all elements of −(w y log σ(x) + (1 − y) log(1 − σ(x))); y in [0, 1], w the weight of positives → [1]
 *
 * By element (1 − y) x + c softplus(−x) with c = 1 + (w − 1) y, and dx = (1 − y) − c σ(−x); softplus does not overflow.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Logits, any shape.
 * @param y Labels in [0, 1], of the same shape; they get no gradient.
 * @param positiveWeight What a positive counts: w.
 * @returns [1] the mean.
 */
export function binaryCrossEntropy(tape: Tape, x: Tensor, y: Handle, positiveWeight = 1): Tensor {
  const { engine } = tape;
  const negative = engine.affine(y, -1, 1);
  const weight = engine.affine(y, positiveWeight - 1, 1);
  const losses = engine.binary(
    "add",
    engine.binary("multiply", negative, x.value),
    engine.binary("multiply", weight, softplusOf(engine, engine.affine(x.value, -1))),
  );
  const each = record(tape, losses, [x], (dy) => {
    const rest = engine.binary("multiply", weight, logisticOf(engine, x.value, -1));
    accumulate(tape, x, engine.binary("multiply", dy, engine.binary("subtract", negative, rest)));
  });
  return mean(tape, each);
}
