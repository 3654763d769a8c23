/** Attention and pooling over packed sequences. */
import type { PoolingMode } from "../../../../lib/engine/engine.ts";
import { type Tensor, tensor } from "../tensor.ts";
import { type Dropout, keepFactor } from "./dropout.ts";
import { row } from "./rows.ts";

export interface AttentionInput {
  /** [T, (heads + 2 · kvHeads) · D]: all queries, all keys, all values. */
  readonly qkv: Tensor;
  readonly offsets: Tensor;
  readonly heads: number;
  readonly kvHeads?: number | undefined;
  readonly causal?: boolean | undefined;
  /** Tokens further away than this are not seen. */
  readonly window?: number | undefined;
  /** Default 1/√D. */
  readonly scale?: number | undefined;
  /** [2L − 1, heads] */
  readonly bias?: Tensor | undefined;
  readonly dropout?: Dropout | undefined;
}

/**
 * out[i, h] = Σⱼ M softmaxⱼ(scale · q[i, h]·k[j, h′] + bias[j − i + L − 1, h]) v[j, h′], h′ = ⌊h · kvHeads / heads⌋, over
 * the tokens j of the sequence of i that i sees. Rows of no sequence are 0.
 */
export function attention(input: AttentionInput): { readonly out: Tensor; readonly logSumExp: Tensor } {
  const { qkv, offsets, heads, kvHeads = heads, causal = false, window = Infinity, bias, dropout } = input;
  const [tokens, columns] = qkv.shape as [number, number];
  const size = columns / (heads + 2 * kvHeads);
  const scale = input.scale ?? 1 / Math.sqrt(size);
  const middle = bias === undefined ? 0 : (bias.shape[0]! + 1) / 2 - 1;
  const out = { shape: [tokens, heads * size], data: new Float64Array(tokens * heads * size) };
  const logSumExp = { shape: [tokens, heads], data: new Float64Array(tokens * heads) };
  const head = (x: Tensor, token: number, h: number) => row(x, token).subarray(h * size, (h + 1) * size);
  for (let s = 0; s + 1 < offsets.data.length; s++) {
    const [first, end] = [offsets.data[s]!, offsets.data[s + 1]!];
    for (let h = 0; h < heads; h++) {
      const shared = heads + Math.floor(h * kvHeads / heads);
      for (let i = first; i < end; i++) {
        const seen: number[] = [];
        for (let j = first; j < end; j++) if (Math.abs(i - j) <= window && !(causal && j > i)) seen.push(j);
        const query = head(qkv, i, h);
        const scores = seen.map((j) => {
          const key = head(qkv, j, shared);
          let product = 0;
          for (let f = 0; f < size; f++) product += query[f]! * key[f]!;
          return scale * product + (bias === undefined ? 0 : bias.data[(j - i + middle) * heads + h]!);
        });
        const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
        const total = scores.reduce((sum, score) => sum + Math.exp(score - most), 0);
        logSumExp.data[i * heads + h] = most + Math.log(total);
        const result = head(out, i, h);
        seen.forEach((j, at) => {
          const factor = dropout === undefined ? 1 : keepFactor(dropout, i, j - first, h);
          const p = factor * Math.exp(scores[at]! - most) / total;
          if (p === 0) return;
          const value = head(qkv, j, shared + kvHeads);
          for (let f = 0; f < size; f++) result[f]! += p * value[f]!;
        });
      }
    }
  }
  return { out, logSumExp };
}

/** [T, H] → [n, H]; the first `skip` tokens of a sequence do not count, and what is empty gives 0. */
export function pool(x: Tensor, offsets: Tensor, mode: PoolingMode, skip = 0): Tensor {
  const width = x.shape[1]!;
  return tensor([offsets.shape[0]! - 1, width], (at) => {
    const [s, c] = [Math.floor(at / width), at % width];
    const start = offsets.data[s]!;
    const [first, end] = [start + skip, offsets.data[s + 1]!];
    if (first >= end) return 0;
    const values = Array.from({ length: end - first }, (_, i) => row(x, first + i)[c]!);
    const weighted = (weight: (i: number) => number) => values.reduce((sum, value, i) => sum + weight(i) * value, 0);
    const position = (i: number) => skip + i + 1; // from 1, in the whole sequence
    const positions = values.reduce((sum, _, i) => sum + position(i), 0);
    switch (mode) {
      case "mean":
        return weighted(() => 1 / values.length);
      case "mean_sqrt_len":
        return weighted(() => 1 / Math.sqrt(values.length));
      case "weightedmean":
        return weighted((i) => position(i) / positions);
      case "cls":
        return values[0]!;
      case "lasttoken":
        return values.at(-1)!;
      case "max":
        return Math.max(...values);
    }
  });
}
