/** Kernels that go by rows: embedding, reductions, the largest. */
import { integers, type Tensor, tensor } from "../tensor.ts";

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
