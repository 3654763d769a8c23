import { Effect } from "effect";
import assert from "node:assert/strict";
import { sampleBaseModel, sampleTexts } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { type Engine, scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { contrastiveTensionInBatch } from "../../lib/loss/contrastive_tension.ts";
import { type BiEncoder, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { parameter, type Parameters } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import {
  contrastiveTensionObjective,
  type ContrastiveTensionTask,
  type Tension,
  textsOfPairs,
} from "../../lib/train/contrastive_tension_objective.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import { engines } from "../engine/engines.ts";
import { assertGradients, assertNear, below, goldenPath, goldenTensors } from "../golden/golden.ts";
import { denoisingFolder, tokenized } from "../model/denoising.ts";
import { gradientsOf, tensorsOf } from "../tensors.ts";
import { course } from "./course.ts";

/** A tiny BERT with mean pooling. */
async function tiny(engine: Engine, dropout = 0): Promise<BiEncoder> {
  const folder = await denoisingFolder("bert");
  const loaded = await loadBiEncoder(engine, folder, { trained: true });
  await Deno.remove(folder, { recursive: true });
  const config = { ...loaded.encoder.config, hiddenDropout: dropout, attentionDropout: dropout };
  return { ...loaded, encoder: { ...loaded.encoder, config } };
}

const headOf = (engine: Engine, tension: Tension): Parameters =>
  tension === "pairs" ? {} : Object.fromEntries(
    Object.entries(contrastiveTensionInBatch().head!(0, 0)).map((
      [name, { shape, data }],
    ) => [name, parameter(engine, shape, data)]),
  );

for (const { name: engineName, create } of engines) {
  for (const tension of ["pairs", "in-batch"] as const) {
    Deno.test(`${engineName}: Contrastive Tension, ${tension}, has sentence-transformers' losses, gradients and steps`, async () => {
      const engine = await create();
      const golden = JSON.parse(await Deno.readTextFile(goldenPath(`contrastive_tension/${tension}.json`)));
      const expected = await goldenTensors(`contrastive_tension/${tension}.safetensors`);
      const [model, first] = [await tiny(engine), await tiny(engine)];
      const objective = contrastiveTensionObjective({
        model,
        first,
        texts: tokenized(golden.texts),
        tension,
        posNegRatio: 4,
        head: headOf(engine, tension),
      });
      const initial = below(expected, "initial/");
      const own = await tensorsOf(engine, objective.parameters);
      assert.deepEqual([...initial.keys()].sort(), [...own.keys()].filter((name) => name.startsWith("first/")).sort());
      // Tensors that are parts of one lie one below the other.
      for (const [name, { value, parts = [{ name }] }] of Object.entries(objective.parameters)) {
        if (!name.startsWith("first/")) continue;
        const values = parts.flatMap((part) => [...initial.get(part.name)!]);
        engine.write(value, Float32Array.from(values));
      }
      const optimizer = openOptimizer(engine, objective.parameters);
      const [losses, norms]: [number[], number[]] = [[], []];
      for (let step = 0; step < golden.losses.length; step++) {
        await scopeAsync(engine, async () => {
          const rows = Int32Array.from({ length: golden.rows }, (_, i) => step * golden.rows + i);
          const loss = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: step + 1 }, 1);
          if (step === 0) {
            assertGradients(await gradientsOf(engine, objective.parameters), below(expected, "gradient/"));
          }
          update(engine, optimizer, loss, { rate: golden.learningRate, step: step + 1 });
          losses.push((await engine.read(loss))[0]!);
          norms.push((await engine.read(optimizer.scalars))[STEP.gradientNorm]!);
        });
      }
      assertNear("first loss", losses.slice(0, 1), golden.losses.slice(0, 1), 1e-5);
      assertNear("losses", losses, golden.losses, 1e-3);
      assertNear("norms", norms, golden.gradientNorms, 1e-3);
      const trained = await tensorsOf(engine, objective.parameters);
      for (const [name, data] of below(expected, "trained/")) {
        if (!name.endsWith("key.bias")) assertNear(name, trained.get(name)!, data, 1e-3); // rounding that Adam scales up
      }
      closeOptimizer(engine, optimizer);
      engine.close();
    });
  }
}

/** Loss and gradients of a batch under dropout. */
async function differentiate(
  engine: Engine,
  tension: Tension,
  change: Partial<ContrastiveTensionTask> = {},
  dropout = 0.2,
) {
  const [model, first] = [await tiny(engine, dropout), await tiny(engine, dropout)];
  const texts = tokenized(["5 6 7", "8 9 10 11", "12 13", "14 15 16 17 18", "19", "20 21", "22 23 24", "25 26"]);
  const objective = contrastiveTensionObjective({
    model,
    first,
    texts,
    tension,
    posNegRatio: 2,
    head: headOf(engine, tension),
    ...change,
  });
  const rows = Int32Array.of(4, 0, 2, 5, 1, 3, 7);
  return await scopeAsync(engine, async () => {
    const batch = { rows, streams: rows, seed: 3, step: 2 };
    const loss = (await engine.read(objective.differentiate(engine, batch, 0.5)))[0]!;
    return { loss, objective, rows, gradients: await gradientsOf(engine, objective.parameters) };
  });
}

Deno.test("a batch of two models in parts has the loss and the gradient of the whole, masks included", async () => {
  const engine = createCpuEngine({ threads: 1 });
  for (const tension of ["pairs", "in-batch"] as const) {
    const whole = await differentiate(engine, tension);
    const parts = await differentiate(engine, tension, { tokenBudget: 6 });
    assert.ok(Math.abs(parts.loss - whole.loss) < 1e-5 * whole.loss, `${parts.loss} instead of ${whole.loss}`);
    assertGradients(parts.gradients, whole.gradients);
  }
  engine.close();
});

Deno.test("each model draws a mask of its own, and texts that fill no pair are left out", async () => {
  const engine = createCpuEngine({ threads: 1 });
  // Equal weights: without dropout both sides have equal gradients, with it they have not.
  const sides = async (dropout: number) => {
    const { gradients } = await differentiate(engine, "in-batch", {}, dropout);
    const name = "encoder.layer.0.output.dense.weight";
    return [[...gradients.get(name)!], [...gradients.get(`first/${name}`)!]] as const;
  };
  const [a, b] = await sides(0);
  a.forEach((value, i) => assert.ok(Math.abs(value - b[i]!) < 1e-5, `${value}, ${b[i]}`));
  const [c, d] = await sides(0.2);
  assert.ok(c.some((value, i) => Math.abs(value - d[i]!) > 1e-3));

  const { objective, rows } = await differentiate(engine, "pairs");
  // (4, 4), (0, 2), (5, 5), (1, 3), (7, 7)
  assert.equal(objective.tokens(rows), 1 + 1 + 3 + 2 + 2 + 2 + 4 + 5 + 2 + 2);
  assert.equal(objective.tokens(rows.subarray(0, 6)), 1 + 1 + 3 + 2 + 2 + 2 + 4 + 5);
  assert.equal(objective.tokens(rows.subarray(0, 5)), 1 + 1 + 3 + 2 + 2 + 2, "a text without a partner");
  assert.equal(objective.hasNegative!(rows.subarray(0, 2)), false, "one pair, of equal texts");
  assert.equal(objective.hasNegative!(rows), true);
  assert.equal(textsOfPairs(16), 30);
  assert.throws(() => textsOfPairs(20), /multiple of 8 pairs/);
  engine.close();
});

Deno.test("a pair of two texts with equal tokens counts as equal, as in sentence-transformers", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const lossOf = async (plain: readonly string[]) => {
    const [model, first] = [await tiny(engine), await tiny(engine)];
    const options = { model, first, texts: tokenized(plain), tension: "pairs", posNegRatio: 2 } as const;
    const objective = contrastiveTensionObjective(options);
    const rows = Int32Array.of(0, 1, 2);
    const batch = { rows, streams: rows, seed: 3, step: 2 };
    return (await scopeAsync(engine, () => engine.read(objective.differentiate(engine, batch, 1))))[0]!;
  };
  const [equal, alone] = [await lossOf(["5 6", "7 8 9", "7 8 9"]), await lossOf(["7 8 9", "5 6", "5 6"])];
  // Two pairs of equal texts each time, the same two.
  assert.ok(Math.abs(equal - alone) < 1e-5 * Math.max(equal, 1), `${equal}, ${alone}`);
  engine.close();
});

const settings: TrainSettings = {
  epochs: 2,
  batchSize: textsOfPairs(8, 4),
  seed: 5,
  learningRate: 1e-3,
  schedule: "linear",
  warmupSteps: 2,
  loggingSteps: 2,
  saveSteps: 3,
};

/** Trains two of the sample's base model; all weights afterwards, and the record. */
async function run(tension: Tension, hooks: TrainHooks) {
  const engine = createCpuEngine({ threads: 1 });
  try {
    const load = async () => await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
    const [model, first] = [await load(), await load()];
    const texts = await tokenize(model.tokenizer, sampleTexts({ rows: 60 }), { maxLength: 16 });
    const task = { model, first, texts, tension, posNegRatio: 4, head: headOf(engine, tension) };
    const objective = contrastiveTensionObjective(task);
    const record = await Effect.runPromise(train(engine, objective, settings, hooks));
    return { record, weights: await tensorsOf(engine, objective.parameters) };
  } finally {
    engine.close();
  }
}

for (const tension of ["pairs", "in-batch"] as const) {
  Deno.test(`Contrastive Tension, ${tension}, learns, and goes on after a crash with the same bits of both models`, async () => {
    const folder = await Deno.makeTempDir();
    const whole = await run(tension, {});
    const losses = whole.record.log.map(({ loss }) => loss);
    assert.ok(losses.at(-1)! < losses[0]!, losses.join(" "));
    const crash: TrainHooks = {
      folder,
      onStep: ({ step }) => step === 7 ? Effect.die(new Error("crash")) : Effect.void,
    };
    await assert.rejects(run(tension, crash), /crash/); // in the second epoch; the checkpoint is that of step 6
    const resumed = await run(tension, { folder });
    assert.deepEqual(resumed.weights, whole.weights);
    assert.ok([...whole.weights.keys()].some((name) => name.startsWith("first/")));
    assert.deepEqual(course(resumed.record), course(whole.record));
    await Deno.remove(folder, { recursive: true });
  });
}
