/** Cross-entropy, and the optimizer. */
import { map, type Tensor, tensor } from "../tensor.ts";
import { matmul } from "./products.ts";
import { row, sum } from "./rows.ts";

/** log Σ exp of each row. */
export function logSumExp(logits: Tensor): Tensor {
  return tensor([logits.shape[0]!], (r) => {
    const values = row(logits, r);
    const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return most + Math.log(sum(values.map((value) => Math.exp(value - most))));
  });
}

/** softmax of each row */
export function softmax(logits: Tensor): Tensor {
  const sums = logSumExp(logits);
  return map(logits, (value, i) => Math.exp(value - sums.data[Math.floor(i / logits.shape[1]!)]!));
}

/** Mean of logΣexp − logits[target] over the rows whose target is not −1; 0 if there is none. */
export function crossEntropy(logits: Tensor, targets: Tensor): number {
  const sums = logSumExp(logits);
  const losses: number[] = [];
  targets.data.forEach((target, r) => {
    if (target >= 0) losses.push(sums.data[r]! - row(logits, r)[target]!);
  });
  return losses.length === 0 ? 0 : losses.reduce((a, b) => a + b) / losses.length;
}

/** x Wᵀ + b */
export function logitsOf(x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  return matmul(x, weight, { transposeB: true, bias });
}

/** Gradients by the formula: dlogits = (softmax − onehot) · dLoss / count. */
export function linearCrossEntropyGradients(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  targets: Tensor,
  dLoss: number,
) {
  const count = targets.data.filter((target) => target >= 0).length;
  const classes = weight.shape[0]!;
  const dz = map(softmax(logitsOf(x, weight, bias)), (p, i) => {
    const target = targets.data[Math.floor(i / classes)]!;
    return target < 0 ? 0 : (p - (target === i % classes ? 1 : 0)) * dLoss / count;
  });
  const dBias = new Float64Array(classes);
  dz.data.forEach((value, i) => dBias[i % classes]! += value);
  return {
    dx: matmul(dz, weight),
    dWeight: matmul(dz, x, { transposeA: true }),
    dBias: { shape: [classes], data: dBias },
  };
}

/** What the optimizer knows of a parameter. */
export interface Slot {
  readonly weight: Tensor;
  readonly m: Tensor;
  readonly v: Tensor;
  readonly weightDecay: number;
}

/** Global norm, the factor that every gradient is multiplied with, and whether the step is to be left out. */
export function clip(gradients: readonly Tensor[], loss: number, maxNorm: number, lossScale: number) {
  const squares = gradients.reduce((total, { data }) => total + sum(data.map((value) => value * value)), 0);
  const norm = Math.sqrt(squares) / lossScale;
  return {
    norm,
    factor: (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / lossScale,
    skipped: Number.isFinite(norm) && Number.isFinite(loss) ? 0 : 1,
  };
}

/** One step of AdamW as PyTorch takes it, with the decay before the change. */
export function adamw(
  { weight, m, v, weightDecay }: Slot,
  gradient: Tensor,
  options: {
    readonly learningRate: number;
    readonly step: number;
    readonly factor: number;
    readonly beta1: number;
    readonly beta2: number;
    readonly epsilon: number;
  },
): Slot {
  const { learningRate, step, factor, beta1, beta2, epsilon } = options;
  const g = map(gradient, (value) => factor * value);
  const nextM = map(m, (value, i) => beta1 * value + (1 - beta1) * g.data[i]!);
  const nextV = map(v, (value, i) => beta2 * value + (1 - beta2) * g.data[i]! ** 2);
  const next = map(weight, (value, i) => {
    const [first, second] = [nextM.data[i]! / (1 - beta1 ** step), nextV.data[i]! / (1 - beta2 ** step)];
    return value * (1 - learningRate * weightDecay) - learningRate * first / (Math.sqrt(second) + epsilon);
  });
  return { weight: next, m: nextM, v: nextV, weightDecay };
}
