/**
 * Tensors larger than a buffer, or than what a kernel reaches of one, and what becomes of the memory of a device.
 */
import assert from "node:assert/strict";
import { Effect } from "effect";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { type Engine, type Handle, scope, sizeOf, STEP } from "../../../lib/engine/engine.ts";
import { findAdapter, openAdapter } from "../../../lib/engine/webgpu/engine.ts";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { pieceStarts } from "../../../lib/engine/webgpu/rooms.ts";
import { train } from "../../../lib/train/trainer.ts";
import { randomObjective } from "../../../tools/random_model.ts";
import { check } from "../conformance/case.ts";
import { checkBlocks, checkOrder } from "../conformance/protocol.ts";
import { table } from "../conformance/table.ts";
import { hasWebgpu } from "../engines.ts";

const ignore = !hasWebgpu;
/** A kernel reaches 192 elements of what is larger than 1 KiB, and no buffer is larger than 1,000 elements. */
const limits = { bindingBytes: 1024, bufferBytes: 4000 };

/** Numbers of no order. */
const noise = (size: number, seed = 1) => Float32Array.from({ length: size }, (_, i) => Math.sin(i * i + seed));

/** The same done on two engines. */
async function onBoth(of: (engine: Engine) => Promise<readonly (Float32Array | Int32Array)[]>, what: string) {
  const [engine, cpu] = [await createWebgpuEngine({ limits }), createCpuEngine({ threads: 1 })];
  try {
    const [found, expected] = [await of(engine), await of(cpu)];
    for (const [i, values] of expected.entries()) {
      assert.equal(found[i]!.length, values.length);
      const most = Math.max(1e-6, ...values.map(Math.abs));
      values.forEach((value, at) => {
        const off = Math.abs(found[i]![at]! - value);
        assert.ok(off <= 2e-5 * most, `${what}, result ${i}, element ${at}: ${found[i]![at]} ${value}`);
      });
    }
  } finally {
    engine.close();
    cpu.close();
  }
  assert.equal(engine.memory().live, 0);
}

/** A variable with these values. */
function variable(engine: Engine, shape: readonly number[], seed = 1): Handle {
  const made = engine.variable(shape);
  engine.write(made, noise(sizeOf(shape), seed));
  return made;
}

Deno.test("webgpu: a room is cut between tensors, and between rows of one that is larger than a buffer", () => {
  const starts = (shapes: number[][], offsets: number[], size: number, most: number) =>
    pieceStarts(shapes, { offsets, size }, most);
  assert.deepEqual(starts([[4, 8], [8]], [0, 32], 48, 48), [0]);
  assert.deepEqual(starts([[4, 8], [8], [2, 4]], [0, 32, 48], 64, 60), [0, 48]);
  assert.deepEqual(starts([[3], [9, 10], [5]], [0, 16, 112], 128, 56), [0, 16, 56, 96]);
  assert.deepEqual(starts([[100]], [0], 100, 56), [0, 40, 80]);
  assert.throws(() => starts([[2, 50]], [0], 100, 56), /a row of a tensor is larger.*\n.*160 bytes.*\n.*200/);
});

Deno.test({
  name: "webgpu: a table larger than a buffer is read, written, gathered from and scattered to",
  ignore,
  fn: () =>
    onBoth(async (engine) => {
      const [rows, width] = [301, 7];
      const table = variable(engine, [rows, width]);
      engine.write(table, noise(1500, 5), 300);
      const ids = engine.upload(Int32Array.from([0, 300, 142, 143, 27, 300, 28, 0, 199]), [9]);
      const gathered = engine.gather(table, ids);
      const gradient = engine.variable([rows, width]);
      engine.scatterAdd(gradient, ids, gathered);
      const copied = engine.variable([rows, width]);
      engine.fill(copied, 2);
      engine.addTo(copied, gradient, 3);
      const other = variable(engine, [width * rows]);
      engine.copy(other, table);
      const slice = engine.sliceRows(table, 130, 150);
      return await Promise.all([table, gathered, gradient, copied, other, slice].map((x) => engine.read(x)));
    }, "table"),
});

Deno.test({
  name: "webgpu: products with a factor or a result that no kernel reaches",
  ignore,
  fn: () =>
    onBoth(async (engine) => {
      const [small, wide, depth] = [3, 140, 5];
      const results: (Float32Array | Int32Array)[] = [];
      const products = [
        // A, B or C has 420 elements or more, of which a kernel reaches 192.
        { m: wide, n: small, k: depth },
        { m: small, n: wide, k: depth },
        { m: small, n: depth, k: wide },
        { m: wide, n: depth, k: small },
      ];
      for (const { m, n, k } of products) {
        for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false], [true, true]] as const) {
          const a = variable(engine, transposeA ? [k, m] : [m, k], 1);
          const b = variable(engine, transposeB ? [n, k] : [k, n], 2);
          const [out, preactivation] = [variable(engine, [m, n], 3), engine.variable([m, n])];
          const bias = variable(engine, [n], 4);
          const options = { transposeA, transposeB, scale: 0.5 };
          engine.matmul(a, b, { ...options, out, accumulate: true });
          results.push(await engine.read(out));
          engine.matmul(a, b, { ...options, out, accumulate: true, bias, activation: "gelu", preactivation });
          results.push(await engine.read(out), await engine.read(preactivation));
        }
      }
      return results;
    }, "products, three results each"),
});

Deno.test({
  name: "webgpu: cross-entropy over a vocabulary that no kernel reaches, and AdamW of its table",
  ignore,
  fn: () =>
    onBoth(async (engine) => {
      const [rows, width, vocabulary] = [6, 8, 120];
      const weight = variable(engine, [vocabulary, width]);
      const dWeight = engine.variable([vocabulary, width], { touched: "rows" });
      const [bias, dBias] = [variable(engine, [vocabulary], 2), engine.variable([vocabulary])];
      const [m, v] = [engine.variable([vocabulary, width]), engine.variable([vocabulary, width])];
      const state = engine.variable([STEP.length]);
      const x = engine.upload(noise(rows * width, 3), [rows, width]);
      const targets = engine.upload(Int32Array.of(1, 119, -1, 60, 23, 24), [rows]);
      const read: (Float32Array | Int32Array)[] = [];
      for (let step = 1; step <= 3; step++) {
        const forward = engine.linearCrossEntropy(x, weight, bias, targets);
        const { loss } = forward;
        const one = engine.full([1], 1);
        const dx = engine.linearCrossEntropyBackward(one, x, weight, bias, targets, forward, dWeight, dBias);
        read.push(await engine.read(loss), await engine.read(dx), await engine.read(dWeight), await engine.read(dBias));
        engine.write(state, Float32Array.of(0.01, step, 1));
        engine.clip([dWeight, dBias], loss, 0.5, state);
        const slot = { weight, gradient: dWeight, m, v, weightDecay: 0.1 };
        engine.adamw([slot], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, state);
        engine.fill(dBias, 0);
        for (const each of [weight, dWeight, m, v, state]) read.push(await engine.read(each));
      }
      return read;
    }, "vocabulary"),
});

Deno.test({
  name: "webgpu: what is larger than a kernel reaches is computed all the same, or refused by name",
  ignore,
  fn: async () => {
    // Some cases have more than 64 KiB in one tensor.
    const engine = await createWebgpuEngine({ limits: { bindingBytes: 2 ** 16 }, logitBytes: 4 * 70 });
    const subjects = [
      "moving",
      "matrix products",
      "elements and reductions",
      "embedding",
      "cross-entropy",
      "optimizer",
    ];
    try {
      for (const subject of subjects) {
        let refused = 0;
        for (const each of table[subject]!) {
          await check(engine, each).catch((error) => {
            assert.match(error.message, /^a tensor is larger than this kernel can reach/, `${subject}, ${each.name}`);
            refused++;
          });
        }
        const most = subject === "optimizer" ? 0 : table[subject]!.length / 3;
        assert.ok(refused <= most, `${refused} of ${table[subject]!.length} cases of ${subject}`);
      }
      await checkBlocks(engine);
      await checkOrder(engine);
    } finally {
      engine.close();
    }
  },
});

Deno.test({
  name: "webgpu: a batch above the budget is split, and a model above the limits is trained, to the same weights",
  ignore,
  fn: async () => {
    const shape = {
      model_type: "bert",
      vocab_size: 300,
      hidden_size: 16,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      intermediate_size: 32,
      max_position_embeddings: 32,
    };
    /** Losses, and weights in the end, by name. */
    const trained = async (engine: Engine) => {
      const objective = await randomObjective(engine, { shape, rows: 24, tokens: 9, shortest: 3 });
      const settings = { batchSize: 8, maxSteps: 3, loggingSteps: 1, learningRate: 1e-3 };
      const { log } = await Effect.runPromise(train(engine, objective, settings));
      const weights = Object.entries(objective.parameters).map(async ([name, { value }]) =>
        [name, await engine.read(value)] as const
      );
      return { losses: log.map(({ loss }) => loss!), weights: await Promise.all(weights) };
    };
    const cpu = createCpuEngine({ threads: 1 });
    const expected = await trained(cpu);
    cpu.close();
    const kernels: number[] = [];
    for (
      const options of [
        {},
        { activationBudget: 20_000 }, // six tokens of 3 kB
        { limits: { bindingBytes: 4096, bufferBytes: 16_384 } }, // tables have 19,200 bytes, and a block more
      ]
    ) {
      const engine = await createWebgpuEngine(options);
      const { losses, weights } = await trained(engine);
      kernels.push(engine.work.steps.dispatches);
      engine.close();
      assert.equal(engine.memory().live, 0);
      const what = JSON.stringify(options);
      losses.forEach((loss, i) => assert.ok(Math.abs(loss - expected.losses[i]!) < 1e-5, `${what}: ${losses}`));
      weights.forEach(([name, values], i) => {
        const off = values.map((value, at) => Math.abs(value - expected.weights[i]![1][at]!));
        assert.ok(Math.max(...off) < 1e-4, `${what}: ${name} by ${Math.max(...off)}`);
      });
    }
    assert.ok(kernels[1]! > 2 * kernels[0]! && kernels[2]! > 2 * kernels[0]!, `${kernels}: batches were split`);
  },
});

Deno.test({
  name: "webgpu: what no kernel reaches is refused by its name with the numbers",
  ignore,
  fn: async () => {
    const engine = await createWebgpuEngine({ limits });
    try {
      const x = engine.zeros([30, 30]);
      assert.throws(
        () => engine.normalizeRows(x, 1e-6),
        /kernel can reach[^]*kernel normalizeRows[^]*1024 bytes[^]*3600/,
      );
      assert.throws(() => engine.zeros([30, 40]), /larger than a buffer[^]*4000 bytes[^]*4800/);
      assert.throws(() => engine.variable([2, 1200]), /a row of a tensor[^]*bytes[^]*4800/);
    } finally {
      engine.close();
    }
  },
});

Deno.test({
  name: "webgpu: buffers that fit no tensor any more are freed, and all of them at the end",
  ignore,
  fn: async () => {
    let [made, destroyed] = [0, 0];
    const { createBuffer } = GPUDevice.prototype;
    const { destroy } = GPUBuffer.prototype;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      made += descriptor.size;
      return createBuffer.call(this, descriptor);
    };
    GPUBuffer.prototype.destroy = function () {
      destroyed += this.size;
      return destroy.call(this);
    };
    try {
      const engine = await openAdapter((await findAdapter())!, { spareBytes: 2 ** 16 });
      const before = made;
      const kept = engine.upload(noise(100), [100]);
      for (let size = 1000; size < 20_000; size += 1000) {
        const sums = scope(engine, () => engine.sum(engine.full([size], 1)));
        assert.deepEqual([...await engine.read(sums)], [size]);
      }
      assert.deepEqual(await engine.read(kept), noise(100), "what is in use stays");
      assert.ok(made - before > 2 ** 19, `${made - before} bytes were made`);
      assert.ok(made - destroyed - before < 2 ** 18, `${made - destroyed - before} bytes are left`);
      engine.close();
      assert.equal(made, destroyed);
      assert.equal(engine.memory().live, 0);
    } finally {
      GPUDevice.prototype.createBuffer = createBuffer;
      GPUBuffer.prototype.destroy = destroy;
    }
  },
});
