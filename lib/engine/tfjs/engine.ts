/**
 * The tfjs engine: the Engine contract on TensorFlow.js. A second opinion on every kernel, and a way to the processors
 * that TensorFlow reaches; not fast.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type Activation, type Dropout, type Engine, type Handle, sizeOf } from "../engine.ts";
import { expectShape, expectSize } from "../shapes.ts";
import { lossKernels, type LossOptions } from "./losses.ts";
import { createCore } from "./memory.ts";
import { rowMask } from "./random.ts";
import { sequenceKernels } from "./sequences.ts";
import { loadTensorFlow, type TfjsBackend, type TfTensor } from "./tensorflow.ts";

/** Options of {@linkcode createTfjsEngine}. */
export interface TfjsOptions extends LossOptions {
  /** Bytes that the activations of one micro-batch may take. Default 1 GiB. */
  readonly activationBudget?: number | undefined;
}

/** Loads TensorFlow.js and starts an engine on one of its backends; an `EngineError` where that backend is missing. */
export async function createTfjsEngine(backend: TfjsBackend, options: TfjsOptions = {}): Promise<Engine> {
  const { tf, name, version } = await loadTensorFlow(backend);
  const core = createCore(tf, name);
  const { make, makeAll, set, get, host } = core;
  const number = tf.scalar.bind(tf);
  const times = (x: TfTensor, by: number) => tf.mul(x, number(by));
  const plus = (x: TfTensor, by: number) => tf.add(x, number(by));
  const typeOf = (dtype: string) => dtype === "f32" ? "float32" : "int32";

  const tensor = (data: Float32Array | Int32Array, shape: readonly number[]) =>
    tf.tensor(data.slice(), shape, data instanceof Float32Array ? "float32" : "int32");
  const C = Math.sqrt(2 / Math.PI);
  const gate = (z: TfTensor, by: number) => tf.sigmoid(times(z, by));
  const activations: Readonly<Record<Activation, (z: TfTensor) => TfTensor>> = {
    gelu: (z) => times(tf.mul(z, plus(tf.erf(times(z, Math.SQRT1_2)), 1)), 0.5),
    geluTanh(z) {
      const inner = times(tf.add(z, times(tf.mul(z, tf.square(z)), 0.044715)), C);
      return times(tf.mul(z, plus(tf.tanh(inner), 1)), 0.5);
    },
    tanh: (z) => tf.tanh(z),
    relu: (z) => tf.relu(z),
    silu: (z) => tf.mul(z, gate(z, 1)),
    quickGelu: (z) => tf.mul(z, gate(z, 1.702)),
    sigmoid: (z) => tf.sigmoid(z),
    leakyRelu: (z) => tf.maximum(z, times(z, 0.01)),
    squaredRelu: (z) => tf.square(tf.relu(z)),
  };
  const isPositive = (z: TfTensor) => tf.cast(tf.greater(z, number(0)), "float32");
  const rest = (s: TfTensor) => plus(times(s, -1), 1);
  /** d/dz z σ(c z) = σ (1 + c z (1 − σ)) */
  const gatedSlope = (z: TfTensor, c: number) => {
    const s = gate(z, c);
    return tf.mul(s, plus(tf.mul(times(z, c), rest(s)), 1));
  };
  const slopes: Readonly<Record<Activation, (z: TfTensor) => TfTensor>> = {
    gelu(z) {
      const density = times(tf.exp(times(tf.square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
      return tf.add(times(plus(tf.erf(times(z, Math.SQRT1_2)), 1), 0.5), tf.mul(z, density));
    },
    geluTanh(z) {
      const squared = tf.square(z);
      const t = tf.tanh(times(tf.add(z, times(tf.mul(z, squared), 0.044715)), C));
      const rise = tf.mul(rest(tf.square(t)), times(plus(times(squared, 3 * 0.044715), 1), C));
      return times(tf.add(plus(t, 1), tf.mul(z, rise)), 0.5);
    },
    tanh: (z) => rest(tf.square(tf.tanh(z))),
    relu: isPositive,
    silu: (z) => gatedSlope(z, 1),
    quickGelu: (z) => gatedSlope(z, 1.702),
    sigmoid: (z) => tf.mul(tf.sigmoid(z), rest(tf.sigmoid(z))),
    leakyRelu: (z) => plus(times(isPositive(z), 0.99), 0.01),
    squaredRelu: (z) => times(tf.relu(z), 2),
  };
  const masked = (x: Handle, dropout: Dropout | undefined): TfTensor => {
    if (dropout === undefined || dropout.rate === 0) return get(x);
    const mask = rowMask(dropout, host(dropout.places) as Int32Array, x.shape[0]!, x.shape[1]!);
    return tf.mul(get(x), tf.tensor(mask, x.shape, "float32"));
  };
  const single = (x: Handle) => sizeOf(x.shape) === 1;

  return {
    info: {
      name: `tfjs:${backend}`,
      backend: backend === "js" ? "js" : "tensorflow",
      device: backend === "gpu" ? "gpu" : Deno.build.arch,
      gemm: backend === "js" ? "js" : "tensorflow",
      library: version,
      threads: backend === "js" ? 1 : navigator.hardwareConcurrency,
      precision: "fp32",
    },
    rank: 0,
    worldSize: 1,
    ...sequenceKernels(core),
    ...lossKernels(core, options),

    variable: (shape, { dtype = "f32" } = {}) => core.variable(shape, dtype),
    block: core.block,
    free: core.free,
    zeros: (shape, dtype = "f32") => make(() => tf.zeros(shape, typeOf(dtype)), dtype),
    empty: (shape, dtype = "f32") => make(() => tf.zeros(shape, typeOf(dtype)), dtype),
    full: (shape, value) => make(() => tf.fill(shape, value, "float32")),
    upload(data, shape) {
      if (sizeOf(shape) !== data.length) {
        throw new EngineError("upload: wrong number of values", { expected: `[${shape}]`, found: `${data.length}` });
      }
      return make(() => tensor(data, shape), data instanceof Float32Array ? "f32" : "i32");
    },
    write(target, data, offset = 0) {
      const size = sizeOf(target.shape);
      if (offset + data.length > size) {
        throw new EngineError("more values than the tensor has room for", {
          expected: `at most ${size - offset} from element ${offset} of [${target.shape}]`,
          found: `${data.length}`,
        });
      }
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
    sliceRows: (x, start, end) =>
      make(
        () => tf.slice(get(x), [start, ...x.shape.slice(1).map(() => 0)], [end - start, ...x.shape.slice(1)]),
        x.dtype,
      ),
    sliceColumns: (x, start, end) => make(() => tf.slice(get(x), [0, start], [x.shape[0]!, end - start]), x.dtype),
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
    activationBackward(activation, z, dy) {
      expectShape("activationBackward", dy, z.shape);
      return make(() => tf.mul(get(dy), slopes[activation](get(z))));
    },
    activate: (activation, x) => make(() => activations[activation](get(x))),

    gather: (table, ids) => make(() => tf.gather(get(table), get(ids))),
    scatterAdd(dTable, ids, dy) {
      const count = ids.shape[0]!;
      if (count === 0) return;
      set(
        dTable,
        () => tf.add(get(dTable), tf.scatterND(tf.reshape(get(ids), [count, 1]), get(dy), dTable.shape)),
      );
    },

    layerNorm(x, gamma, beta, epsilon, { residual, dropout } = {}) {
      expectShape("layerNorm", gamma, x.shape.slice(1));
      if (beta !== undefined) expectShape("layerNorm", beta, x.shape.slice(1));
      if (residual !== undefined) expectShape("layerNorm", residual, x.shape);
      const [y, sum, statistics] = makeAll(() => {
        const dropped = masked(x, dropout);
        const s = residual === undefined ? tf.clone(dropped) : tf.add(dropped, get(residual));
        const mean = tf.mean(s, 1, true);
        const centred = tf.sub(s, mean);
        const inverse = tf.reciprocal(tf.sqrt(plus(tf.mean(tf.square(centred), 1, true), epsilon)));
        const scaled = tf.mul(tf.mul(centred, inverse), get(gamma));
        return [beta === undefined ? scaled : tf.add(scaled, get(beta)), s, tf.concat([mean, inverse], 1)];
      });
      return { y: y!, sum: sum!, statistics: statistics! };
    },
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta) {
      // ds = (g − mean(g) − x̂ · mean(g ⊙ x̂)) / σ, g = dy ⊙ γ
      const rows = dy.shape[0]!;
      const inverse = () => tf.slice(get(statistics), [0, 1], [rows, 1]);
      const normal = () => tf.mul(tf.sub(get(sum), tf.slice(get(statistics), [0, 0], [rows, 1])), inverse());
      if (dGamma !== undefined) set(dGamma, () => tf.add(get(dGamma), tf.sum(tf.mul(get(dy), normal()), 0)));
      if (dBeta !== undefined) set(dBeta, () => tf.add(get(dBeta), tf.sum(get(dy), 0)));
      return make(() => {
        const [g, n] = [tf.mul(get(dy), get(gamma)), normal()];
        const along = tf.mul(n, tf.mean(tf.mul(g, n), 1, true));
        return tf.mul(tf.sub(tf.sub(g, tf.mean(g, 1, true)), along), inverse());
      });
    },
    dropout: (x, dropout) => make(() => tf.clone(masked(x, dropout))),

    normalizeRows(x, epsilon) {
      const [y, norms] = makeAll(() => {
        const norm = tf.sqrt(tf.sum(tf.square(get(x)), 1, true));
        return [tf.div(get(x), tf.maximum(norm, number(epsilon))), tf.reshape(norm, [x.shape[0]!])];
      });
      return { y: y!, norms: norms! };
    },
    normalizeRowsBackward: (dy, y, norms, epsilon) =>
      make(() => {
        const norm = tf.reshape(get(norms), [dy.shape[0]!, 1]);
        const along = tf.mul(get(y), tf.sum(tf.mul(get(dy), get(y)), 1, true));
        const free = tf.cast(tf.greaterEqual(norm, number(epsilon)), "float32");
        return tf.div(tf.sub(get(dy), tf.mul(along, free)), tf.maximum(norm, number(epsilon)));
      }),

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
    scaleRows: (x, r) => make(() => tf.mul(get(x), tf.reshape(get(r), [x.shape[0]!, 1]))),
    rowReduce: (kind, x) => make(() => tf[kind](get(x), 1)),
    columnSum(x, { out, accumulate = false } = {}) {
      if (out === undefined) return make(() => tf.sum(get(x), 0));
      set(out, () => accumulate ? tf.add(get(out), tf.sum(get(x), 0)) : tf.sum(get(x), 0));
      return out;
    },
    sum: (x) => make(() => tf.reshape(tf.sum(get(x)), [1])),

    allReduce() {},
    allGather: (x) => x,
  };
}
