/** Kernels that go by rows: embedding, reductions, the largest. */
import { floats, integers, type Tensor, tensor } from "../tensor.ts";

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

/** The k largest so far of each row, and the number of the next column. */
export interface BestBefore {
  readonly values: Tensor;
  readonly indices: Tensor;
  readonly from: number;
}

/** The k largest of each row, and of those before; of equal ones the first, a NaN as small as −∞. */
export function topK(x: Tensor, k: number, best?: BestBefore): { readonly values: Tensor; readonly indices: Tensor } {
  const from = best?.from ?? 0;
  const chosen = Array.from({ length: x.shape[0]! }, (_, r) => {
    const before = best === undefined
      ? []
      : Array.from(row(best.values, r), (value, i) => ({ value, index: row(best.indices, r)[i]! }));
    return [...before, ...Array.from(row(x, r), (value, c) => ({ value, index: from + c }))]
      .map(({ value, index }) => ({ value, index, order: Number.isNaN(value) ? -Infinity : value }))
      .sort((a, b) => a.order < b.order ? 1 : a.order > b.order ? -1 : 0)
      .slice(0, k);
  }).flat();
  return {
    values: floats(chosen.map(({ value }) => value), [x.shape[0]!, k]),
    indices: integers(chosen.map(({ index }) => index), [x.shape[0]!, k]),
  };
}
