/**
 * What a step of a training asks of a card.
 */
import assert from "node:assert/strict";
import { Effect } from "effect";
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { deviceTable, workTable } from "../../../lib/pipeline/profile.ts";
import { tableLines } from "../../../lib/pipeline/table_lines.ts";
import { train } from "../../../lib/train/trainer.ts";
import { randomObjective } from "../../../tools/random_model.ts";
import { hasWebgpu } from "../engines.ts";

const ignore = !hasWebgpu;

/** As many layers as all-MiniLM-L6-v2 has; narrow, for kernels are counted. */
const SHAPE = {
  model_type: "bert",
  vocab_size: 300,
  hidden_size: 16,
  num_hidden_layers: 6,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 32,
};
const STEPS = 3;

Deno.test({
  name: "webgpu: a step of MiniLM on 32 pairs is one submission of at most 250 kernels, by the profile",
  ignore,
  fn: async () => {
    const engine = await createWebgpuEngine({ profile: true });
    try {
      const objective = await randomObjective(engine, { shape: SHAPE, rows: 64, tokens: 6, shortest: 2 });
      await Effect.runPromise(train(engine, objective, { batchSize: 32, maxSteps: STEPS }));
      const { steps, ...all } = engine.work;
      assert.equal(steps.count, STEPS);
      assert.equal(steps.submits, STEPS);
      assert.ok(steps.dispatches <= STEPS * 250 && steps.dispatches > STEPS * 100, `${steps.dispatches} kernels`);
      assert.ok(steps.reads >= 1 && steps.reads <= STEPS && steps.uploaded < STEPS * 2 ** 18);
      for (const kind of ["dispatches", "submits", "uploaded", "reads"] as const) assert.ok(all[kind] >= steps[kind]);
      const times = engine.times!();
      assert.equal(times.reduce((sum, { calls }) => sum + calls, 0), all.dispatches);
      const [product] = times.filter(({ kernel }) => kernel.startsWith("matmul"));
      assert.ok(product!.operations > 0);
      if (times[0]!.seconds !== undefined) assert.ok(times[0]!.seconds >= times.at(-1)!.seconds!);
      const lines = [deviceTable(times), workTable(engine.work)].flatMap(tableLines);
      assert.ok(lines.every((line) => line.length <= 80) && lines.length === times.length + 8, lines.join("\n"));
      assert.ok(lines.some((line) => /^ +submissions +\d+ +1\.00$/.test(line)), lines.join("\n"));
    } finally {
      engine.close();
    }
  },
});
