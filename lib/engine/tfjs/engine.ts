/**
 * The tfjs engine: the Engine contract on TensorFlow.js. A second opinion on every kernel, and a way to the processors
 * that TensorFlow reaches; not fast.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { EngineError } from "../../error.ts";
import { type Engine, type Handle, sizeOf } from "../engine.ts";
import { expectRange, expectRoom, expectShape, expectSize, expectTopK, expectValues } from "../shapes.ts";
import { activationKernels, activationsOf } from "./activations.ts";
import { lossKernels, type LossOptions } from "./losses.ts";
import { createCore } from "./memory.ts";
import { normKernels } from "./norms.ts";
import { rotaryKernels } from "./rotary.ts";
import { sequenceKernels } from "./sequences.ts";
import { loadTensorFlow, type TfjsBackend, type TfTensor } from "./tensorflow.ts";
import { topOfProduct } from "../top_of_product.ts";

/** Options of {@linkcode createTfjsEngine}. */
export interface TfjsOptions extends LossOptions {
  /** Bytes that the activations of one micro-batch may take. Default 1 GiB. */
  readonly activationBudget?: number | undefined;
}

/** What topk sees of −∞ and of NaN: it subtracts what it compares. */
const LOWEST = -(2 - 2 ** -23) * 2 ** 127;

/** Loads TensorFlow.js and starts an engine on one of its backends; an `EngineError` where that backend is missing. */
export async function createTfjsEngine(
  backend: TfjsBackend,
  options: TfjsOptions = {},
): Promise<Engine> {
  const { tf, name, version } = await loadTensorFlow(backend);
  const core = createCore(tf, name);
  const { make, makeAll, set, get, host } = core;
  const number = tf.scalar.bind(tf);
  const times = (x: TfTensor, by: number) => tf.mul(x, number(by));
  const plus = (x: TfTensor, by: number) => tf.add(x, number(by));
  const typeOf = (dtype: string) => dtype === "f32" ? "float32" : "int32";

  const tensor = (data: Float32Array | Int32Array, shape: readonly number[]) =>
    tf.tensor(data.slice(), shape, data instanceof Float32Array ? "float32" : "int32");
  const activations = activationsOf(tf);
  const single = (x: Handle) => sizeOf(x.shape) === 1;

  const threads = backend === "js" ? 1 : navigator.hardwareConcurrency;
  const engine: Engine = {
    info: {
      name: `tfjs:${backend}`,
      backend: backend === "js" ? "js" : "tensorflow",
      device: backend === "gpu" ? "gpu" : Deno.build.arch,
      kernels: `${backend === "js" ? "js" : "tensorflow"} ${version}`,
      bits: `tfjs:${backend} ${version}, ${counted(threads, "thread")}`,
      threads,
      precision: "fp32",
      tokenStep: 1,
    },
    rank: 0,
    worldSize: 1,
    ...sequenceKernels(core),
    ...activationKernels(core),
    ...normKernels(core),
    ...rotaryKernels(core),
    ...lossKernels(core, options),

    variable(shape, { dtype = "f32" } = {}) {
      if (dtype === "f32" || dtype === "i32") return core.variable(shape, dtype);
      throw new EngineError(`the tfjs engine has no ${dtype}`, { hint: "--precision fp32, or --engine cpu" });
    },
    block: core.block,
    free: core.free,
    zeros: (shape, dtype = "f32") => make(() => tf.zeros(shape, typeOf(dtype)), dtype),
    empty: (shape, dtype = "f32") => make(() => tf.zeros(shape, typeOf(dtype)), dtype),
    full: (shape, value) => make(() => tf.fill(shape, value, "float32")),
    upload(data, shape) {
      expectValues("upload", data, shape);
      return make(() => tensor(data, shape), data instanceof Float32Array ? "f32" : "i32");
    },
    write(target, data, offset = 0) {
      expectRoom(target, data, offset);
      const values = host(target).slice();
      values.set(data, offset);
      set(target, () => tensor(values, target.shape));
    },
    async read(source) {
      const copy = tf.tidy(() => tf.clone(get(source))); // the arena may be closed meanwhile
      const values = (await copy.data()).slice() as Float32Array | Int32Array;
      copy.dispose();
      return values;
    },
    release: core.release,
    enter: core.enter,
    exit: core.exit,
    keep(kept) {
      core.keep(kept);
      return kept;
    },
    memory: () => ({ ...core.use(), activationBudget: options.activationBudget ?? 2 ** 30 }),
    close: core.clear,

    fill: (target, value) => set(target, () => tf.fill(target.shape, value, typeOf(target.dtype))),
    copy(target, source) {
      expectSize("copy", source, target.shape);
      set(target, () => tf.reshape(tf.clone(get(source)), target.shape));
    },
    reshape(x, shape) {
      expectSize("reshape", x, shape);
      return { ...x, shape: [...shape] } as Handle;
    },
    cast(x, dtype) {
      if (x.dtype === dtype) return x;
      throw new EngineError(`the tfjs engine has no ${dtype}`, { expected: x.dtype, hint: "--precision fp32" });
    },
    transpose: (x) => make(() => tf.transpose(get(x)), x.dtype),
    sliceRows(x, start, end) {
      const [rows, ...rest] = x.shape;
      expectRange("sliceRows", rows!, start, end);
      return make(() => tf.slice(get(x), [start, ...rest.map(() => 0)], [end - start, ...rest]), x.dtype);
    },
    sliceColumns(x, start, end) {
      const [rows, columns] = x.shape as [number, number];
      expectRange("sliceColumns", columns, start, end);
      return make(() => tf.slice(get(x), [0, start], [rows, end - start]), x.dtype);
    },
    concatRows(parts) {
      for (const part of parts) expectShape("concatRows", part, [undefined, parts[0]!.shape[1]]);
      return make(() => tf.concat(parts.map(get), 0), parts[0]!.dtype);
    },
    concatColumns(parts) {
      for (const part of parts) expectShape("concatColumns", part, [parts[0]!.shape[0], undefined]);
      return make(() => tf.concat(parts.map(get), 1), parts[0]!.dtype);
    },

    matmul(a, b, matmulOptions = {}) {
      const { transposeA = false, transposeB = false, scale = 1, bias, activation, preactivation } = matmulOptions;
      const { out, accumulate = false } = matmulOptions;
      const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
      const [kB, n] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
      if (k !== kB || a.shape.length !== b.shape.length || (a.shape.length === 3 && a.shape[0] !== b.shape[0])) {
        throw new EngineError("matmul: shapes do not fit", {
          found: `[${a.shape}]${transposeA ? "ᵀ" : ""} × [${b.shape}]${transposeB ? "ᵀ" : ""}`,
        });
      }
      const shape = [...a.shape.slice(0, -2), m!, n!];
      if (out !== undefined) expectShape("matmul", out, shape);
      if (bias !== undefined) expectShape("matmul", bias, [n]);
      if (preactivation !== undefined) expectShape("matmul", preactivation, shape);
      const empty = k === 0 || sizeOf(shape) === 0;
      const before = () => {
        let z = empty ? tf.zeros(shape) : tf.matMul(get(a), get(b), transposeA, transposeB);
        if (scale !== 1) z = times(z, scale);
        if (accumulate && out !== undefined) z = tf.add(z, tf.reshape(get(out), shape));
        return bias === undefined ? z : tf.add(z, get(bias));
      };
      const [z, y] = makeAll(() => {
        const z = before();
        return [z, activation === undefined ? tf.clone(z) : activations[activation](z)];
      });
      if (preactivation !== undefined) set(preactivation, () => tf.clone(get(z!)));
      if (out === undefined) return y!;
      set(out, () => tf.clone(get(y!)));
      return out;
    },
    gather: (table, ids) => make(() => tf.gather(get(table), get(ids))),
    scatterAdd(dTable, ids, dy) {
      const count = ids.shape[0]!;
      expectShape("scatterAdd", dy, [count, dTable.shape[1]]);
      if (count === 0) return;
      set(
        dTable,
        () => tf.add(get(dTable), tf.scatterND(tf.reshape(get(ids), [count, 1]), get(dy), dTable.shape)),
      );
    },

    unary: (kind, x) => make(() => tf[kind](get(x))),
    binary(kind, a, b) {
      if (!single(b)) expectSize(kind, b, a.shape);
      const f = { add: tf.add, subtract: tf.sub, multiply: tf.mul, divide: tf.div, maximum: tf.maximum }[kind];
      return make(() => f(get(a), tf.reshape(get(b), single(b) ? [1] : a.shape)));
    },
    affine: (x, a, b = 0) => make(() => plus(times(get(x), a), b)),
    addTo(target, x, scale = 1) {
      expectSize("addTo", x, target.shape);
      set(target, () => tf.add(get(target), tf.reshape(times(get(x), scale), target.shape)));
    },
    scaleRows(x, r) {
      expectSize("scaleRows", r, [x.shape[0]!]);
      return make(() => tf.mul(get(x), tf.reshape(get(r), [x.shape[0]!, 1])));
    },
    rowReduce: (kind, x) => make(() => tf[kind](get(x), 1)),
    columnSum(x, { out, accumulate = false } = {}) {
      if (out === undefined) return make(() => tf.sum(get(x), 0));
      expectSize("columnSum", out, [x.shape[1]!]);
      set(out, () => accumulate ? tf.add(get(out), tf.sum(get(x), 0)) : tf.sum(get(x), 0));
      return out;
    },
    sum: (x) => make(() => tf.reshape(tf.sum(get(x)), [1])),
    topK(x, k, best) {
      const [rows, columns] = expectTopK(x, k, best);
      const before = best === undefined ? [] : [best];
      const from = best?.from ?? 0;
      const [values, indices] = makeAll(() => {
        if (rows === 0 || k === 0) return [tf.zeros([rows, k]), tf.zeros([rows, k], "int32")];
        const all = tf.concat([...before.map(({ values }) => get(values)), get(x)], 1);
        const width = all.size / rows;
        const numbers = Int32Array.from({ length: rows * columns }, (_, i) => from + i % columns);
        const named = tf.concat([...before.map(({ indices }) => get(indices)), tensor(numbers, [rows, columns])], 1);
        const numbered = tf.where(tf.greater(all, number(LOWEST)), all, number(LOWEST)); // a NaN is not
        const first = tensor(Int32Array.from({ length: rows }, (_, row) => row * width), [rows, 1]);
        const places = tf.add(tf.topk(numbered, k, true).indices, first);
        return [all, named].map((each) => tf.gather(tf.reshape(each, [rows * width]), places));
      });
      return { values: values!, indices: { ...indices!, dtype: "i32" } };
    },
    topProducts: (a, b, k, best) => topOfProduct(engine)(a, b, k, best),

    allReduce() {},
    allGather: (x) => x,
  };
  return engine;
}
