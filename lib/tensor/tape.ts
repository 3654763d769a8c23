/**
 * Reverse-mode differentiation by a tape of closures: each op pushes what must happen when the gradient of its result
 * is known; `backward` runs them last to first.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import type { Tensor } from "./tensor.ts";

/** What ops need to know: the engine, and where to push. Without `closures` nothing is recorded (inference). */
export interface Tape {
  /** Executes the kernels. */
  readonly engine: Engine;
  /** Backward steps, in forward order. */
  readonly closures: (() => void)[] | undefined;
}

/** A tape that records. */
export function recording(engine: Engine): Tape {
  return { engine, closures: [] };
}

/** A tape that does not. */
export function inference(engine: Engine): Tape {
  return { engine, closures: undefined };
}

/**
 * The result of an op. `backward` is called with the gradient of the result, if one arrived and any input wants one.
 */
export function record(
  tape: Tape,
  value: Handle,
  inputs: readonly (Tensor | undefined)[],
  backward: (gradient: Handle) => void,
): Tensor {
  const needsGradient = tape.closures !== undefined && inputs.some((input) => input?.needsGradient);
  const result: Tensor = { value, needsGradient, isParameter: false, gradient: undefined };
  if (needsGradient) {
    tape.closures!.push(() => {
      if (result.gradient !== undefined) backward(result.gradient);
    });
  }
  return result;
}

/**
 * Adds `gradient` to that of `tensor`. The first one is taken as it is: never write into a gradient handle afterwards.
 * Parameters have theirs from the start, so they always add.
 */
export function accumulate(tape: Tape, tensor: Tensor, gradient: Handle): void {
  if (!tensor.needsGradient) return;
  if (tensor.gradient === undefined) tensor.gradient = gradient;
  else if (tensor.isParameter) tape.engine.addTo(tensor.gradient, gradient);
  else tensor.gradient = tape.engine.binary("add", tensor.gradient, gradient);
}

/** Seeds d loss = `scale` and runs the tape. Gradients of parameters are added to, those of activations are set. */
export function backward(tape: Tape, loss: Tensor, scale: Handle): void {
  loss.gradient = scale;
  for (let i = tape.closures!.length - 1; i >= 0; i--) tape.closures![i]!();
}
