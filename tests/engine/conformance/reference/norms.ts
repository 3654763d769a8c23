/** Normalisation of rows. */
import { add, map, type Tensor, tensor } from "../tensor.ts";
import { type Dropout, dropout } from "./dropout.ts";
import { row, sum } from "./rows.ts";

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
