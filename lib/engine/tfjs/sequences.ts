/**
 * Attention and pooling: TensorFlow.js knows only rectangles, so packed rows are padded here and unpadded again.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Attention, AttentionResult, Engine, Handle, PoolingMode } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Core } from "./memory.ts";
import { attentionMask } from "./random.ts";
import { oneHotRows, type TfTensor } from "./tensorflow.ts";

/** Where each row goes in a rectangle of n sequences by L positions, and back. */
function layout(offsets: Int32Array, tokens: number) {
  const n = offsets.length - 1;
  let length = 1;
  for (let s = 0; s < n; s++) length = Math.max(length, offsets[s + 1]! - offsets[s]!);
  const pad = new Int32Array(n * length).fill(tokens); // the row behind the last is zero
  const unpad = new Int32Array(tokens).fill(n * length);
  for (let s = 0; s < n; s++) {
    for (let token = offsets[s]!; token < offsets[s + 1]!; token++) {
      const place = s * length + token - offsets[s]!;
      pad[place] = token;
      unpad[token] = place;
    }
  }
  return { n, length, pad, unpad };
}

/** The kernels of sequences. */
export type SequenceKernels = Pick<
  Engine,
  "attention" | "attentionBackward" | "pool" | "poolBackward" | "gatherPool" | "scatterPool"
>;

/** See the Engine contract. */
export function sequenceKernels({ tf, make, makeAll, set, get, host }: Core): SequenceKernels {
  const ints = (values: Int32Array, shape: readonly number[] = [values.length]) => tf.tensor(values, shape, "int32");
  /** [T, C] → rows of another order; index T stands for a row of zeros. */
  const pick = (x: TfTensor, rows: Int32Array) => tf.gather(tf.concat([x, tf.zeros([1, x.shape[1]!])], 0), ints(rows));

  const prepare = (input: Attention) => {
    const { qkv, heads, bias, causal = false, dropout, kvHeads = heads } = input;
    const [tokens, columns] = qkv.shape as [number, number];
    const size = columns / (heads + 2 * kvHeads);
    if (!Number.isInteger(size) || heads % kvHeads !== 0) {
      throw new EngineError("attention: the heads do not divide the columns", {
        expected: `a multiple of ${heads} + 2 · ${kvHeads} columns, and as many query heads for each key head`,
        found: `[${qkv.shape}]`,
      });
    }
    const { scale = 1 / Math.sqrt(size), window = Infinity } = input;
    if (bias !== undefined) expectShape("attention", bias, [undefined, heads]);
    const offsets = host(input.offsets) as Int32Array;
    const { n, length, pad, unpad } = layout(offsets, tokens);
    /** Head `first` and those behind it, of columns [T, …] → [n, count, L, D]. */
    const split = (x: TfTensor, first: number, count: number) => {
      const part = tf.slice(x, [0, first * size], [tokens, count * size]);
      return tf.transpose(tf.reshape(pick(part, pad), [n, length, count, size]), [0, 2, 1, 3]);
    };
    const merge = (x: TfTensor, columns: number) =>
      pick(tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [n * length, columns]), unpad);
    /** The key head of each query head, [n, kvHeads, L, D] → [n, heads, L, D], and the sums back. */
    const group = heads / kvHeads;
    const spread = (x: TfTensor) =>
      group === 1 ? x : tf.gather(x, ints(Int32Array.from({ length: heads }, (_, i) => Math.floor(i / group))), 1);
    const gatherGroups = (x: TfTensor) =>
      group === 1
        ? x
        : tf.reshape(tf.sum(tf.reshape(x, [n, kvHeads, group, length * size]), 2), [n, kvHeads, length, size]);
    const queries = () => split(get(qkv), 0, heads);
    const keys = () => spread(split(get(qkv), heads, kvHeads));
    const values = () => spread(split(get(qkv), heads + kvHeads, kvHeads));
    const hidden = new Float32Array(n * length * length);
    for (let s = 0; s < n; s++) {
      const count = offsets[s + 1]! - offsets[s]!;
      for (let i = 0; i < length; i++) {
        for (let j = 0; j < length; j++) {
          if (j >= count || (causal && j > i) || Math.abs(i - j) > window) {
            hidden[(s * length + i) * length + j] = -1e30;
          }
        }
      }
    }
    const span = bias === undefined ? 0 : (bias.shape[0]! + 1) / 2;
    const distances = new Int32Array(length * length).map((_, at) => at % length - Math.floor(at / length) + span - 1);
    if (bias !== undefined && span < length) {
      throw new EngineError("attention: the bias covers too few positions", { found: `[${bias.shape}]` });
    }
    const scores = () => {
      let s = tf.mul(tf.matMul(queries(), keys(), false, true), tf.scalar(scale));
      if (bias !== undefined) {
        const rows = tf.gather(get(bias), ints(distances));
        s = tf.add(s, tf.transpose(tf.reshape(rows, [length, length, heads]), [2, 0, 1]));
      }
      s = tf.add(s, tf.tensor(hidden, [n, 1, length, length], "float32"));
      const most = tf.max(s, 3, true);
      const weights = tf.exp(tf.sub(s, most));
      const total = tf.sum(weights, 3, true);
      return { p: tf.div(weights, total), logSumExp: tf.add(most, tf.log(total)) };
    };
    const kept = () => {
      if (dropout === undefined || dropout.rate === 0) return undefined;
      const mask = attentionMask(dropout, host(dropout.places) as Int32Array, offsets, heads, length);
      return tf.tensor(mask, [n, heads, length, length], "float32");
    };
    const width = heads * size;
    return {
      heads,
      kvHeads,
      size,
      width,
      scale,
      length,
      distances,
      merge,
      scores,
      kept,
      queries,
      keys,
      values,
      gatherGroups,
      byHead: (x: TfTensor) => split(x, 0, heads),
    };
  };

  /** Pooling that is a weighted sum: rows, the sequence of each, and their weights. */
  const weights = (offsets: Int32Array, mode: PoolingMode, skip: number) => {
    const [rows, segments, factors]: [number[], number[], number[]] = [[], [], []];
    for (let s = 0; s < offsets.length - 1; s++) {
      const [first, end] = [offsets[s]!, offsets[s + 1]!];
      const count = end - first - skip;
      const positions = count * (count + 1) / 2 + skip * count; // Σ of skip + 1 … length
      for (let row = first + skip; row < end; row++) {
        if (mode === "cls" && row !== first + skip) continue;
        if (mode === "lasttoken" && row !== end - 1) continue;
        rows.push(row);
        segments.push(s);
        factors.push(
          mode === "mean"
            ? 1 / count
            : mode === "mean_sqrt_len"
            ? 1 / Math.sqrt(count)
            : mode === "weightedmean"
            ? (row - first + 1) / positions
            : 1,
        );
      }
    }
    return {
      rows: Int32Array.from(rows),
      segments: Int32Array.from(segments),
      factors: () => tf.tensor(Float32Array.from(factors), [rows.length, 1], "float32"),
    };
  };
  /** Offsets of what is left without the first tokens, as rows of a rectangle. */
  const unskipped = (offsets: Int32Array, skip: number, tokens: number) => {
    const { n, length, pad, unpad } = layout(offsets, tokens);
    for (let s = 0; s < n; s++) {
      for (let p = 0; p < Math.min(skip, offsets[s + 1]! - offsets[s]!); p++) {
        unpad[offsets[s]! + p] = n * length;
        pad[s * length + p] = tokens;
      }
    }
    return { n, length, pad, unpad };
  };
  /** [n, L, H] with −10³⁸ where there is no token. */
  const candidates = (x: Handle, at: ReturnType<typeof unskipped>) => {
    const tokens = x.shape[0]!;
    const nowhere = Float32Array.from(at.pad, (row) => row === tokens ? -1e38 : 0);
    return tf.add(
      tf.reshape(pick(get(x), at.pad), [at.n, at.length, x.shape[1]!]),
      tf.tensor(nowhere, [at.n, at.length, 1], "float32"),
    );
  };

  return {
    attention(input): AttentionResult {
      const { width, heads, merge, values, scores, kept } = prepare(input);
      const [out, logSumExp] = makeAll(() => {
        const { p, logSumExp } = scores();
        const mask = kept();
        return [
          merge(tf.matMul(mask === undefined ? p : tf.mul(p, mask), values()), width),
          merge(logSumExp, heads),
        ];
      });
      return { out: out!, logSumExp: logSumExp! };
    },
    attentionBackward(input, _forward, dOut, dBias): Handle {
      // dV = (P ⊙ M)ᵀ dO;  dP = (dO Vᵀ) ⊙ M;  dS = P ⊙ (dP − Σⱼ P dP);  dQ = s dS K;  dK = s dSᵀ Q, s the scale
      const { heads, kvHeads, size, width, scale, length, distances, ...of } = prepare(input);
      const [dQkv, byPair] = makeAll(() => {
        const { p } = of.scores();
        const mask = of.kept();
        const dO = of.byHead(get(dOut));
        const product = tf.matMul(dO, of.values(), false, true);
        const dP = mask === undefined ? product : tf.mul(product, mask);
        const dS = tf.mul(p, tf.sub(dP, tf.sum(tf.mul(p, dP), 3, true)));
        const scaled = tf.mul(dS, tf.scalar(scale));
        const dK = of.gatherGroups(tf.matMul(scaled, of.queries(), true));
        const dV = of.gatherGroups(tf.matMul(mask === undefined ? p : tf.mul(p, mask), dO, true));
        const gradients = tf.concat([
          of.merge(tf.matMul(scaled, of.keys()), width),
          of.merge(dK, kvHeads * size),
          of.merge(dV, kvHeads * size),
        ], 1);
        if (dBias === undefined) return [gradients];
        return [gradients, tf.reshape(tf.transpose(tf.sum(dS, 0), [1, 2, 0]), [length * length, heads])];
      });
      if (dBias !== undefined) {
        const places = () => ints(distances, [distances.length, 1]);
        set(dBias, () => tf.add(get(dBias), tf.scatterND(places(), get(byPair!), dBias.shape)));
      }
      return dQkv!;
    },

    pool(x, offsets, mode, skip = 0) {
      const ends = host(offsets) as Int32Array;
      const [tokens, width] = x.shape as [number, number];
      if (mode === "max") {
        const at = unskipped(ends, skip, tokens);
        return make(() => {
          const most = tf.max(candidates(x, at), 1);
          return tf.where(tf.less(most, tf.scalar(-5e37)), tf.zeros(most.shape), most);
        });
      }
      const { rows, segments, factors } = weights(ends, mode, skip);
      const shape = [ends.length - 1, width];
      if (rows.length === 0) return make(() => tf.zeros(shape));
      return make(() =>
        tf.scatterND(ints(segments, [segments.length, 1]), tf.mul(tf.gather(get(x), ints(rows)), factors()), shape)
      );
    },
    gatherPool(table, ids, offsets, mode, skip = 0) {
      const { rows, segments, factors } = weights(host(offsets) as Int32Array, mode, skip);
      const shape = [offsets.shape[0]! - 1, table.shape[1]!];
      if (rows.length === 0) return make(() => tf.zeros(shape));
      const chosen = rows.map((row) => (host(ids) as Int32Array)[row]!);
      return make(() =>
        tf.scatterND(ints(segments, [rows.length, 1]), tf.mul(tf.gather(get(table), ints(chosen)), factors()), shape)
      );
    },
    scatterPool(dTable, ids, offsets, dy, mode, skip = 0) {
      const { rows, segments, factors } = weights(host(offsets) as Int32Array, mode, skip);
      if (rows.length === 0) return;
      const chosen = rows.map((row) => (host(ids) as Int32Array)[row]!);
      set(dTable, () => {
        const parts = tf.mul(tf.gather(get(dy), ints(segments)), factors());
        return tf.add(get(dTable), tf.scatterND(ints(chosen, [rows.length, 1]), parts, dTable.shape));
      });
    },
    poolBackward(dy, x, _pooled, offsets, mode, skip = 0) {
      const ends = host(offsets) as Int32Array;
      const [tokens, width] = x.shape as [number, number];
      expectShape("poolBackward", dy, [ends.length - 1, width]);
      if (mode === "max") {
        const at = unskipped(ends, skip, tokens);
        return make(() => {
          const first = tf.reshape(tf.argMax(candidates(x, at), 1), [at.n * width]);
          const chosen = tf.reshape(oneHotRows(tf, first, at.length), [at.n, width, at.length]);
          const dx = tf.transpose(tf.mul(chosen, tf.reshape(get(dy), [at.n, width, 1])), [0, 2, 1]);
          return pick(tf.reshape(dx, [at.n * at.length, width]), at.unpad);
        });
      }
      const { rows, segments, factors } = weights(ends, mode, skip);
      if (rows.length === 0) return make(() => tf.zeros(x.shape));
      return make(() =>
        tf.scatterND(ints(rows, [rows.length, 1]), tf.mul(tf.gather(get(dy), ints(segments)), factors()), x.shape)
      );
    },
  };
}
