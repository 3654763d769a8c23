/** What every engine refuses: before the kernel is enqueued, and by name. */
import type { Engine } from "../../../lib/engine/engine.ts";

const zeros = (engine: Engine, ...shape: number[]) => engine.zeros(shape);
const numbers = (engine: Engine, ...values: number[]) => engine.upload(Int32Array.from(values), [values.length]);
const best = (engine: Engine, ...shape: number[]) => ({
  values: zeros(engine, ...shape),
  indices: engine.zeros(shape, "i32"),
});
/** An engine may do without it, and says so. */
const int8 = (engine: Engine, ...shape: number[]) => engine.variable(shape, { dtype: "i8" });

/** Each is an `EngineError` whose message begins with the name of the kernel, or says what is too much. */
export const refusals: readonly (readonly [RegExp, (engine: Engine) => unknown])[] = [
  [/^upload: /, (e) => e.upload(new Float32Array(3), [2, 2])],
  [/more values than the tensor has room for/, (e) => e.write(zeros(e, 2, 2), new Float32Array(2), 3)],
  [
    /^upload: wrong number of values\n.{0,120}… 1,000,000 numbers\]\n {2}found: {4}2\n.{0,120}$/, // data and shape swapped
    (e) => e.upload(Float32Array.of(1000, 1000), new Float32Array(1e6) as unknown as number[]),
  ],
  [/^copy: /, (e) => e.copy(zeros(e, 4), zeros(e, 5))],
  [/^reshape: /, (e) => e.reshape(zeros(e, 4), [5])],
  [/^concatRows: /, (e) => e.concatRows([zeros(e, 2, 3), zeros(e, 2, 4)])],
  [/^concatColumns: /, (e) => e.concatColumns([zeros(e, 2, 3), zeros(e, 1, 3)])],
  [/^sliceRows: /, (e) => e.sliceRows(zeros(e, 3, 2), 1, 4)],
  [/^sliceRows: /, (e) => e.sliceRows(zeros(e, 3, 2), 2, 1)],
  [/^sliceRows: /, (e) => e.sliceRows(zeros(e, 3, 2), -1, 1)],
  [/^sliceColumns: /, (e) => e.sliceColumns(zeros(e, 3, 2), 1, 3)],
  [/^sliceColumns: /, (e) => e.sliceColumns(zeros(e, 3, 2), 0.5, 1)],
  [/^scaleRows: /, (e) => e.scaleRows(zeros(e, 3, 2), zeros(e, 2))],
  [/^columnSum: /, (e) => e.columnSum(zeros(e, 3, 2), { out: zeros(e, 1) })],
  [/^scatterAdd: /, (e) => e.scatterAdd(zeros(e, 3, 2), numbers(e, 0, 1), zeros(e, 1, 2))],
  [/^scatterAdd: /, (e) => e.scatterAdd(zeros(e, 3, 2), numbers(e, 0, 1), zeros(e, 2, 3))],
  [/^crossEntropy: /, (e) => e.crossEntropy(zeros(e, 3, 2), numbers(e, 0, 1))],
  [/^crossEntropyBackward: /, (e) => e.crossEntropyBackward(zeros(e, 1), zeros(e, 3, 2), numbers(e, 0, 1))],
  [/^layerNormBackward: /, (e) => {
    const forward = e.layerNorm(zeros(e, 3, 2), zeros(e, 2), undefined, 1e-5);
    e.layerNormBackward(zeros(e, 4, 2), forward, zeros(e, 2), undefined, undefined);
  }],
  [/^rmsNormBackward: /, (e) => {
    e.rmsNormBackward(zeros(e, 4, 2), e.rmsNorm(zeros(e, 3, 2), zeros(e, 2), 1e-5), zeros(e, 2), undefined);
  }],
  [/^poolBackward: /, (e) => {
    const [x, offsets] = [zeros(e, 3, 2), numbers(e, 0, 3)];
    e.poolBackward(zeros(e, 2, 2), x, e.pool(x, offsets, "mean"), offsets, "mean");
  }],
  [/^matmul: /, (e) => e.matmul(zeros(e, 2, 3), zeros(e, 2, 3))],
  [
    /^matmul: /,
    (e) => e.matmul(zeros(e, 2, 3), zeros(e, 3, 2), { transposeA: true }),
  ],
  [/^matmul: /, (e) => e.matmul(zeros(e, 4, 2, 3), zeros(e, 3, 3, 2))],
  [/^matmul: /, (e) => e.matmul(zeros(e, 2, 3), zeros(e, 3, 2), { bias: zeros(e, 3) })],
  [/^matmul: /, (e) => e.matmul(zeros(e, 2, 3), zeros(e, 3, 2), { preactivation: zeros(e, 2, 1) })],
  [/^matmul: /, (e) => e.matmul(zeros(e, 2, 3), zeros(e, 3, 2), { out: zeros(e, 3, 2) })],
  [/i(nt)?8/, (e) => int8(e, 2, 3, 4)],
  [/^matmul: |i8/, (e) => e.matmul(zeros(e, 2, 4), int8(e, 5, 3), { transposeB: true })],
  [/i(nt)?8/, (e) => e.matmul(zeros(e, 2, 3), int8(e, 3, 3))],
  [/i(nt)?8/, (e) => e.matmul(zeros(e, 2, 3), int8(e, 5, 3), { transposeB: true, scale: 2 })],
  [/i(nt)?8/, (e) => e.reshape(int8(e, 2, 6), [3, 4])],
  [/i(nt)?8/, (e) => e.sliceRows(int8(e, 4, 4), 0, 2)],
  [/i(nt)?8/, (e) => e.write(int8(e, 2, 6), new Float32Array(1))],
  [/more values|i8/, (e) => e.write(int8(e, 2, 6), new Float32Array(6), 12)],
  [/^activationBackward: /, (e) => e.activationBackward("gelu", zeros(e, 2, 3), zeros(e, 3, 2))],
  [/^layerNorm: /, (e) => e.layerNorm(zeros(e, 2, 3), zeros(e, 2), zeros(e, 3), 1e-5)],
  [/^layerNorm: /, (e) => e.layerNorm(zeros(e, 2, 3), zeros(e, 3), zeros(e, 2), 1e-5)],
  [/^layerNorm: /, (e) => e.layerNorm(zeros(e, 2, 3), zeros(e, 3), zeros(e, 3), 1e-5, { residual: zeros(e, 3, 3) })],
  [/^attention: /, (e) => attend(e, { heads: 4 })],
  [/^attention: /, (e) => attend(e, { bias: [5, 3] })],
  [/^attention: the bias covers too few positions/, (e) => attend(e, { bias: [3, 2] })],
  [/^add: /, (e) => e.binary("add", zeros(e, 3), zeros(e, 2))],
  [/^addTo: /, (e) => e.addTo(zeros(e, 3), zeros(e, 2))],
  [/^topK: /, (e) => e.topK(zeros(e, 2, 3), 4)],
  [/^topK: /, (e) => e.topK(zeros(e, 2, 3), 4, { ...best(e, 2, 3), from: 0 })],
  [/^topK: /, (e) => e.topK(zeros(e, 2, 3), 3, { ...best(e, 1, 3), from: 0 })],
  [/^topProducts: /, (e) => e.topProducts(zeros(e, 2, 3), zeros(e, 5, 4), 1)],
  [/^topProducts: /, (e) => e.topProducts(zeros(e, 2, 3), zeros(e, 5, 3), 6)],
  [/^topProducts: /, (e) => e.topProducts(zeros(e, 2, 3), zeros(e, 5, 3), 2, { ...best(e, 2, 3), from: 0 })],
];

interface Shapes {
  readonly bias?: number[];
  readonly heads?: number;
}

const attend = (engine: Engine, { bias, heads = 2 }: Shapes) =>
  engine.attention({
    qkv: zeros(engine, 3, 18),
    offsets: engine.upload(Int32Array.of(0, 3), [2]),
    heads,
    maxLength: 3,
    bias: bias === undefined ? undefined : zeros(engine, ...bias),
  });
