/**
 * Products with weights and with each other.
 *
 * @module
 */
import type { Activation, Engine, Handle, MatmulOptions } from "../../engine/engine.ts";
import { accumulate, isOpen, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * y = f(x Wᵀ + b); x [T, K], W [N, K], b [N] → [T, N]
 *
 * dz = dy ⊙ f′(z), dx = dz W, dW = dzᵀ x, db = Σₜ dz
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, K].
 * @param weight [N, K].
 * @param bias [N], or none.
 * @param activation Applied to the result, if there is one.
 * @returns [T, N]
 */
export function linear(tape: Tape, x: Tensor, weight: Tensor, bias?: Tensor, activation?: Activation): Tensor {
  const { engine } = tape;
  const [rows, width] = [x.value.shape[0]!, weight.value.shape[0]!];
  const recorded = tape.closures !== undefined;
  const z = activation !== undefined && recorded ? engine.empty([rows, width]) : undefined;
  const y = engine.matmul(x.value, weight.value, {
    transposeB: true,
    bias: bias?.value,
    activation,
    preactivation: z,
    isLayer: true,
  });
  return record(tape, y, [x, weight, bias], (dy) => {
    // The bias's part is summed where dz is made, if there is something that it can be added to.
    const dBias = activation !== undefined && bias?.isParameter ? bias.gradient : undefined;
    const dz = activation === undefined ? dy : engine.activationBackward(activation, z!, dy, dBias);
    addProduct(tape, x, dz, weight.value, { isLayer: true });
    addProduct(tape, weight, dz, x.value, { transposeA: true, isLayer: true });
    if (bias !== undefined && dBias === undefined) addColumns(engine, tape, bias, dz);
    if (dz !== dy) engine.release(dz);
  });
}

/** Adds the product a b to the gradient of a tensor: in the product itself, where there is something to add to. */
export function addProduct(tape: Tape, tensor: Tensor, a: Handle, b: Handle, options: MatmulOptions = {}): void {
  if (!tensor.needsGradient) return;
  if (isOpen(tape, tensor)) tape.engine.matmul(a, b, { ...options, out: tensor.gradient, accumulate: true });
  else accumulate(tape, tensor, tape.engine.matmul(a, b, options), true);
}

function addColumns(engine: Engine, tape: Tape, bias: Tensor, dz: Handle): void {
  if (!bias.needsGradient) return;
  if (bias.isParameter) engine.columnSum(dz, { out: bias.gradient, accumulate: true });
  else accumulate(tape, bias, engine.columnSum(dz));
}

/**
 * C = s · A B (or A Bᵀ); A [M, K], B [K, N] (or [N, K]) → [M, N]
 *
 * dA = s · dC Bᵀ, dB = s · Aᵀ dC (transposed for A Bᵀ)
 *
 * @param tape Where the backward step goes, and the engine.
 * @param a [M, K].
 * @param b [K, N], or [N, K] with `transposeB`.
 * @param options Whether b is transposed, and the factor s. Default: not, 1.
 * @returns [M, N]
 */
export function matmul(
  tape: Tape,
  a: Tensor,
  b: Tensor,
  options: { readonly transposeB?: boolean; readonly scale?: number } = {},
): Tensor {
  const { engine } = tape;
  const { transposeB = false, scale = 1 } = options;
  const c = engine.matmul(a.value, b.value, { transposeB, scale });
  return record(tape, c, [a, b], (dc) => {
    addProduct(tape, a, dc, b.value, { transposeB: !transposeB, scale });
    if (transposeB) addProduct(tape, b, dc, a.value, { transposeA: true, scale });
    else addProduct(tape, b, a.value, dc, { transposeA: true, scale });
  });
}
