/**
 * What is of WebGPU alone: the suite of conformance and golden tests take it among their engines.
 */
import assert from "node:assert/strict";
import { Effect } from "effect";
import { sampleBaseModel, sampleNli } from "../../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../../lib/engine/engine.ts";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { multipleNegativesRanking } from "../../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../../lib/model/bi_encoder.ts";
import { tokenize } from "../../../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../../../lib/train/bi_encoder_objective.ts";
import { train } from "../../../lib/train/trainer.ts";
import { hasWebgpu } from "../engines.ts";
import { watched } from "./watched.ts";

const ignore = !hasWebgpu;

/** Steps on pairs of the sample. */
async function trained(engine: Engine, maxSteps: number) {
  const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
  const { premise, hypothesis } = sampleNli({ rows: 64 }).columns;
  const texts = await Promise.all(
    [premise, hypothesis].map((column) => tokenize(model.tokenizer, column, { maxLength: 64 })),
  );
  const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
  return await Effect.runPromise(train(engine, objective, { batchSize: 8, maxSteps, loggingSteps: 1 }));
}

Deno.test({
  name: "webgpu: steps of training are those of the cpu engine, with dropout, and each is one submission",
  ignore,
  fn: async () => {
    const [engine, cpu] = [await createWebgpuEngine(), createCpuEngine({ threads: 1 })];
    try {
      await trained(engine, 1); // with the weights on their way
      const before = { ...engine.work };
      const { log } = await trained(engine, 4);
      const expected = await trained(cpu, 4);
      assert.equal(log.length, 4);
      for (const [i, { loss, gradient_norm }] of log.entries()) {
        assert.ok(Math.abs(loss! - expected.log[i]!["loss"]!) < 1e-4, `loss of step ${i + 1}`);
        assert.ok(Math.abs(gradient_norm! / expected.log[i]!["gradient_norm"]! - 1) < 1e-3, `norm of step ${i + 1}`);
      }
      const steps = engine.work.submits - before.submits - (engine.work.reads - before.reads);
      assert.ok(steps <= 4, `${steps} submissions beside those of reads`);
      assert.ok((engine.work.dispatches - before.dispatches) / 4 < 120, "kernels of a step of two layers");
    } finally {
      engine.close();
      cpu.close();
    }
    assert.equal(engine.memory().live, 0);
  },
});

Deno.test({
  name: "webgpu: what is lost, refused or closed is an error that says so",
  ignore,
  fn: async () => {
    const { made: engine, devices } = await watched(() => createWebgpuEngine());
    const x = engine.upload(Float32Array.of(1, 2), [2]);
    assert.deepEqual([...await engine.read(engine.affine(x, 2))], [2, 4]);
    assert.throws(() => engine.zeros([2 ** 31]), /larger than a buffer/);
    devices[0]!.destroy();
    await assert.rejects(engine.read(engine.affine(x, 2)), (error: Error & { _tag: string }) => {
      assert.match(error.message, /device was lost[^]*kernel affine/);
      return error._tag === "EngineError";
    });
    engine.close();
    assert.throws(() => engine.affine(x, 2), /freed|closed/);
  },
});

Deno.test({
  name: "webgpu: an error of the device names the kernel",
  ignore,
  fn: async () => {
    // deno-lint-ignore no-explicit-any
    type Method = (...args: any[]) => any;
    const faults: Record<string, [object: object, method: string, changed: Method]> = {
      "a text that does not compile": [
        GPUDevice.prototype,
        "createShaderModule",
        ({ code }) => [{ code: `${code}?` }],
      ],
      "tensors that are missing": [GPUDevice.prototype, "createBindGroup", (given) => [{ ...given, entries: [] }]],
      "more groups than can be": [GPUComputePassEncoder.prototype, "dispatchWorkgroups", () => [70_000, 1, 1]],
    };
    for (const [what, [object, method, changed]] of Object.entries(faults)) {
      const engine = await createWebgpuEngine();
      const methods = object as Record<string, Method>;
      const original = methods[method]!;
      methods[method] = function (...args) {
        return original.apply(this, changed(...args));
      };
      try {
        const x = engine.upload(Float32Array.of(1, 2), [2]);
        await assert.rejects(engine.read(engine.affine(x, 2)), (error: Error & { _tag: string }) => {
          assert.equal(error._tag, "EngineError", what);
          assert.match(error.message, /refused[^]*kernel affine/, what);
          return true;
        });
      } finally {
        methods[method] = original;
        engine.close();
      }
    }
  },
});
