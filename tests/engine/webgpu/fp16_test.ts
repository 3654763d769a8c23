/** Layers of numbers of 16 bits, on an adapter that has them: Mesa's has, SwiftShader has not. */
import { Effect } from "effect";
import assert from "node:assert/strict";
import { sampleBaseModel, sampleNli } from "../../../lib/data/sample/mod.ts";
import { type Engine, scope } from "../../../lib/engine/engine.ts";
import { selectEngine } from "../../../lib/engine/select.ts";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { multipleNegativesRanking } from "../../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../../lib/model/bi_encoder.ts";
import { openModel } from "../../../lib/simple/mod.ts";
import { linear } from "../../../lib/tensor/ops/linear.ts";
import { mean, square, subtract } from "../../../lib/tensor/ops.ts";
import { backward, recording } from "../../../lib/tensor/tape.ts";
import { constant, parameter } from "../../../lib/tensor/tensor.ts";
import { tokenize } from "../../../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../../../lib/train/bi_encoder_objective.ts";
import { nextLossScale } from "../../../lib/train/loss_scale.ts";
import type { Objective } from "../../../lib/train/objective.ts";
import { train } from "../../../lib/train/trainer.ts";
import { hasWebgpu } from "../engines.ts";
import { assertRounded, layerProduct, numbers, TRANSPOSES } from "../layer_products.ts";

const ignore = !hasWebgpu;
const open = () => createWebgpuEngine({ precision: "fp16" });

Deno.test({
  name: "webgpu: factors of layers are rounded to fp16, the sums keep 32 bits",
  ignore,
  fn: async () => {
    const engine = await open();
    for (const sizes of [[1, 1, 1], [5, 7, 3], [68, 72, 40], [33, 37, 65]]) {
      for (const transposes of TRANSPOSES) {
        const one = await layerProduct(engine, sizes, transposes, true);
        assertRounded(one, sizes, transposes, (values) => values.map(Math.f16round));
      }
    }
    engine.close();
  },
});

Deno.test({
  name: "webgpu: products that are no layer's are those of fp32, bit for bit",
  ignore,
  fn: async () => {
    const [engine, plain] = [await open(), await createWebgpuEngine()];
    const sizes = [33, 37, 65];
    const found = await layerProduct(engine, sizes, [false, true], false);
    assert.deepEqual(found.found, (await layerProduct(plain, sizes, [false, true], true)).found);
    assert.equal(engine.info.precision, "fp16");
    assert.notEqual(engine.info.bits, plain.info.bits);
    engine.close();
    plain.close();
  },
});

Deno.test({
  name: "webgpu: what is beyond fp16 is infinite, and what is not finite stays so",
  ignore,
  fn: async () => {
    const engine = await open();
    for (
      const [value, expected] of [[65519, 65504], [65520, Infinity], [-1e30, -Infinity], [-Infinity, -Infinity], [
        NaN,
        NaN,
      ]]
    ) {
      const a = engine.upload(Float32Array.of(value!, 3), [2, 1]);
      const [first, second] = await engine.read(engine.matmul(a, engine.full([1, 1], 1), { isLayer: true }));
      assert.deepEqual([first, second], [expected, 3]);
    }
    engine.close();
  },
});

/** Steps on pairs of the sample. */
async function trained(engine: Engine) {
  const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
  const { premise, hypothesis } = sampleNli({ rows: 64 }).columns;
  const texts = await Promise.all(
    [premise, hypothesis].map((column) => tokenize(model.tokenizer, column, { maxLength: 64 })),
  );
  const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
  const settings = { batchSize: 8, maxSteps: 4, loggingSteps: 1, learningRate: 1e-3, warmupSteps: 0 };
  return await Effect.runPromise(train(engine, objective, settings));
}

Deno.test({
  name: "webgpu: training in fp16 has the losses of fp32, within a thousandth",
  ignore,
  fn: async () => {
    const [engine, plain] = [await open(), await createWebgpuEngine()];
    try {
      const [record, expected] = [await trained(engine), await trained(plain)];
      const losses = record.log.map(({ loss }) => loss!);
      const plainLosses = expected.log.map(({ loss }) => loss!);
      assert.equal(losses.length, 4);
      losses.forEach((loss, i) => {
        assert.ok(Math.abs(loss / plainLosses[i]! - 1) < 0.001, `step ${i + 1}: ${loss}, not ${plainLosses[i]}`);
      });
      assert.notDeepEqual(losses, plainLosses);
      assert.equal(expected.lossScale, undefined);
      assert.equal(record.lossScale!.good + record.lossScale!.skipped, 4);
    } finally {
      engine.close();
      plain.close();
    }
  },
});

/** A layer learns another one from afar: the gradient of its result is 2 · 60 / 64 at first. */
async function distant(engine: Engine, maxSteps: number) {
  const values = (size: number, scale: number) => numbers(size, 1).map((value) => value * scale);
  const weight = parameter(engine, [8, 8], values(64, 0.01));
  const scales: number[] = [];
  const objective: Objective = {
    parameters: { weight },
    rows: 64,
    tokens: (rows) => rows.length,
    differentiate: (engine, _, scale) =>
      scope(engine, () => {
        scales.push(scale);
        const tape = recording(engine);
        const x = constant(engine.upload(values(64, 0.1), [8, 8]));
        const loss = mean(
          tape,
          square(tape, subtract(tape, linear(tape, x, weight), constant(engine.full([8, 8], 60)))),
        );
        backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
        return loss.value;
      }),
  };
  const settings = { batchSize: 8, maxSteps, learningRate: 0.01, schedule: "constant", loggingSteps: 1 } as const;
  const record = await Effect.runPromise(train(engine, objective, { ...settings, warmupSteps: 0 }));
  return { record, scales, weight: await engine.read(weight.value) };
}

Deno.test({
  name: "webgpu: gradients that overflow fp16 skip their steps, the scale of the loss falls, and training goes on",
  ignore,
  fn: async () => {
    const [engine, plain] = [await open(), await createWebgpuEngine()];
    try {
      const { record, scales, weight } = await distant(engine, 6);
      assert.deepEqual(scales, [65536, 32768, 32768, 32768, 32768, 32768]); // 1.875 · 65536 is beyond, half of it is not
      assert.deepEqual(record.lossScale, { scale: 32768, good: 5, skipped: 1 });
      const expected = await distant(plain, 5);
      weight.forEach((value, i) => {
        assert.ok(Math.abs(value - expected.weight[i]!) < 1e-3, `${value}, not ${expected.weight[i]}`);
      });
      assert.ok(record.log.at(-1)!["loss"]! < record.log[0]!["loss"]!);
    } finally {
      engine.close();
      plain.close();
    }
  },
});

Deno.test("the scale of the loss halves with a step that is skipped, and doubles after 2000 that are not", () => {
  let scale = nextLossScale({ scale: 1024, good: 1998, skipped: 0 }, false);
  assert.deepEqual(scale, { scale: 1024, good: 1999, skipped: 0 });
  scale = nextLossScale(scale, false);
  assert.deepEqual(scale, { scale: 2048, good: 0, skipped: 0 });
  assert.deepEqual(nextLossScale({ ...scale, good: 7 }, true), { scale: 1024, good: 0, skipped: 1 });
});

Deno.test({
  name: "webgpu: a model that is opened in fp16 encodes as in fp32, within 16 bits",
  ignore,
  fn: async () => {
    const texts = ["the dog runs", "a queen in the castle", "the cook slices the bread and the boy eats it"];
    const folder = await sampleBaseModel();
    const rows = async (precision: "fp32" | "fp16") => {
      using model = await openModel(folder, { engine: { engine: "webgpu", precision } });
      return await model.encode(texts, { normalize: true });
    };
    const [found, expected] = [await rows("fp16"), await rows("fp32")];
    assert.notDeepEqual(found.data, expected.data);
    for (let row = 0; row < texts.length; row++) {
      const at = (x: Float32Array) => x.subarray(row * found.width, (row + 1) * found.width);
      const cosine = at(found.data).reduce((sum, value, i) => sum + value * at(expected.data)[i]!, 0);
      assert.ok(cosine > 0.99999, `${texts[row]}: ${cosine}`);
    }
  },
});

Deno.test({
  name: "webgpu: an adapter without fp16 is refused by name, as are other forms of 16 bits",
  ignore,
  fn: async () => {
    const features = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, "features")!;
    Object.defineProperty(GPUAdapter.prototype, "features", { get: () => new Set(), configurable: true });
    try {
      await assert.rejects(selectEngine({ engine: "webgpu", precision: "fp16" }), (error: Error & { _tag: string }) => {
        assert.match(error.message, /fp16/);
        assert.match(error.message, /shader-f16/);
        return error._tag === "EngineError";
      });
    } finally {
      Object.defineProperty(GPUAdapter.prototype, "features", features);
    }
    await assert.rejects(selectEngine({ engine: "webgpu", precision: "bf16" }), /bf16 is not supported by the webgpu/);
  },
});
