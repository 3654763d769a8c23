/** Layers in numbers of 8 bits, to the bit: the contract says where what is rounded. */
import { type Tensor, tensor } from "../tensor.ts";
import { row } from "./rows.ts";

const { fround } = Math;

/** The nearest whole number, of two the even one. */
function nearest(x: number): number {
  const below = Math.floor(x);
  const isUp = x - below === 0.5 ? below % 2 !== 0 : x - below > 0.5;
  return isUp ? below + 1 : below;
}

/** Whole numbers, and what they are multiplied with. */
function quantizeRow(x: Float64Array): { readonly q: Float64Array; readonly scale: number } {
  if (!x.every(Number.isFinite)) return { q: new Float64Array(x.length), scale: NaN };
  const max = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (max < 2 ** -100) return { q: new Float64Array(x.length), scale: 0 };
  const by = fround(127 / max);
  return { q: x.map((value) => nearest(fround(value * by))), scale: fround(max / 127) };
}

/** y = Σ qₐ q_b · (sₐ s_b) + bias; a [M, K], weight [N, K] */
export function int8Layer(a: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [M, N] = [a.shape[0]!, weight.shape[0]!];
  const rows = Array.from({ length: M }, (_, m) => quantizeRow(row(a, m)));
  const columns = Array.from({ length: N }, (_, n) => quantizeRow(row(weight, n)));
  return tensor([M, N], (i) => {
    const [x, w] = [rows[Math.floor(i / N)]!, columns[i % N]!];
    const sum = x.q.reduce((sum, value, k) => sum + value * w.q[k]!, 0);
    const product = fround(fround(sum) * fround(x.scale * w.scale));
    return bias === undefined ? product : fround(product + bias.data[i % N]!);
  });
}
