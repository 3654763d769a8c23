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
  /** Gradients that were made for this tape and may be added to in place: how many tensors hold each. */
  readonly holders: WeakMap<Handle, number>;
}

/**
 * A tape that records: for training.
 *
 * @param engine Computes.
 * @returns A tape for one step.
 */
export function recording(engine: Engine): Tape {
  return { engine, closures: [], holders: new WeakMap() };
}

/**
 * A tape that does not record: nothing can be differentiated, and nothing is kept for it.
 *
 * @param engine Computes.
 * @returns A tape for any number of forward passes.
 */
export function inference(engine: Engine): Tape {
  return { engine, closures: undefined, holders: new WeakMap() };
}

/**
 * The result of an op of your own: its value, and what happens in the backward pass.
 *
 * @param tape The op's first argument.
 * @param value What the op computed.
 * @param inputs The tensors that it depends on.
 * @param backward Called with the gradient of the result, if one arrived and any input wants one: it hands each input
 *   its own by {@linkcode accumulate}. That may be the very same tensor or a new one, but no view that `engine.reshape`
 *   makes of it: its memory goes to others afterwards. The op `reshape` is for that.
 * @returns The result as a tensor.
 */
export function record(
  tape: Tape,
  value: Handle,
  inputs: readonly (Tensor | undefined)[],
  backward: (gradient: Handle) => void,
): Tensor {
  return recordAll(tape, [value], inputs, ([gradient]) => backward(gradient!))[0]!;
}

/**
 * The same for an op with several results.
 *
 * @param tape The op's first argument.
 * @param values What the op computed.
 * @param inputs The tensors that it depends on.
 * @param backward Called with the gradient of each result, undefined where none arrived, if any did.
 * @returns The results as tensors.
 */
export function recordAll(
  tape: Tape,
  values: readonly Handle[],
  inputs: readonly (Tensor | undefined)[],
  backward: (gradients: readonly (Handle | undefined)[]) => void,
): Tensor[] {
  const needsGradient = tape.closures !== undefined && inputs.some((input) => input?.needsGradient);
  const results = values.map((value): Tensor => ({ value, needsGradient, isParameter: false, gradient: undefined }));
  if (needsGradient) {
    tape.closures!.push(() => {
      const gradients = results.map(({ gradient }) => gradient);
      if (gradients.every((gradient) => gradient === undefined)) return;
      backward(gradients);
      for (const result of results) letGo(tape, result);
    });
  }
  return results;
}

/** Nobody asks for a result's gradient any more: its memory goes to others, unless another tensor holds it. */
function letGo(tape: Tape, result: Tensor): void {
  const { gradient } = result;
  const held = gradient && tape.holders.get(gradient);
  if (held === undefined) return;
  tape.holders.set(gradient!, held - 1);
  if (held > 1) return;
  result.gradient = undefined;
  tape.engine.release(gradient!);
}

/**
 * Adds `gradient` to that of `tensor`. The first one is taken as it is: never write into a gradient handle afterwards.
 * Parameters have theirs from the start, so they always add.
 *
 * @param tape The op's first argument.
 * @param tensor The input of an op.
 * @param gradient d loss / d that input, of its shape.
 * @param fresh Whether the op has just made it, and keeps nothing that shares its memory. Default false.
 */
export function accumulate(tape: Tape, tensor: Tensor, gradient: Handle, fresh = false): void {
  if (!tensor.needsGradient) return;
  if (tensor.gradient === undefined) {
    tensor.gradient = gradient;
    const { holders } = tape;
    if (fresh || holders.has(gradient)) holders.set(gradient, (holders.get(gradient) ?? 0) + 1);
  } else if (isOpen(tape, tensor)) tape.engine.addTo(tensor.gradient, gradient);
  else {
    tensor.gradient = tape.engine.binary("add", tensor.gradient, gradient);
    tape.holders.set(tensor.gradient, 1);
  }
}

/**
 * Puts a gradient that an op has just made, and that has in it what came before, in the place of the tensor's own.
 *
 * @param tape The op's first argument.
 * @param tensor The input of an op.
 * @param gradient Its whole gradient so far.
 */
export function replace(tape: Tape, tensor: Tensor, gradient: Handle): void {
  if (!tensor.needsGradient) return;
  tensor.gradient = undefined;
  accumulate(tape, tensor, gradient, true);
}

/**
 * Whether a kernel may add to the tensor's gradient in place: it has one, and no other tensor's is the same.
 *
 * @param tape The op's first argument.
 * @param tensor The input of an op.
 * @returns Whether `tensor.gradient` may be the target of a kernel that accumulates.
 */
export function isOpen(tape: Tape, tensor: Tensor): tensor is Tensor & { readonly gradient: Handle } {
  return tensor.gradient !== undefined && (tensor.isParameter || tape.holders.get(tensor.gradient) === 1);
}

/**
 * Where a kernel adds the gradient of a weight: to the gradient itself where it outlives the step, else to zeros that are
 * then handed on by {@linkcode handOn}.
 *
 * @param tape The op's first argument.
 * @param tensor The weight, where there is one.
 * @returns The target; undefined if no gradient is wanted.
 */
export function gradientTarget(tape: Tape, tensor: Tensor | undefined): Handle | undefined {
  if (tensor?.needsGradient !== true) return undefined;
  return tensor.isParameter ? tensor.gradient : tape.engine.zeros(tensor.value.shape);
}

/**
 * Hands on what a kernel has added to the target of a gradient: a parameter has it already.
 *
 * @param tape The op's first argument.
 * @param tensor The weight, where there is one.
 * @param target What {@linkcode gradientTarget} gave for it.
 */
export function handOn(tape: Tape, tensor: Tensor | undefined, target: Handle | undefined): void {
  if (tensor?.isParameter === false && target !== undefined) accumulate(tape, tensor, target);
}

/**
 * Differentiates a scalar: runs the tape from its end to its beginning. Gradients of parameters are added to, those of
 * activations are set.
 *
 * @param tape The tape that the loss was recorded on; it is used up.
 * @param loss [1]
 * @param scale [1] d loss: 1, or the scale of the loss.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { backward, mean, parameter, recording, square } from "@kindred/kindred/tensor";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const x = parameter(engine, [2], Float32Array.of(3, -1));
 * const tape = recording(engine);
 * const loss = mean(tape, square(tape, x));
 * backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
 * assert.deepEqual([...await engine.read(loss.value)], [5]);
 * assert.deepEqual([...await engine.read(x.gradient!)], [3, -1]); // d mean x² / dx = 2 x / 2
 * engine.close();
 * ```
 */
export function backward(tape: Tape, loss: Tensor, scale: Handle): void {
  loss.gradient = scale;
  for (let i = tape.closures!.length - 1; i >= 0; i--) tape.closures![i]!();
}
