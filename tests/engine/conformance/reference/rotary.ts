/** Rotary positions (Su et al. 2021). */
import type { Tensor } from "../tensor.ts";
import { row } from "./rows.ts";

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
