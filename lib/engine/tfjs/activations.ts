/**
 * Activations, alone and as the gate of a product.
 *
 * @module
 */
import type { Activation } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { ActivationKernels } from "../subjects.ts";
import type { Core } from "./memory.ts";
import type { TensorFlow, TfTensor } from "./tensorflow.ts";

type Functions = Readonly<Record<Activation, (z: TfTensor) => TfTensor>>;

const C = Math.sqrt(2 / Math.PI);

const arithmetic = (tf: TensorFlow) => {
  const times = (x: TfTensor, by: number) => tf.mul(x, tf.scalar(by));
  const plus = (x: TfTensor, by: number) => tf.add(x, tf.scalar(by));
  const sigmoid = (z: TfTensor, by: number) => tf.sigmoid(times(z, by));
  return { times, plus, sigmoid };
};

/** f */
export function activationsOf(tf: TensorFlow): Functions {
  const { times, plus, sigmoid } = arithmetic(tf);
  return {
    gelu: (z) => times(tf.mul(z, plus(tf.erf(times(z, Math.SQRT1_2)), 1)), 0.5),
    geluTanh(z) {
      const inner = times(tf.add(z, times(tf.mul(z, tf.square(z)), 0.044715)), C);
      return times(tf.mul(z, plus(tf.tanh(inner), 1)), 0.5);
    },
    tanh: (z) => tf.tanh(z),
    relu: (z) => tf.relu(z),
    silu: (z) => tf.mul(z, sigmoid(z, 1)),
    quickGelu: (z) => tf.mul(z, sigmoid(z, 1.702)),
    sigmoid: (z) => tf.sigmoid(z),
    leakyRelu: (z) => tf.maximum(z, times(z, 0.01)),
    squaredRelu: (z) => tf.square(tf.relu(z)),
  };
}

/** f′ */
function slopesOf(tf: TensorFlow): Functions {
  const { times, plus, sigmoid } = arithmetic(tf);
  const isPositive = (z: TfTensor) => tf.cast(tf.greater(z, tf.scalar(0)), "float32");
  const rest = (s: TfTensor) => plus(times(s, -1), 1);
  /** d/dz z σ(c z) = σ (1 + c z (1 − σ)) */
  const gatedSlope = (z: TfTensor, c: number) => {
    const s = sigmoid(z, c);
    return tf.mul(s, plus(tf.mul(times(z, c), rest(s)), 1));
  };
  return {
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
}

/** See the Engine contract. */
export function activationKernels({ tf, make, set, get }: Core): ActivationKernels {
  const [activations, slopes] = [activationsOf(tf), slopesOf(tf)];
  /** The half that is activated, and the other. */
  const halves = (x: TfTensor, activated: "first" | "second") => {
    const [rows, columns] = x.shape as [number, number];
    const half = (i: number) => tf.slice(x, [0, i * columns / 2], [rows, columns / 2]);
    return activated === "first" ? [half(0), half(1)] as const : [half(1), half(0)] as const;
  };
  return {
    activate: (activation, x) => make(() => activations[activation](get(x))),
    activationBackward(activation, z, dy, dBias) {
      expectShape("activationBackward", dy, z.shape);
      if (dBias !== undefined) expectShape("activationBackward", dBias, [z.shape.at(-1)]);
      const dz = make(() => tf.mul(get(dy), slopes[activation](get(z))));
      if (dBias !== undefined) set(dBias, () => tf.add(get(dBias), tf.sum(get(dz), 0)));
      return dz;
    },
    gated: (activation, x, activated = "first") =>
      make(() => {
        const [a, b] = halves(get(x), activated);
        return tf.mul(activations[activation](a), b);
      }),
    gatedBackward(activation, x, dy, activated = "first") {
      expectShape("gatedBackward", dy, [x.shape[0], x.shape[1]! / 2]);
      return make(() => {
        const [a, b] = halves(get(x), activated);
        const da = tf.mul(tf.mul(get(dy), b), slopes[activation](a));
        const db = tf.mul(get(dy), activations[activation](a));
        return tf.concat(activated === "first" ? [da, db] : [db, da], 1);
      });
    },
  };
}
