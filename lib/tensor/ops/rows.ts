/**
 * Norms and maxima of rows, and rows times numbers.
 *
 * @module
 */
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * n = ‖x‖₂ by row, [R, C] → [R]; dx = dn ⊙ x / ‖x‖, and 0 where x is 0
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @returns [R]
 */
export function rowNorm(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const { y, norms } = engine.normalizeRows(x.value, 1e-12);
  return record(tape, norms, [x], (dn) => accumulate(tape, x, engine.scaleRows(y, dn)));
}

/**
 * y[r, c] = x[r, c] s[r]; dx = dy ⊙ s by row, ds[r] = Σ dy[r] ⊙ x[r]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @param s [R] a factor for each row.
 * @returns [R, C]
 */
export function scaleRows(tape: Tape, x: Tensor, s: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.scaleRows(x.value, s.value), [x, s], (dy) => {
    if (x.needsGradient) accumulate(tape, x, engine.scaleRows(dy, s.value));
    if (s.needsGradient) accumulate(tape, s, engine.rowReduce("sum", engine.binary("multiply", dy, x.value)));
  });
}

/**
 * y[r] = max x[r, …], [R, C] → [R]; the gradient is shared equally among the elements that have it
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @returns [R]
 */
export function rowMax(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const y = engine.rowReduce("max", x.value);
  return record(tape, y, [x], (dy) => {
    const ones = engine.full(x.value.shape, 1);
    const below = engine.binary("subtract", engine.scaleRows(ones, y), x.value);
    const chosen = engine.affine(engine.unary("sign", below), -1, 1);
    accumulate(tape, x, engine.scaleRows(chosen, engine.binary("divide", dy, engine.rowReduce("sum", chosen))));
  });
}
