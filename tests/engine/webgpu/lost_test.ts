/**
 * A card that is lost in the middle of a training.
 */
import assert from "node:assert/strict";
import { Effect } from "effect";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { EngineError } from "../../../lib/error.ts";
import { train, type TrainHooks } from "../../../lib/train/trainer.ts";
import { randomObjective } from "../../../tools/random_model.ts";
import { withFolder } from "../../folder.ts";
import { course } from "../../train/course.ts";
import { hasWebgpu } from "../engines.ts";
import { watched } from "./watched.ts";

const SHAPE = {
  model_type: "bert",
  vocab_size: 50,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
  max_position_embeddings: 8,
};
const SETTINGS = { batchSize: 2, maxSteps: 8, saveSteps: 3, loggingSteps: 1, learningRate: 1e-2 };

/** Weights in the end, and the course; at step `lostAt` the device is gone. */
async function run(hooks: TrainHooks, lostAt?: number) {
  const { made: engine, devices } = await watched(() => createWebgpuEngine());
  try {
    const objective = await randomObjective(engine, { shape: SHAPE, rows: 16, tokens: 5, shortest: 2 });
    const record = await Effect.runPromise(train(engine, objective, SETTINGS, {
      ...hooks,
      onStep: ({ step }) => Effect.sync(() => void (step === lostAt && devices[0]!.destroy())),
    }));
    const weights: Record<string, unknown> = {};
    for (const [name, { value }] of Object.entries(objective.parameters)) weights[name] = await engine.read(value);
    return { course: course(record), weights };
  } finally {
    engine.close();
  }
}

Deno.test({
  name: "webgpu: a run whose card is lost says so and what to go on from, and the same run does, to the same weights",
  ignore: !hasWebgpu,
  fn: () =>
    withFolder(async (folder) => {
      const whole = await run({});
      await assert.rejects(run({ folder }, 5), (error) => {
        assert.ok(error instanceof EngineError);
        assert.match(error.summary, /device was lost|did not give the values back|refused/);
        assert.ok(error.found!.length > 0);
        assert.match(error.where!, /^kernel .*, after step [56] of 8$/);
        assert.match(error.hint!, /the same again: it goes on from the checkpoint of step (3|6)/);
        return true;
      });
      assert.deepEqual(await run({ folder }), whole);
    }),
});
