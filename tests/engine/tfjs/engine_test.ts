import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Activation, Attention, Dropout, Engine, Handle, PoolingMode } from "../../../lib/engine/engine.ts";
import { STEP } from "../../../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../../../lib/engine/philox.ts";
import { createTfjsEngine, type TfjsBackend } from "../../../lib/engine/tfjs/mod.ts";
import { tfjsBackends } from "../engines.ts";
import { moving } from "../moving.ts";

const stream = randomStream(7, randomPurpose("sample"));
const normals = (size: number) => Float32Array.from({ length: size }, () => stream.normal());

/**
 * Runs the same kernels on every backend and on cpu and compares every value; and on cpu once more, with handles that
 * move between the call and the kernel, where not a bit may differ.
 */
async function same(kernels: (engine: Engine) => Handle[], tolerance = 2e-5): Promise<Float32Array[]> {
  let values: Float32Array[] = [];
  for (const backend of tfjsBackends) values = await sameOn(backend, kernels, tolerance);
  return values;
}

async function sameOn(backend: TfjsBackend, kernels: (engine: Engine) => Handle[], tolerance: number) {
  const cpu = () => createCpuEngine({ threads: 1 });
  const engines = [await createTfjsEngine(backend), cpu(), moving(cpu())];
  try {
    const results = [];
    for (const engine of engines) {
      engine.enter();
      const handles = kernels(engine);
      const values = [];
      for (const handle of handles) values.push(await engine.read(handle) as Float32Array);
      results.push({ values, shapes: handles.map(({ shape }) => [...shape]) });
      engine.exit();
    }
    type Result = typeof results[0];
    const [found, expected, moved] = results as [Result, Result, Result];
    assert.deepEqual(moved, expected, "a kernel looks at a handle late");
    assert.deepEqual(found.shapes, expected.shapes);
    for (const [index, values] of expected.values.entries()) {
      assert.ok(values.some((value) => value !== 0), `result ${index} is zero throughout`);
      for (const [i, value] of values.entries()) {
        const other = found.values[index]![i]!;
        assert.ok(
          Math.abs(other - value) <= tolerance * (1 + Math.abs(value)),
          `tfjs:${backend}, result ${index}, element ${i}: ${other} is not ${value}`,
        );
      }
    }
    return found.values;
  } finally {
    for (const engine of engines) engine.close();
    assert.equal(engines[0]!.memory().live, 0);
  }
}

const T = 11;
const H = 20;
const heads = 4;
// An empty sequence, one of one token, and two rows behind the last sequence.
const OFFSETS = Int32Array.of(0, 4, 4, 5, 9);
const n = OFFSETS.length - 1;
const data = {
  x: normals(T * H),
  y: normals(T * H),
  z: normals(T * H),
  d: normals(T * H),
  w: normals(7 * H),
  h: normals(H),
  b: normals(H),
  seven: normals(7),
  table: normals(9 * H),
  position: normals(15 * heads),
  pooled: normals(n * H),
};
for (const rows of [data.x, data.y, data.z, data.d]) rows.fill(0, 9 * H);
const places = Int32Array.from({ length: 2 * T }, (_, i) => {
  const row = i >> 1;
  const sequence = row < 4 ? 0 : row < 5 ? 2 : 3;
  return i % 2 === 0 ? 100 + sequence : row - OFFSETS[sequence]!;
});
const dropout = (engine: Engine, rate = 0.3): Dropout => ({
  rate,
  key: { seed: 4_000_000_000, purpose: randomPurpose("hidden-dropout", 3), step: 5 },
  places: engine.upload(places, [T, 2]),
});

Deno.test("tfjs: matrix products with transposes, epilogues and accumulation", async () => {
  for (const activation of [undefined, "gelu", "geluTanh", "tanh", "relu"] as (Activation | undefined)[]) {
    await same((engine) => {
      const [x, w, bias] = [
        engine.upload(data.x, [T, H]),
        engine.upload(data.w, [7, H]),
        engine.upload(data.seven, [7]),
      ];
      const preactivation = engine.zeros([T, 7]);
      const y = engine.matmul(x, w, { transposeB: true, bias, activation, preactivation, scale: 0.5 });
      const dx = engine.matmul(y, w);
      const dw = engine.zeros([7, H]);
      engine.fill(dw, 0.25);
      engine.matmul(y, x, { transposeA: true, out: dw, accumulate: true });
      const batch = engine.matmul(engine.upload(data.x, [11, 4, 5]), engine.upload(data.y, [11, 4, 5]), {
        transposeB: true,
      });
      const slopes = activation === undefined
        ? []
        : [engine.activationBackward(activation, preactivation, y), engine.activate(activation, dx), preactivation];
      return [y, dx, dw, batch, ...slopes];
    });
  }
});

Deno.test("tfjs: embedding, layer norm and dropout draw the same masks", async () => {
  const [dropped] = await same((engine) => {
    const [x, residual] = [engine.upload(data.x, [T, H]), engine.upload(data.y, [T, H])];
    const [gamma, beta, dy] = [engine.upload(data.h, [H]), engine.upload(data.b, [H]), engine.upload(data.d, [T, H])];
    const [dGamma, dBeta, dTable] = [engine.zeros([H]), engine.zeros([H]), engine.zeros([9, H])];
    const normed = engine.layerNorm(x, gamma, beta, 1e-5, { residual, dropout: dropout(engine) });
    const ds = engine.layerNormBackward(dy, normed, gamma, dGamma, dBeta);
    const ids = engine.upload(Int32Array.of(0, 8, 3, 3, 3, 1, 0, 2, 5, 5, 7), [T]);
    engine.scatterAdd(dTable, ids, dy);
    return [
      engine.dropout(x, dropout(engine)),
      normed.y,
      normed.sum,
      engine.sliceRows(normed.statistics, 0, 9), // σ of the zero rows depends on the mask of nothing
      engine.sliceRows(ds, 0, 9),
      dGamma,
      dBeta,
      engine.gather(engine.upload(data.table, [9, H]), ids),
      dTable,
    ];
  }, 1e-4);
  const zeros = dropped!.subarray(0, 9 * H).filter((value) => value === 0).length / (9 * H);
  assert.ok(zeros > 0.15 && zeros < 0.45, `${zeros} of the elements were dropped`);
});

Deno.test("tfjs: attention and its gradients, with mask, bias and dropout", async () => {
  for (const causal of [false, true]) {
    for (const rate of [0, 0.3]) {
      await same((engine) => {
        const bias = rate === 0 ? undefined : engine.upload(data.position, [15, heads]);
        const dBias = bias === undefined ? undefined : engine.zeros([15, heads]);
        const input: Attention = {
          qkv: engine.concatColumns([data.x, data.y, data.z].map((part) => engine.upload(part, [T, H]))),
          offsets: engine.upload(OFFSETS, [n + 1]),
          heads,
          maxLength: 4,
          causal,
          bias,
          dropout: rate === 0 ? undefined : dropout(engine, rate),
        };
        const forward = engine.attention(input);
        const dQkv = engine.attentionBackward(input, forward, engine.upload(data.d, [T, H]), dBias);
        const sequences = (handle: Handle) => engine.sliceRows(handle, 0, 9);
        const all = [forward.out, forward.logSumExp, dQkv].map(sequences);
        return dBias === undefined ? all : [...all, dBias];
      });
    }
  }
});

Deno.test("tfjs: pooling in all modes, with and without a prompt", async () => {
  const modes: PoolingMode[] = ["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"];
  for (const mode of modes) {
    for (const skip of [0, 2]) {
      await same((engine) => {
        const [x, offsets] = [engine.upload(data.x, [T, H]), engine.upload(OFFSETS, [n + 1])];
        const pooled = engine.pool(x, offsets, mode, skip);
        const dx = engine.poolBackward(engine.upload(data.pooled, [n, H]), x, pooled, offsets, mode, skip);
        return [pooled, engine.sliceRows(dx, 0, 9)];
      });
    }
  }
});

Deno.test("tfjs: rows, elements, reductions and moves", async () => {
  await same((engine) => {
    const [x, y] = [engine.upload(data.d, [T, H]), engine.upload(data.table.slice(0, T * 9), [T, 9])];
    const z = engine.upload(data.y, [T, H]);
    const unit = engine.normalizeRows(y, 1e-12);
    const short = engine.normalizeRows(y, 4);
    const dy = engine.upload(normalsOnce, [T, 9]);
    const square = engine.unary("square", x);
    const single = engine.upload(Float32Array.of(1.5), [1]);
    const part = engine.zeros([3, 4]);
    engine.write(part, Float32Array.of(1, 2, 3), 5);
    const target = engine.zeros([T, H]);
    engine.copy(target, x);
    engine.addTo(target, z, -0.5);
    const sums = engine.columnSum(x);
    engine.columnSum(z, { out: sums, accumulate: true });
    return [
      unit.y,
      unit.norms,
      engine.normalizeRowsBackward(dy, unit.y, unit.norms, 1e-12),
      engine.normalizeRowsBackward(dy, short.y, short.norms, 4),
      ...(["abs", "sign", "exp", "square"] as const).map((kind) => engine.unary(kind, x)),
      ...(["log", "sqrt", "reciprocal"] as const).map((kind) => engine.unary(kind, engine.affine(square, 2, 0.5))),
      ...(["add", "subtract", "multiply", "maximum"] as const).map((kind) => engine.binary(kind, x, z)),
      engine.binary("divide", x, single),
      engine.scaleRows(x, engine.rowReduce("sum", z)),
      engine.rowReduce("max", x),
      sums,
      engine.sum(y),
      part,
      target,
      engine.transpose(y),
      engine.sliceColumns(y, 2, 5),
      engine.concatRows([x, z]),
      engine.concatColumns([x, y]),
      engine.reshape(x, [H, T]),
    ];
  });
});
const normalsOnce = normals(T * 9);

Deno.test("tfjs: cross-entropy over logits and over a vocabulary", async () => {
  await same((engine) => {
    const targets = engine.upload(Int32Array.of(0, -1, 3, 6, 2, 2, -1, 5, 4, -1, 1), [T]);
    const [x, w] = [engine.upload(data.d, [T, H]), engine.upload(data.w, [7, H])];
    const bias = engine.upload(data.seven, [7]);
    const dLoss = engine.upload(Float32Array.of(3), [1]);
    const logits = engine.matmul(x, w, { transposeB: true });
    const { loss, probabilities } = engine.crossEntropy(logits, targets);
    const [dw, db] = [engine.zeros([7, H]), engine.zeros([7])];
    const large = engine.linearCrossEntropy(x, w, bias, targets);
    const dx = engine.linearCrossEntropyBackward(dLoss, x, w, bias, targets, large.logSumExp, dw, db);
    const dLogits = engine.crossEntropyBackward(dLoss, probabilities, targets);
    return [loss, probabilities, dLogits, large.loss, large.logSumExp, dx, dw, db];
  }, 1e-4);
});

Deno.test("tfjs: AdamW with clipping takes the same ten steps, and none on a loss that is not finite", async () => {
  await same((engine) => {
    const of = (values: Float32Array) => {
      const handle = engine.variable([values.length]);
      engine.write(handle, values);
      return handle;
    };
    const [weight, gradient, m, v] = [of(data.h), of(data.b), of(new Float32Array(H)), of(new Float32Array(H))];
    const state = engine.variable([STEP.length]);
    const loss = engine.upload(Float32Array.of(1), [1]);
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    for (let step = 1; step <= 10; step++) {
      engine.write(state, Float32Array.of(0.01, step, 2));
      engine.clip([gradient], loss, 0.5, state);
      engine.adamw([{ weight, gradient, m, v, weightDecay: 0.1 }], options, state);
      engine.addTo(gradient, weight, 0.3);
    }
    engine.clip([gradient], engine.upload(Float32Array.of(NaN), [1]), 0.5, state);
    engine.adamw([{ weight, gradient, m, v, weightDecay: 0.1 }], options, state);
    return [weight, m, v, state];
  });
});

Deno.test("tfjs: arenas free their temporaries, keep() lifts one, and two engines do not mix", async () => {
  const engine = await createTfjsEngine("js");
  const cpu = createCpuEngine({ threads: 1 });
  engine.enter();
  engine.zeros([1000]);
  engine.enter();
  const kept = engine.keep(engine.upload(Float32Array.of(1, 2), [2]));
  const lost = engine.zeros([50]);
  assert.equal(engine.memory().live, 4 * 1052);
  engine.exit();
  assert.equal(engine.memory().live, 4 * 1002);
  assert.deepEqual([...await engine.read(kept)], [1, 2]);
  assert.throws(() => engine.sum(lost), /freed/);
  assert.throws(() => engine.sum(cpu.zeros([1])), /another engine/);
  engine.exit();
  assert.equal(engine.memory().live, 0);
  engine.close();
  cpu.close();
});

Deno.test("tfjs: a backend that is not there is an error with a hint, never another backend", async () => {
  const empty = await Deno.makeTempDir();
  const engine = new URL("../../../lib/engine/tfjs/mod.ts", import.meta.url).href;
  const script = `
    import { createTfjsEngine } from ${JSON.stringify(engine)};
    for (const backend of ["gpu", "node", "js"]) {
      const error = await createTfjsEngine(backend).then(() => ({ message: "an engine" }), (error) => error);
      console.log(error._tag, error.summary, error.hint !== undefined);
    }`;
  try {
    await Deno.writeTextFile(`${empty}/missing.ts`, script);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-config", "--cached-only", "--no-check", `${empty}/missing.ts`],
      env: { DENO_DIR: empty, XDG_CACHE_HOME: empty, KINDRED_TFJS_NODE: "", KINDRED_TFJS_GPU: empty, NO_COLOR: "1" },
      stdout: "piped",
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.deepEqual(
      lines,
      ["gpu", "node", "js"].map((name) => `EngineError --engine tfjs:${name} is not available true`),
    );
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});
