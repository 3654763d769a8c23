/** Kernels of today's encoders: rotary positions, gated products, RMS norm, the largest of each row. */
import type { Activation } from "../../../../lib/engine/engine.ts";
import { add, integers, map, type Tensor, tensor } from "../tensor.ts";
import { activations } from "./activations.ts";
import { type Dropout, dropout } from "./dropout.ts";
import { row, sum } from "./rows.ts";

export interface Rotation {
  /** [L, 2P]: cos of P angles, then their sin. */
  readonly table: Tensor;
  readonly positions: Tensor;
  readonly heads: number;
  readonly headSize: number;
  readonly inverse?: boolean;
}

/** (xᵢ, xᵢ₊ₚ) ← (xᵢ cos aᵢ − xᵢ₊ₚ sin aᵢ, xᵢ₊ₚ cos aᵢ + xᵢ sin aᵢ) in each of the first heads; a of the row's position */
export function rotate(x: Tensor, { table, positions, heads, headSize, inverse = false }: Rotation): Tensor {
  const pairs = table.shape[1]! / 2;
  const result = { shape: x.shape, data: x.data.slice() };
  for (let t = 0; t < x.shape[0]!; t++) {
    const angles = row(table, positions.data[t]!);
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < pairs; i++) {
        const [cos, sin] = [angles[i]!, (inverse ? -1 : 1) * angles[pairs + i]!];
        const [a, b] = [head * headSize + i, head * headSize + i + pairs];
        row(result, t)[a] = row(x, t)[a]! * cos - row(x, t)[b]! * sin;
        row(result, t)[b] = row(x, t)[b]! * cos + row(x, t)[a]! * sin;
      }
    }
  }
  return result;
}

/** y = f(a) ⊙ b, x = [a | b], or [b | a] where the second half is activated */
export function gated(activation: Activation, x: Tensor, activated: "first" | "second" = "first"): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const half = columns / 2;
  return tensor([rows, half], (at) => {
    const [first, second] = [0, half].map((from) => row(x, Math.floor(at / half))[from + at % half]!) as [
      number,
      number,
    ];
    const [a, b] = activated === "first" ? [first, second] : [second, first];
    return activations[activation](a) * b;
  });
}

/** s = dropout(x) + residual; y = w s / √(mean s² + ε), with 1 + w for w where it is said */
export function rmsNorm(
  x: Tensor,
  weight: Tensor,
  epsilon: number,
  options: {
    readonly residual?: Tensor | undefined;
    readonly dropout?: Dropout | undefined;
    readonly onePlus?: boolean;
  } = {},
): { readonly y: Tensor; readonly sum: Tensor; readonly statistics: Tensor } {
  const width = x.shape[1]!;
  const dropped = dropout(x, options.dropout);
  const s = options.residual === undefined ? dropped : add(dropped, options.residual);
  const statistics = tensor([x.shape[0]!], (r) => 1 / Math.sqrt(sum(row(s, r).map((v) => v * v)) / width + epsilon));
  const y = map(s, (value, i) => {
    const w = weight.data[i % width]! + (options.onePlus === true ? 1 : 0);
    return w * value * statistics.data[Math.floor(i / width)]!;
  });
  return { y, sum: s, statistics };
}

/** The same for `count` heads from the first on, written to those columns of `out`. */
export function headNorm(
  x: Tensor,
  out: Tensor,
  weight: Tensor,
  epsilon: number,
  { first, count }: { readonly first: number; readonly count: number },
  onePlus = false,
): { readonly out: Tensor; readonly statistics: Tensor } {
  const size = weight.shape[0]!;
  const tokens = x.shape[0]!;
  const result = { shape: out.shape, data: out.data.slice() };
  const statistics = { shape: [tokens, count], data: new Float64Array(tokens * count) };
  for (let t = 0; t < tokens; t++) {
    for (let head = first; head < first + count; head++) {
      const values = { shape: [1, size], data: row(x, t).slice(head * size, (head + 1) * size) };
      const normed = rmsNorm(values, weight, epsilon, { onePlus });
      row(result, t).set(normed.y.data, head * size);
      statistics.data[t * count + head - first] = normed.statistics.data[0]!;
    }
  }
  return { out: result, statistics };
}

/** The k largest of each row, of equal ones the first. */
export function topK(x: Tensor, k: number): { readonly values: Tensor; readonly indices: Tensor } {
  const rows = x.shape[0]!;
  const chosen = Array.from({ length: rows }, (_, r) => {
    const values = row(x, r);
    return [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b).slice(0, k);
  });
  return {
    values: tensor([rows, k], (i) => row(x, Math.floor(i / k))[chosen[Math.floor(i / k)]![i % k]!]!),
    indices: integers(chosen.flat(), [rows, k]),
  };
}
