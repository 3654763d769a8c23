/** Activations as they are defined. */
import type { Activation } from "../../../../lib/engine/engine.ts";

/** erf(x) = 2/√π e^−x² Σₙ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1)): all terms have one sign, so that nothing cancels. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) sum += term *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const activations: Readonly<Record<Activation, (x: number) => number>> = {
  gelu: (x) => x * (1 + erf(x / Math.SQRT2)) / 2,
  geluTanh: (x) => x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))) / 2,
  tanh: Math.tanh,
  relu: (x) => Math.max(x, 0),
  silu: (x) => x * sigmoid(x),
  quickGelu: (x) => x * sigmoid(1.702 * x),
  sigmoid,
  leakyRelu: (x) => x > 0 ? x : 0.01 * x,
  squaredRelu: (x) => Math.max(x, 0) ** 2,
};
