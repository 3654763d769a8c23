/**
 * Functions element by element. Shapes are equal, or the second operand has one element.
 *
 * @module
 */
import type { Activation, Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** The gradient of an operand that was broadcast from one element is a sum. */
function reduced(tape: Tape, gradient: Handle, operand: Tensor): Handle {
  return operand.value.shape.join() === gradient.shape.join()
    ? gradient
    : tape.engine.reshape(tape.engine.sum(gradient), operand.value.shape);
}

/**
 * a + b; da = dy, db = dy
 *
 * @param tape Where the backward step goes, and the engine.
 * @param a Any shape.
 * @param b The same shape, or one element.
 * @returns a + b
 */
export function add(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return record(tape, tape.engine.binary("add", a.value, b.value), [a, b], (dy) => {
    accumulate(tape, a, dy);
    if (b.needsGradient) accumulate(tape, b, reduced(tape, dy, b));
  });
}

/**
 * a − b; da = dy, db = −dy
 *
 * @param tape Where the backward step goes, and the engine.
 * @param a Any shape.
 * @param b The same shape, or one element.
 * @returns a − b
 */
export function subtract(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.binary("subtract", a.value, b.value), [a, b], (dy) => {
    accumulate(tape, a, dy);
    if (b.needsGradient) accumulate(tape, b, reduced(tape, engine.affine(dy, -1), b));
  });
}

/**
 * a ⊙ b; da = dy ⊙ b, db = dy ⊙ a
 *
 * @param tape Where the backward step goes, and the engine.
 * @param a Any shape.
 * @param b The same shape, or one element.
 * @returns a ⊙ b
 */
export function multiply(tape: Tape, a: Tensor, b: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.binary("multiply", a.value, b.value), [a, b], (dy) => {
    if (a.needsGradient) accumulate(tape, a, engine.binary("multiply", dy, b.value));
    if (b.needsGradient) accumulate(tape, b, reduced(tape, engine.binary("multiply", dy, a.value), b));
  });
}

/**
 * α·x + β; dx = α·dy
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @param a The factor α.
 * @param b What is added, β.
 * @returns α·x + β
 */
export function affine(tape: Tape, x: Tensor, a: number, b = 0): Tensor {
  const { engine } = tape;
  return record(tape, engine.affine(x.value, a, b), [x], (dy) => accumulate(tape, x, engine.affine(dy, a)));
}

/**
 * |x|; dx = dy ⊙ sign x
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns |x|
 */
export function absolute(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.unary("abs", x.value), [x], (dy) => {
    accumulate(tape, x, engine.binary("multiply", dy, engine.unary("sign", x.value)));
  });
}

/**
 * x²; dx = 2x ⊙ dy
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns x²
 */
export function square(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.unary("square", x.value), [x], (dy) => {
    accumulate(tape, x, engine.affine(engine.binary("multiply", dy, x.value), 2));
  });
}

/**
 * √x; dx = dy / 2√x, and 0 where x is 0
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape, no element below 0.
 * @returns √x
 */
export function squareRoot(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const y = engine.unary("sqrt", x.value);
  return record(tape, y, [x], (dy) => {
    const least = engine.upload(Float32Array.of(1e-30), [1]);
    const inverse = engine.binary(
      "multiply",
      engine.unary("reciprocal", engine.binary("maximum", y, least)),
      engine.unary("sign", y),
    );
    accumulate(tape, x, engine.affine(engine.binary("multiply", dy, inverse), 0.5));
  });
}

/**
 * eˣ; dx = dy ⊙ eˣ
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns eˣ
 */
export function exponential(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const y = engine.unary("exp", x.value);
  return record(tape, y, [x], (dy) => accumulate(tape, x, engine.binary("multiply", dy, y)));
}

/**
 * f(x); dx = dy ⊙ f′(x)
 *
 * @param tape Where the backward step goes, and the engine.
 * @param kind Which function f.
 * @param x Any shape.
 * @returns f(x)
 */
export function activate(tape: Tape, kind: Activation, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.activate(kind, x.value), [x], (dy) => {
    accumulate(tape, x, engine.activationBackward(kind, x.value, dy), true);
  });
}
