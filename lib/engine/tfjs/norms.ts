/**
 * Dropout and normalisation.
 *
 * @module
 */
import type { Dropout, Handle, HeadRange, SumGradientOptions } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { NormKernels } from "../subjects.ts";
import { columnsOf, withColumns } from "./columns.ts";
import type { Core } from "./memory.ts";
import { rowMask } from "./random.ts";
import type { TfTensor } from "./tensorflow.ts";

/** See the Engine contract. */
export function normKernels({ tf, make, makeAll, set, get, host }: Core): NormKernels {
  const number = tf.scalar.bind(tf);
  const masked = (x: Handle, dropout: Dropout | undefined): TfTensor => {
    if (dropout === undefined || dropout.rate === 0) return get(x);
    const mask = rowMask(dropout, host(dropout.places) as Int32Array, x.shape[0]!, x.shape[1]!);
    return tf.mul(get(x), tf.tensor(mask, x.shape, "float32"));
  };
  /** s = dropout(x) + residual */
  const summed = (x: Handle, residual: Handle | undefined, dropout: Dropout | undefined) =>
    residual === undefined ? tf.clone(masked(x, dropout)) : tf.add(masked(x, dropout), get(residual));
  /** 1 / √(mean x² + ε) of each row of [R, H] → [R, 1] */
  const inverseOf = (x: TfTensor, epsilon: number) =>
    tf.reciprocal(tf.sqrt(tf.add(tf.mean(tf.square(x), 1, true), number(epsilon))));
  const addTo = (target: Handle | undefined, compute: () => TfTensor) => {
    if (target !== undefined) set(target, () => tf.add(get(target), compute()));
  };

  /** The gradients of s and of x, of which `compute` gives that of s by the normalisation alone. */
  const passedOn = (compute: () => TfTensor, { added, inPlace = false, dropout }: SumGradientOptions) => {
    const whole = () => added === undefined ? compute() : tf.add(get(added), compute());
    const isOwn = inPlace && added !== undefined;
    if (isOwn) set(added, whole);
    const sum = isOwn ? added : make(whole);
    return { sum, x: dropout === undefined || dropout.rate === 0 ? sum : make(() => masked(sum, dropout)) };
  };

  /** w, or 1 + w */
  const factor = (weight: Handle, onePlus: boolean) => onePlus ? tf.add(get(weight), number(1)) : get(weight);
  /** dx = (g − x̂ · mean(g ⊙ x̂)) / rms, g = dy ⊙ w, x̂ = x / rms */
  const rmsSlope = (dy: TfTensor, x: TfTensor, inverse: TfTensor, w: TfTensor) => {
    const [g, normal] = [tf.mul(dy, w), tf.mul(x, inverse)];
    return tf.mul(tf.sub(g, tf.mul(normal, tf.mean(tf.mul(g, normal), 1, true))), inverse);
  };
  /** The columns of some heads, a row for each: [T · count, D]. */
  const headRows = (x: Handle, { first, count }: HeadRange, size: number) =>
    tf.reshape(columnsOf(tf, get(x), first * size, (first + count) * size), [x.shape[0]! * count, size]);
  const headColumns = (rows: TfTensor, tokens: number) => tf.reshape(rows, [tokens, rows.size / tokens]);

  return {
    dropout: (x, dropout) => make(() => tf.clone(masked(x, dropout))),

    layerNorm(x, gamma, beta, epsilon, { residual, dropout } = {}) {
      expectShape("layerNorm", gamma, x.shape.slice(1));
      if (beta !== undefined) expectShape("layerNorm", beta, x.shape.slice(1));
      if (residual !== undefined) expectShape("layerNorm", residual, x.shape);
      const [y, sum, statistics] = makeAll(() => {
        const s = summed(x, residual, dropout);
        const mean = tf.mean(s, 1, true);
        const centred = tf.sub(s, mean);
        const inverse = inverseOf(centred, epsilon);
        const scaled = tf.mul(tf.mul(centred, inverse), get(gamma));
        return [beta === undefined ? scaled : tf.add(scaled, get(beta)), s, tf.concat([mean, inverse], 1)];
      });
      return { y: y!, sum: sum!, statistics: statistics! };
    },
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta, options = {}) {
      expectShape("layerNormBackward", dy, sum.shape);
      // ds = (g − mean(g) − x̂ · mean(g ⊙ x̂)) / σ, g = dy ⊙ γ
      const inverse = () => columnsOf(tf, get(statistics), 1, 2);
      const normal = () => tf.mul(tf.sub(get(sum), columnsOf(tf, get(statistics), 0, 1)), inverse());
      addTo(dGamma, () => tf.sum(tf.mul(get(dy), normal()), 0));
      addTo(dBeta, () => tf.sum(get(dy), 0));
      return passedOn(() => {
        const [g, n] = [tf.mul(get(dy), get(gamma)), normal()];
        const along = tf.mul(n, tf.mean(tf.mul(g, n), 1, true));
        return tf.mul(tf.sub(tf.sub(g, tf.mean(g, 1, true)), along), inverse());
      }, options);
    },

    rmsNorm(x, weight, epsilon, { residual, dropout, onePlus = false } = {}) {
      expectShape("rmsNorm", weight, x.shape.slice(1));
      if (residual !== undefined) expectShape("rmsNorm", residual, x.shape);
      const [y, sum, statistics] = makeAll(() => {
        const s = summed(x, residual, dropout);
        const inverse = inverseOf(s, epsilon);
        return [tf.mul(tf.mul(s, inverse), factor(weight, onePlus)), s, tf.reshape(inverse, [x.shape[0]!])];
      });
      return { y: y!, sum: sum!, statistics: statistics! };
    },
    rmsNormBackward(dy, { sum, statistics }, weight, dWeight, { onePlus = false, ...options } = {}) {
      expectShape("rmsNormBackward", dy, sum.shape);
      const inverse = () => tf.reshape(get(statistics), [dy.shape[0]!, 1]);
      addTo(dWeight, () => tf.sum(tf.mul(get(dy), tf.mul(get(sum), inverse())), 0));
      return passedOn(() => rmsSlope(get(dy), get(sum), inverse(), factor(weight, onePlus)), options);
    },

    headNorm(x, out, weight, epsilon, heads, onePlus = false) {
      expectShape("headNorm", out, x.shape);
      const [tokens, size] = [x.shape[0]!, weight.shape[0]!];
      const inverse = () => inverseOf(headRows(x, heads, size), epsilon);
      if (tokens > 0) {
        set(out, () => {
          const y = tf.mul(tf.mul(headRows(x, heads, size), inverse()), factor(weight, onePlus));
          return withColumns(tf, get(out), heads.first * size, headColumns(y, tokens));
        });
      }
      return make(() => tf.reshape(inverse(), [tokens, heads.count]));
    },
    headNormBackward(dOut, x, statistics, weight, heads, dWeight, onePlus = false) {
      expectShape("headNormBackward", dOut, x.shape);
      const [tokens, size] = [x.shape[0]!, weight.shape[0]!];
      if (tokens === 0) return;
      const inverse = () => tf.reshape(get(statistics), [tokens * heads.count, 1]);
      const dy = () => headRows(dOut, heads, size);
      addTo(dWeight, () => tf.sum(tf.mul(dy(), tf.mul(headRows(x, heads, size), inverse())), 0));
      set(dOut, () => {
        const dx = rmsSlope(dy(), headRows(x, heads, size), inverse(), factor(weight, onePlus));
        return withColumns(tf, get(dOut), heads.first * size, headColumns(dx, tokens));
      });
    },

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
  };
}
