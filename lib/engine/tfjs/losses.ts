/**
 * Cross-entropy and the optimizer.
 *
 * @module
 */
import { type Handle, STEP } from "../engine.ts";
import { expectSize } from "../shapes.ts";
import type { LossKernels, OptimizerKernels } from "../subjects.ts";
import type { Core } from "./memory.ts";
import { oneHotRows, type TfTensor } from "./tensorflow.ts";

/** Limits of {@linkcode lossKernels}. */
export interface LossOptions {
  /** Bytes of logits over a large vocabulary that are held at once; default 64 MiB. */
  readonly logitBytes?: number | undefined;
}

/** See the Engine contract. */
export function lossKernels(
  { tf, make, makeAll, set, get, host }: Core,
  options: LossOptions = {},
): LossKernels & OptimizerKernels {
  const { logitBytes = 64 << 20 } = options;
  /** Targets that count, as 0 or 1 over their number. */
  const shares = (targets: Int32Array) => {
    const count = Math.max(1, targets.reduce((sum, target) => sum + (target >= 0 ? 1 : 0), 0));
    return Float32Array.from(targets, (target) => target >= 0 ? 1 / count : 0);
  };
  const column = (values: Float32Array) => tf.tensor(values, [values.length, 1], "float32");
  const oneHot = (targets: Int32Array, depth: number) =>
    oneHotRows(tf, tf.tensor(targets.slice(), [targets.length], "int32"), depth);
  const chosen = (hot: TfTensor, logits: TfTensor) =>
    tf.sum(tf.where(tf.greater(hot, tf.scalar(0)), logits, tf.zeros(logits.shape)), 1, true);
  const addTo = (target: Handle, compute: () => TfTensor) => set(target, () => tf.add(get(target), compute()));

  const chunks = (rows: number, vocabulary: number) => {
    const step = Math.max(1, Math.floor(logitBytes / 4 / vocabulary));
    return Array.from(
      { length: Math.ceil(rows / step) },
      (_, i) => [i * step, Math.min(rows, (i + 1) * step)] as const,
    );
  };
  const logitsOf = (x: Handle, weight: Handle, bias: Handle | undefined, start: number, end: number) => {
    const part = tf.slice(get(x), [start, 0], [end - start, x.shape[1]!]);
    const product = tf.matMul(part, get(weight), false, true);
    return { part, logits: bias === undefined ? product : tf.add(product, get(bias)) };
  };

  return {
    crossEntropy(logits, targets) {
      expectSize("crossEntropy", targets, [logits.shape[0]!]);
      const wanted = host(targets) as Int32Array;
      const [loss, probabilities] = makeAll(() => {
        const z = get(logits);
        const losses = tf.sub(tf.logSumExp(z, 1, true), chosen(oneHot(wanted, logits.shape[1]!), z));
        return [tf.reshape(tf.sum(tf.mul(losses, column(shares(wanted)))), [1]), tf.softmax(z)];
      });
      return { loss: loss!, probabilities: probabilities! };
    },
    crossEntropyBackward(dLoss, probabilities, targets) {
      expectSize("crossEntropyBackward", targets, [probabilities.shape[0]!]);
      const wanted = host(targets) as Int32Array;
      return make(() => {
        const difference = tf.sub(get(probabilities), oneHot(wanted, probabilities.shape[1]!));
        return tf.mul(tf.mul(difference, column(shares(wanted))), get(dLoss));
      });
    },
    linearCrossEntropy(x, weight, bias, targets) {
      const wanted = host(targets) as Int32Array;
      const vocabulary = weight.shape[0]!;
      const share = shares(wanted);
      const [loss, logSumExp] = makeAll(() => {
        let total = tf.zeros([1]);
        const sums = chunks(x.shape[0]!, vocabulary).map(([start, end]) => {
          const [sum, lse] = tf.tidy(() => {
            const { logits } = logitsOf(x, weight, bias, start, end);
            const lse = tf.logSumExp(logits, 1, true);
            const losses = tf.sub(lse, chosen(oneHot(wanted.subarray(start, end), vocabulary), logits));
            return [tf.sum(tf.mul(losses, column(share.slice(start, end)))), tf.reshape(lse, [end - start])];
          }) as [TfTensor, TfTensor];
          total = tf.add(total, sum);
          return lse;
        });
        return [total, sums.length === 0 ? tf.zeros([0]) : tf.concat(sums, 0)];
      });
      return { loss: loss!, logSumExp: logSumExp! };
    },
    linearCrossEntropyBackward(dLoss, x, weight, bias, targets, _forward, dWeight, dBias) {
      const wanted = host(targets) as Int32Array;
      const vocabulary = weight.shape[0]!;
      const share = shares(wanted);
      return make(() => {
        const parts = chunks(x.shape[0]!, vocabulary).map(([start, end]) =>
          tf.tidy(() => {
            const { part, logits } = logitsOf(x, weight, bias, start, end);
            const difference = tf.sub(tf.softmax(logits), oneHot(wanted.subarray(start, end), vocabulary));
            const dz = tf.mul(tf.mul(difference, column(share.slice(start, end))), get(dLoss));
            if (dWeight !== undefined) addTo(dWeight, () => tf.matMul(dz, part, true));
            if (dBias !== undefined) addTo(dBias, () => tf.sum(dz, 0));
            return tf.matMul(dz, get(weight));
          })
        );
        return parts.length === 0 ? tf.zeros(x.shape) : tf.concat(parts, 0);
      });
    },

    clip(gradients, loss, maxNorm, state) {
      const squares = gradients.map((gradient) => make(() => tf.sum(tf.square(get(gradient)))));
      const total = squares.reduce((sum, square) => sum + host(square)[0]!, 0);
      const scalars = Float32Array.from(host(state));
      const scale = scalars[STEP.lossScale]! || 1;
      const norm = Math.sqrt(total) / scale;
      scalars[STEP.gradientNorm] = norm;
      scalars[STEP.clipFactor] = (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / scale;
      const halted = scalars[STEP.halts] !== 0 && scalars[STEP.skipped] !== 0;
      scalars[STEP.skipped] = Number.isFinite(norm) && Number.isFinite(host(loss)[0]!) && !halted ? 0 : 1;
      set(state, () => tf.tensor(scalars, state.shape, "float32"));
    },
    adamw(slots, { beta1, beta2, epsilon }, state) {
      const scalars = host(state);
      const clear = () => slots.forEach(({ gradient }) => set(gradient, () => tf.zeros(gradient.shape)));
      if (scalars[STEP.skipped] === 1) return clear();
      const [rate, step, factor] = [scalars[STEP.learningRate]!, scalars[STEP.step]!, scalars[STEP.clipFactor]!];
      const [first, second] = [1 - beta1 ** step, Math.sqrt(1 - beta2 ** step)];
      const times = (x: TfTensor, by: number) => tf.mul(x, tf.scalar(by));
      for (const { weight, gradient, m, v, weightDecay } of slots) {
        const g = () => times(get(gradient), factor);
        set(m, () => tf.add(times(get(m), beta1), times(g(), 1 - beta1)));
        set(v, () => tf.add(times(get(v), beta2), times(tf.square(g()), 1 - beta2)));
        set(weight, () => {
          const spread = tf.add(times(tf.sqrt(get(v)), 1 / second), tf.scalar(epsilon));
          const change = times(tf.div(get(m), spread), rate / first);
          return tf.sub(times(get(weight), 1 - rate * weightDecay), change);
        });
      }
      clear();
    },
  };
}
