/** Matrix products. */
import type { Activation } from "../../../../lib/engine/engine.ts";
import { sizeOf, type Tensor, tensor } from "../tensor.ts";
import { activations } from "./activations.ts";
import { row } from "./rows.ts";

/** [R, C] → [C, R] */
export function transpose({ shape, data }: Tensor): Tensor {
  const [rows, columns] = shape as [number, number];
  return tensor([columns, rows], (i) => data[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** Element b of a batch [B, …]. */
export function element({ shape, data }: Tensor, b: number): Tensor {
  const size = sizeOf(shape.slice(1));
  return { shape: shape.slice(1), data: data.slice(b * size, (b + 1) * size) };
}

/** Y[m, n] = Σₖ A[m, k] B[k, n] */
function product(a: Tensor, b: Tensor): Tensor {
  const [M, K] = a.shape as [number, number];
  const N = b.shape[1]!;
  const y = new Float64Array(M * N);
  for (let m = 0; m < M; m++) {
    for (let k = 0; k < K; k++) {
      for (let n = 0; n < N; n++) y[m * N + n]! += a.data[m * K + k]! * b.data[k * N + n]!;
    }
  }
  return { shape: [M, N], data: y };
}

export interface ProductOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
  /** [N] */
  readonly bias?: Tensor | undefined;
  /** What stood in `out`, where the product is added to it. */
  readonly before?: Tensor | undefined;
}

/** before + scale · A B + bias, also of batches. */
export function matmul(a: Tensor, b: Tensor, options: ProductOptions = {}): Tensor {
  const { transposeA = false, transposeB = false, scale = 1, bias, before } = options;
  if (a.shape.length === 3) {
    const parts = Array.from({ length: a.shape[0]! }, (_, i) =>
      matmul(element(a, i), element(b, i), {
        ...options,
        ...(before !== undefined && { before: element(before, i) }),
      }));
    const shape = [parts.length, ...parts[0]!.shape];
    return { shape, data: Float64Array.from(parts.flatMap(({ data }) => [...data])) };
  }
  const { shape, data } = product(transposeA ? transpose(a) : a, transposeB ? transpose(b) : b);
  return tensor(shape, (i) => {
    const added = (before?.data[i] ?? 0) + (bias?.data[i % shape[1]!] ?? 0);
    return scale * data[i]! + added;
  });
}

/** f(x) */
export function activate(activation: Activation, x: Tensor): Tensor {
  return tensor(x.shape, (i) => activations[activation](x.data[i]!));
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
