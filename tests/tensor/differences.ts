/** Gradients of an op against finite differences of its own forward pass. */
import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { type Engine, sizeOf } from "../../lib/engine/engine.ts";
import { multiply, sum } from "../../lib/tensor/ops.ts";
import { backward, inference, recording, type Tape } from "../../lib/tensor/tape.ts";
import { constant, parameter, type Tensor } from "../../lib/tensor/tensor.ts";

/** A deterministic spread of values in ±1, none nearer to 0 than .05: kinks of |x| and relu are not crossed. */
export function values(shape: readonly number[], seed: number): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const x = Math.sin(12.9898 * (i + 1) + 78.233 * seed) * 43758.5453;
    const v = 2 * (x - Math.floor(x)) - 1;
    return Math.abs(v) < 0.05 ? 0.05 * (v < 0 ? -1 : 1) + v : v;
  });
}

/** What is checked: an op of tensors of these shapes. */
export interface GradientCase {
  readonly inputs: readonly (readonly number[])[];
  readonly op: (tape: Tape, inputs: readonly Tensor[]) => Tensor;
  /** Applied to the random values of the inputs. */
  readonly prepare?: (value: number) => number;
}

/** f = Σ w ⊙ op(x), w fixed: a gradient of ones would hide a wrong order. */
function objective(tape: Tape, { op }: GradientCase, inputs: readonly Tensor[]): Tensor {
  const result = op(tape, inputs);
  const { shape } = result.value;
  return sum(tape, multiply(tape, result, constant(tape.engine.upload(values(shape, 99), shape))));
}

/**
 * Every ∂f/∂x within 2·10⁻³ of the tensor's largest against (f(x + h) − f(x − h)) / 2h, three times over: for inputs
 * that are parameters (gradients are added in place, here to 1), for those that are activations, and with all inputs but
 * one frozen, which must not change the gradient of that one nor give one to the others.
 */
export async function checkGradients(
  check: GradientCase,
  engine: Engine = createCpuEngine({ threads: 1 }),
): Promise<void> {
  const data = check.inputs.map((shape, i) => values(shape, i + 1).map((v) => check.prepare?.(v) ?? v));
  const h = 2 ** -7;
  const one = () => engine.upload(Float32Array.of(1), [1]);
  const evaluate = async (at: readonly Float32Array[]): Promise<number> => {
    engine.enter();
    const leaves = at.map((x, i) => constant(engine.upload(x, check.inputs[i]!)));
    const f = await engine.read(objective(inference(engine), check, leaves).value);
    engine.exit();
    return f[0]!;
  };
  const expected: number[][] = [];
  for (const [i, x] of data.entries()) {
    const differences: number[] = [];
    for (let j = 0; j < x.length; j++) {
      const moved = (by: number) => data.map((y, k) => k === i ? y.map((v, l) => l === j ? v + by : v) : y);
      differences.push((await evaluate(moved(h)) - await evaluate(moved(-h))) / (2 * h));
    }
    expected.push(differences);
  }
  const compare = async (what: string, i: number, tensor: Tensor, start: number): Promise<void> => {
    assert.ok(tensor.gradient !== undefined, `${what} ${i} has no gradient`);
    assert.deepEqual(tensor.gradient.shape, check.inputs[i], `${what} ${i}: shape of the gradient`);
    const found = await engine.read(tensor.gradient);
    const most = Math.max(...expected[i]!.map(Math.abs), 1e-2);
    expected[i]!.forEach((value, j) => {
      const difference = Math.abs(found[j]! - start - value);
      assert.ok(difference <= 2e-3 * most, `${what} ${i}[${j}]: ${found[j]! - start} instead of ${value}`);
    });
  };
  const parameters = data.map((x, i) => {
    const leaf = parameter(engine, check.inputs[i]!, x);
    engine.fill(leaf.gradient!, 1);
    return leaf;
  });
  engine.enter();
  const tape = recording(engine);
  backward(tape, objective(tape, check, parameters), one());
  for (const [i, leaf] of parameters.entries()) await compare("parameter", i, leaf, 1);
  engine.exit();
  const leafOf = (i: number, needsGradient: boolean): Tensor => ({
    value: engine.upload(data[i]!, check.inputs[i]!),
    needsGradient,
    isParameter: false,
    gradient: undefined,
  });
  engine.enter();
  const second = recording(engine);
  const activations = data.map((_, i) => leafOf(i, true));
  backward(second, objective(second, check, activations), one());
  for (const [i, leaf] of activations.entries()) await compare("activation", i, leaf, 0);
  engine.exit();
  for (const alone of data.keys()) {
    engine.enter();
    const third = recording(engine);
    const leaves = data.map((_, i) => leafOf(i, i === alone));
    backward(third, objective(third, check, leaves), one());
    await compare("alone", alone, leaves[alone]!, 0);
    leaves.forEach((leaf, i) => i === alone || assert.equal(leaf.gradient, undefined, `frozen ${i} got a gradient`));
    engine.exit();
  }
  engine.close();
  assert.equal(engine.memory().live, 0);
}
