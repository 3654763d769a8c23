import type { Dropout, Handle } from "../../lib/engine/engine.ts";
import * as ops from "../../lib/tensor/ops.ts";
import type { Tape } from "../../lib/tensor/tape.ts";
import { constant, type LowRank } from "../../lib/tensor/tensor.ts";
import { checkGradients, type GradientCase, values } from "./differences.ts";

const i32 = (tape: Tape, ...x: number[]): Handle => tape.engine.upload(Int32Array.from(x), [x.length]);
/** Sequences of 1, 0, 3 and 3 tokens. */
const offsets = (tape: Tape) => i32(tape, 0, 1, 1, 4, 7);
const dropout = (tape: Tape, rows: number): Dropout => ({
  rate: 0.4,
  key: { seed: 1, purpose: 2, step: 3 },
  places: tape.engine.upload(Int32Array.from({ length: 2 * rows }, (_, i) => i), [rows, 2]),
});

const cases: Record<string, GradientCase> = {
  "linear": { inputs: [[3, 5], [4, 5], [4]], op: (t, [x, w, b]) => ops.linear(t, x!, w!, b) },
  "linear without bias": { inputs: [[3, 5], [4, 5]], op: (t, [x, w]) => ops.linear(t, x!, w!) },
  "linear of one row twice": {
    inputs: [[1, 5], [5, 5]],
    op: (t, [x, w]) => ops.linear(t, ops.linear(t, x!, w!), w!),
  },
  ...Object.fromEntries(
    ([
      ["whole", [{ row: 0, rows: 4 }], undefined, undefined],
      ["with an activation and dropout", [{ row: 0, rows: 4 }], "gelu", 0.4],
      ["in the middle", [{ row: 1, rows: 2 }], undefined, undefined],
      ["of two parts", [{ row: 0, rows: 1 }, { row: 2, rows: 2 }], "silu", undefined],
      ["of two parts, dropped", [{ row: 0, rows: 3 }, { row: 3, rows: 1 }], undefined, 0.4],
    ] as const).map(([name, blocks, activation, rate]): [string, GradientCase] => {
      const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
      return [`adapted linear, ${name}`, {
        inputs: [[3, 5], [2 * blocks.length, 5], [rows, 2]],
        op(t, [x, a, b]) {
          const [w, bias] = [values([4, 5], 7), values([4], 8)];
          const [weight, shift] = [t.engine.upload(w, [4, 5]), t.engine.upload(bias, [4])].map(constant);
          const adapter = { a: a!, b: b!, scale: 1.5, blocks, dropout: rate && dropout(t, 3) };
          return ops.adaptedLinear(t, x!, weight!, shift, adapter as LowRank, activation);
        },
      }];
    }),
  ),
  "matmul": { inputs: [[3, 4], [4, 2]], op: (t, [a, b]) => ops.matmul(t, a!, b!, { scale: 1.5 }) },
  "matmul with transposed b": {
    inputs: [[3, 4], [5, 4]],
    op: (t, [a, b]) => ops.matmul(t, a!, b!, { transposeB: true, scale: 0.5 }),
  },
  "matmul with itself": { inputs: [[3, 4]], op: (t, [a]) => ops.matmul(t, a!, a!, { transposeB: true }) },
  "embedding": { inputs: [[4, 3]], op: (t, [e]) => ops.embedding(t, e!, i32(t, 2, 0, 2, 3)) },
  ...Object.fromEntries(
    (["mean", "cls", "mean_sqrt_len", "weightedmean", "lasttoken"] as const).map((mode): [string, GradientCase] => [
      `pooled embedding by ${mode}`,
      {
        inputs: [[4, 3]],
        op: (t, [e]) => ops.pooledEmbedding(t, e!, i32(t, 2, 0, 2, 3, 1, 1, 0), offsets(t), mode, +(mode === "mean")),
      },
    ]),
  ),
  "rows in parts": {
    inputs: [[6, 3]],
    op(t, [x]) {
      const [first, , last] = ops.splitRows(t, x!, 3); // of the second nothing is wanted
      return ops.multiply(t, first!, ops.square(t, last!));
    },
  },
  "dropout": { inputs: [[4, 6]], op: (t, [x]) => ops.dropout(t, x!, dropout(t, 4)) },
  "dropout that is absent": { inputs: [[4, 6]], op: (t, [x]) => ops.square(t, ops.dropout(t, x!, undefined)) },
  "pair of sums": { inputs: [[2, 3], [1]], op: (t, [a, b]) => ops.subtract(t, ops.add(t, a!, b!), ops.square(t, b!)) },
  "sum with itself": { inputs: [[2, 3]], op: (t, [a]) => ops.add(t, a!, a!) },
  "subtract": { inputs: [[2, 3], [2, 3]], op: (t, [a, b]) => ops.subtract(t, a!, b!) },
  "multiply": { inputs: [[2, 3], [2, 3]], op: (t, [a, b]) => ops.multiply(t, a!, b!) },
  "multiply by one number": { inputs: [[2, 3], [1]], op: (t, [a, b]) => ops.multiply(t, a!, b!) },
  "affine": { inputs: [[2, 3]], op: (t, [x]) => ops.affine(t, x!, -3, 2) },
  "absolute": { inputs: [[2, 9]], op: (t, [x]) => ops.absolute(t, x!) },
  "square": { inputs: [[2, 3]], op: (t, [x]) => ops.square(t, x!) },
  "exponential": { inputs: [[2, 3]], op: (t, [x]) => ops.square(t, ops.exponential(t, x!)) },
  "squareRoot": { inputs: [[2, 3]], prepare: (x) => Math.abs(x) + 0.1, op: (t, [x]) => ops.squareRoot(t, x!) },
  "concatRows": { inputs: [[2, 3], [1, 3]], op: (t, [a, b]) => ops.concatRows(t, [a!, b!, a!]) },
  "concatColumns": { inputs: [[2, 3], [2, 1]], op: (t, [a, b]) => ops.concatColumns(t, [a!, b!, a!]) },
  "transpose": { inputs: [[2, 3]], op: (t, [x]) => ops.transpose(t, x!) },
  "reshape": { inputs: [[2, 3]], op: (t, [x]) => ops.transpose(t, ops.reshape(t, x!, [3, 2])) },
  "scaleRows": { inputs: [[3, 2], [3]], op: (t, [x, s]) => ops.scaleRows(t, x!, s!) },
  "rowSum": { inputs: [[3, 2]], op: (t, [x]) => ops.rowSum(t, x!) },
  "rowNorm": { inputs: [[3, 5]], op: (t, [x]) => ops.rowNorm(t, x!) },
  "rowMax": { inputs: [[3, 5]], op: (t, [x]) => ops.rowMax(t, x!) },
  "sum": { inputs: [[3, 2]], op: (t, [x]) => ops.sum(t, ops.square(t, x!)) },
  "mean": { inputs: [[3, 2]], op: (t, [x]) => ops.mean(t, ops.square(t, x!)) },
  "normalize": { inputs: [[3, 5]], op: (t, [x]) => ops.normalize(t, x!) },
  "sigmoid": { inputs: [[3, 4]], op: (t, [x]) => ops.sigmoid(t, x!) },
  "binaryCrossEntropy": {
    inputs: [[4, 1]],
    op: (t, [x]) => ops.binaryCrossEntropy(t, x!, t.engine.upload(Float32Array.of(0, 1, 0.3, 0.9), [4, 1]), 2.5),
  },
  "crossEntropy": { inputs: [[4, 3]], op: (t, [z]) => ops.crossEntropy(t, z!, i32(t, 2, -1, 0, 1)) },
  "linearCrossEntropy": {
    inputs: [[3, 4], [7, 4], [7]],
    op: (t, [x, w, b]) => ops.linearCrossEntropy(t, x!, w!, b, i32(t, 6, -1, 0)),
  },
  "linearCrossEntropy without bias": {
    inputs: [[3, 4], [7, 4]],
    op: (t, [x, w]) => ops.linearCrossEntropy(t, x!, w!, undefined, i32(t, 1, 1, -1)),
  },
};
for (const kind of ["gelu", "geluTanh", "tanh", "relu"] as const) {
  cases[`activate ${kind}`] = { inputs: [[2, 9]], op: (t, [x]) => ops.activate(t, kind, x!) };
  if (kind !== "relu") { // of which a difference may cross the kink, here inside
    cases[`linear with ${kind}`] = {
      inputs: [[3, 5], [4, 5], [4]],
      op: (t, [x, w, b]) => ops.linear(t, x!, w!, b, kind),
    };
  }
}
for (const [start, end] of [[0, 2], [1, 3], [2, 4], [0, 4]] as const) {
  cases[`sliceRows ${start}…${end}`] = { inputs: [[4, 3]], op: (t, [x]) => ops.sliceRows(t, x!, start, end) };
  cases[`sliceColumns ${start}…${end}`] = { inputs: [[3, 4]], op: (t, [x]) => ops.sliceColumns(t, x!, start, end) };
}
for (const mode of ["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"] as const) {
  for (const skip of [0, 1]) {
    cases[`pool ${mode}, skip ${skip}`] = {
      inputs: [[7, 3]],
      op: (t, [x]) => ops.pool(t, x!, offsets(t), mode, skip),
    };
  }
}
const attention = { heads: 2, maxLength: 3 };
for (const causal of [false, true]) {
  cases[`attention, causal ${causal}, with bias`] = {
    inputs: [[7, 18], [7, 2]],
    op: (t, [qkv, bias]) => ops.attention(t, { ...attention, qkv: qkv!, bias, causal, offsets: offsets(t) }),
  };
}
cases["one tensor in products, sums and a view"] = {
  inputs: [[4, 6], [6, 6], [6, 6], [6, 6]],
  op: (t, [x, a, b, c]) => {
    const y = ops.linear(t, x!, a!);
    const viewed = ops.reshape(t, ops.reshape(t, ops.add(t, x!, y), [6, 4]), [4, 6]);
    const sum = ops.add(t, viewed, ops.add(t, ops.linear(t, y, b!), y));
    return ops.add(t, ops.multiply(t, sum, x!), ops.linear(t, ops.linear(t, x!, c!), b!));
  },
};
cases["residuals around products, as in a layer"] = {
  inputs: [[3, 8], [8, 8], [16, 8], [8, 16], [8], [8]],
  op: (t, [x, a, up, down, gamma, beta]) => {
    const y = ops.layerNorm(t, ops.linear(t, x!, a!), gamma!, beta!, 1e-5, { residual: x! });
    const hidden = ops.linear(t, y, up!, undefined, "gelu");
    const z = ops.layerNorm(t, ops.linear(t, hidden, down!), gamma!, beta!, 1e-5, { residual: y });
    return ops.layerNorm(t, ops.linear(t, z, a!), gamma!, beta!, 1e-5, { residual: z, dropout: dropout(t, 3) });
  },
};
cases["attention with dropout"] = {
  inputs: [[7, 30]],
  op: (t, [qkv]) => ops.attention(t, { ...attention, qkv: qkv!, offsets: offsets(t), dropout: dropout(t, 7) }),
};
const rotation = (t: Tape, heads: number, headSize: number) => {
  const table = ops.rotationTable(Float32Array.of(1, 0.3), 3);
  return { table: t.engine.upload(table, [3, 4]), positions: i32(t, 0, 0, 1, 2, 0, 1, 2), heads, headSize };
};
for (const headSize of [4, 5]) {
  cases[`rotate two of three heads of size ${headSize}`] = {
    inputs: [[7, 3 * headSize]],
    op: (t, [x]) => ops.rotate(t, ops.affine(t, x!, 1.5), rotation(t, 2, headSize)),
  };
}
for (const activation of ["gelu", "geluTanh", "silu"] as const) {
  for (const half of ["first", "second"] as const) {
    cases[`gated ${activation}, ${half} half`] = {
      inputs: [[3, 10]],
      op: (t, [x]) => ops.gated(t, activation, x!, half),
    };
  }
}
for (const onePlus of [false, true]) {
  cases[`rmsNorm with residual, 1 + w ${onePlus}`] = {
    inputs: [[3, 6], [6], [3, 6]],
    op: (t, [x, weight, residual]) => ops.rmsNorm(t, x!, weight!, 1e-5, { residual, onePlus, dropout: dropout(t, 3) }),
  };
  cases[`headNorm of queries and keys, 1 + w ${onePlus}`] = {
    inputs: [[3, 20], [5], [5]],
    op: (t, [x, query, key]) => {
      const heads = [{ weight: query!, first: 0, count: 2 }, { weight: key!, first: 2, count: 1 }];
      return ops.headNorm(t, x!, heads, 1e-5, onePlus);
    },
  };
}
cases["attention of normalised, rotated heads with fewer keys, in a window"] = {
  inputs: [[7, 20], [5], [5]],
  op: (t, [x, query, key]) => {
    const heads = [{ weight: query!, first: 0, count: 2 }, { weight: key!, first: 2, count: 1 }];
    const turned = ops.rotate(t, ops.headNorm(t, x!, heads, 1e-5), rotation(t, 3, 5));
    return ops.attention(t, {
      qkv: turned,
      offsets: offsets(t),
      heads: 2,
      kvHeads: 1,
      maxLength: 3,
      window: 1,
      scale: 0.7,
    });
  },
};
for (const kind of ["layer", "rms"] as const) {
  cases[`residuals of pre-norm layers, ${kind}`] = {
    inputs: [[3, 6], [6], [6, 6], [6]],
    op: (t, [x, weight, w, last]) => {
      const norm = { kind, epsilon: 1e-5, onePlus: kind === "rms" };
      const first = ops.residualNorm(t, x!, undefined, { ...norm, weight: weight! });
      const next = ops.residualNorm(
        t,
        ops.linear(t, first.y, w!),
        first.sum,
        { ...norm, weight: last! },
        dropout(t, 3),
      );
      return ops.add(t, ops.linear(t, next.y, w!), next.sum);
    },
  };
}
cases["layerNorm without a shift"] = {
  inputs: [[3, 6], [6]],
  op: (t, [x, gamma]) => ops.layerNorm(t, x!, gamma!, undefined, 1e-5),
};
cases["layerNorm with residual and dropout"] = {
  inputs: [[3, 6], [3, 6]],
  op: (t, [x, residual]) => {
    const ones = t.engine.affine(t.engine.zeros([6]), 0, 1.5);
    const gamma = { value: ones, needsGradient: false, isParameter: false, gradient: undefined };
    return ops.layerNorm(t, x!, gamma, gamma, 1e-5, { residual, dropout: dropout(t, 3) });
  },
};
cases["layerNorm"] = {
  inputs: [[3, 6], [6], [6]],
  op: (t, [x, gamma, beta]) => ops.layerNorm(t, x!, gamma!, beta!, 1e-5),
};

for (const [name, check] of Object.entries(cases)) {
  Deno.test(`${name}: gradients are those of finite differences`, () => checkGradients(check));
}
