/** Kernels that see each row by itself: embedding, normalisation, reductions. */
import { add, map, type Tensor, tensor } from "../tensor.ts";
import { type Dropout, dropout } from "./dropout.ts";

/** Row r of [R, C]. */
export function row({ shape, data }: Tensor, r: number): Float64Array {
  return data.subarray(r * shape[1]!, (r + 1) * shape[1]!);
}

/** Σ */
export const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);

/** y[t] = table[ids[t]] */
export function gather(table: Tensor, ids: Tensor): Tensor {
  const width = table.shape[1]!;
  return tensor([ids.shape[0]!, width], (i) => row(table, ids.data[Math.floor(i / width)]!)[i % width]!);
}

/** table[ids[t]] += dy[t] */
export function scatterAdd(table: Tensor, ids: Tensor, dy: Tensor): Tensor {
  const result = { shape: table.shape, data: table.data.slice() };
  ids.data.forEach((id, t) => row(dy, t).forEach((value, c) => row(result, id)[c]! += value));
  return result;
}

/** s = dropout(x) + residual; y = γ (s − mean) / √(var + ε) + β, without β where there is none. */
export function layerNorm(
  x: Tensor,
  gamma: Tensor,
  beta: Tensor | undefined,
  epsilon: number,
  options: { readonly residual?: Tensor | undefined; readonly dropout?: Dropout | undefined } = {},
): { readonly y: Tensor; readonly sum: Tensor; readonly statistics: Tensor } {
  const width = x.shape[1]!;
  const dropped = dropout(x, options.dropout);
  const s = options.residual === undefined ? dropped : add(dropped, options.residual);
  const means = Array.from({ length: x.shape[0]! }, (_, r) => sum(row(s, r)) / width);
  const inverses = means.map((mean, r) =>
    1 / Math.sqrt(sum(row(s, r).map((value) => (value - mean) ** 2)) / width + epsilon)
  );
  const y = map(s, (value, i) => {
    const r = Math.floor(i / width);
    return gamma.data[i % width]! * (value - means[r]!) * inverses[r]! + (beta?.data[i % width] ?? 0);
  });
  return { y, sum: s, statistics: tensor([means.length, 2], (i) => (i % 2 === 0 ? means : inverses)[i >> 1]!) };
}

/** y = x / max(‖x‖, ε) */
export function normalizeRows(x: Tensor, epsilon: number): { readonly y: Tensor; readonly norms: Tensor } {
  const norms = tensor([x.shape[0]!], (r) => Math.sqrt(sum(row(x, r).map((value) => value * value))));
  const y = map(x, (value, i) => value / Math.max(norms.data[Math.floor(i / x.shape[1]!)]!, epsilon));
  return { y, norms };
}

/** [R, C] → [R] */
export function rowReduce(kind: "sum" | "max", x: Tensor): Tensor {
  return tensor([x.shape[0]!], (r) => kind === "sum" ? sum(row(x, r)) : Math.max(...row(x, r)));
}

/** [R, C] → [C] */
export function columnSum(x: Tensor): Tensor {
  const [rows, columns] = x.shape as [number, number];
  return tensor([columns], (c) => {
    let total = 0;
    for (let r = 0; r < rows; r++) total += x.data[r * columns + c]!;
    return total;
  });
}
