import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { sampleBaseModel, sampleNli } from "../../lib/data/sample/mod.ts";
import { tripletsFromNli } from "../../lib/negatives/nli.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { EngineError, TrainingError } from "../../lib/error.ts";
import { multipleNegativesRanking } from "../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import { course } from "./course.ts";

const settings: TrainSettings = {
  epochs: 1,
  maxSteps: 9,
  batchSize: 8,
  accumulate: 2,
  seed: 5,
  learningRate: 1e-3,
  schedule: "linear",
  warmupSteps: 2,
  loggingSteps: 2,
  saveSteps: 2,
};

/** Trains the sample's base model; the weights afterwards and the record. */
async function run(
  hooks: TrainHooks,
  { freeze, ...change }: Partial<TrainSettings> & { readonly freeze?: string } = {},
  tokenBudget?: number,
  engine: Engine = createCpuEngine({ threads: 1 }),
  signal?: AbortSignal,
) {
  try {
    const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true, freeze, lora: change.lora });
    const { dataset } = tripletsFromNli(sampleNli({ rows: 450 }), { negatives: "easy", seed: 1 });
    const columns = Object.values(dataset.columns) as (readonly string[])[];
    const texts = [];
    for (const column of columns) texts.push(await tokenize(model.tokenizer, column, { maxLength: 32 }));
    const objective = biEncoderObjective({
      model,
      loss: multipleNegativesRanking(),
      head: {},
      texts,
      distinct: columns,
      tokenBudget,
    });
    const record = await Effect.runPromise(train(engine, objective, { ...settings, ...change }, hooks), { signal });
    const weights: Record<string, Float32Array> = {};
    for (const [name, { value }] of Object.entries(model.parameters)) {
      weights[name] = await engine.read(value) as Float32Array;
    }
    return { record, weights };
  } finally {
    engine.close();
  }
}

Deno.test("train() goes on after a crash with the very bits of an undisturbed run", async () => {
  const folder = await Deno.makeTempDir();
  const whole = await run({});
  const resumedAt: string[] = [];
  const onResumed: TrainHooks["onResumed"] = ({ step, totalSteps }) =>
    Effect.sync(() => void resumedAt.push(`${step} of ${totalSteps}`));
  const crash = (step: number): TrainHooks => ({
    folder,
    onResumed,
    onStep: (progress) => progress.step === step ? Effect.die(new Error("crash")) : Effect.void,
  });
  await assert.rejects(run(crash(5)), /crash/); // the checkpoint is that of step 4
  await assert.rejects(run(crash(8)), /crash/);
  const resumed = await run({ folder, onResumed });
  assert.deepEqual(resumedAt, ["4 of 9", "6 of 9"]);
  assert.deepEqual(resumed.weights, whole.weights);
  assert.deepEqual(course(resumed.record), course(whole.record));
  assert.equal(resumed.record.samples, whole.record.samples);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("an engine that fails on the way says where, and what the same run goes on from", async () => {
  const folder = await Deno.makeTempDir();
  const failing = (step: number): [TrainHooks, Engine] => {
    const engine = { ...createCpuEngine({ threads: 1 }) };
    const fail = () => Promise.reject(new EngineError("the device was lost", { found: "a cable", hint: "plug it in" }));
    const onStep: TrainHooks["onStep"] = (progress) =>
      Effect.sync(() => void (progress.step === step && (engine.read = fail)));
    return [{ folder, onStep }, engine];
  };
  const told = (where: RegExp, hint: RegExp) => (error: unknown) => {
    assert.ok(error instanceof EngineError);
    assert.deepEqual([error.summary, error.found], ["the device was lost", "a cable"]);
    assert.match(error.where!, where);
    assert.match(error.hint!, hint);
    return true;
  };
  const [early, first] = failing(1);
  await assert.rejects(
    run(early, {}, undefined, first),
    told(/^after step 1 of 9$/, /plug it in$/),
  );
  const [late, second] = failing(5); // on a fast machine the next steps follow in a row, up to the next checkpoint
  await assert.rejects(run(late, {}, undefined, second), told(/^after step [5-8] of 9$/, /the checkpoint of step 4/));
  assert.deepEqual((await run({ folder })).weights, (await run({})).weights);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("weights never part from the number of their step, though a step fails while the run is interrupted", async () => {
  const folder = await Deno.makeTempDir();
  const engine = { ...createCpuEngine({ threads: 1 }) };
  const { read } = engine;
  const controller = new AbortController();
  const onStep: TrainHooks["onStep"] = ({ step }) =>
    Effect.sync(() => {
      if (step !== 3) return;
      engine.read = () => { // step 4 has changed the weights, and nothing is known of it
        engine.read = read;
        controller.abort();
        return Promise.reject(new EngineError("the device did not answer"));
      };
    });
  await assert.rejects(run({ folder, onStep }, {}, undefined, engine, controller.signal));
  const [resumed, whole] = [await run({ folder }), await run({})];
  for (const [name, values] of Object.entries(whole.weights)) {
    assert.ok(resumed.weights[name]!.every((value, i) => value === values[i]), name);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a checkpoint is written after five minutes, however few updates they were", async () => {
  const folder = await Deno.makeTempDir();
  const saved: number[] = [];
  let later = 0;
  const now = performance.now.bind(performance);
  performance.now = () => now() + later;
  try {
    await run({
      folder,
      onStep: ({ step }) => Effect.sync(() => void (later += step === 3 || step === 4 ? 200_000 : 1000)),
      onSaved: ({ step }) => Effect.sync(() => void saved.push(step)),
    }, { saveSteps: 1000, maxSteps: 6, evalSteps: 1 });
  } finally {
    performance.now = now;
  }
  assert.deepEqual(saved, [4]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a training of adapters goes on in the same way, and its checkpoint holds nothing else", async () => {
  const folder = await Deno.makeTempDir();
  const lora = { rank: 2, dropout: 0.1, targets: ["query", "value", "output.dense"] };
  const change = { lora, maxSteps: 4 };
  const whole = await run({}, change);
  const crash: TrainHooks = { folder, onStep: ({ step }) => step === 3 ? Effect.die(new Error("crash")) : Effect.void };
  await assert.rejects(run(crash, change), /crash/);
  const reader = await openTensors(join(folder, "checkpoint.safetensors"));
  assert.ok([...reader.tensors.keys()].every((name) => name.includes("lora_")));
  reader.close();
  const resumed = await run({ folder }, change);
  assert.deepEqual(resumed.weights, whole.weights);
  assert.ok(whole.record.trainedParameters < whole.record.parameters / 10);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("train() writes a checkpoint when it is interrupted", async () => {
  const folder = await Deno.makeTempDir();
  const controller = new AbortController();
  const engine = createCpuEngine({ threads: 1 });
  const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
  const texts = [await tokenize(model.tokenizer, ["a", "b", "c"], { maxLength: 8 })];
  const objective = biEncoderObjective({
    model,
    loss: multipleNegativesRanking(),
    head: {},
    texts: [texts[0]!, texts[0]!],
  });
  const hooks: TrainHooks = {
    folder,
    onStep: ({ step }) => Effect.sync(() => step === 3 ? controller.abort() : undefined),
  };
  const effect = train(engine, objective, { ...settings, maxSteps: 1000, saveSteps: 1000 }, hooks);
  await assert.rejects(Effect.runPromise(effect, { signal: controller.signal }));
  assert.ok((await Deno.stat(join(folder, "checkpoint.safetensors"))).size > 0);
  engine.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("train() splits a batch that is above the budget without changing the result", async () => {
  const [whole, split] = [await run({}, { maxSteps: 3 }), await run({}, { maxSteps: 3 }, 40)];
  for (const [name, values] of Object.entries(whole.weights)) {
    if (name.includes("key.bias")) continue; // its true gradient is 0: Adam turns rounding into steps
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const worst = values.reduce((most, value, i) => Math.max(most, Math.abs(value - split.weights[name]![i]!)), 0);
    assert.ok(worst < 2e-3 * largest, `${name}: ${worst} of ${largest}`);
  }
});

Deno.test("train() stops at a loss that is not finite, and leaves the weights alone", async () => {
  await assert.rejects(run({}, { learningRate: 1e30, warmupSteps: 0, clip: 0 }), (error: unknown) => {
    assert.ok(error instanceof TrainingError);
    assert.match(error.where ?? "", /step \d+, rows/);
    return true;
  });
});

Deno.test("train() keeps the best weights by a metric, and stops when patience runs out", async () => {
  const folder = await Deno.makeTempDir();
  const values = [0.1, 0.5, 0.4, 0.3, 0.2];
  let call = 0;
  const { record } = await run(
    { folder, metrics: ["spearman_cosine"], evaluate: Effect.sync(() => ({ spearman_cosine: values[call++]! })) },
    { evalSteps: 1, keepBest: "spearman_cosine", patience: 2 },
  );
  assert.deepEqual(record.best, { step: 2, value: 0.5 });
  assert.ok(record.stoppedEarly && record.steps === 4);
  await assert.rejects(
    run({ evaluate: Effect.succeed({ other: 1 }) }, { evalSteps: 1, keepBest: "spearman_cosine" }),
    /none of those that are evaluated/,
  );
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a checkpoint that another version wrote is refused with what to do, not misread", async () => {
  const folder = await Deno.makeTempDir();
  await assert.rejects(
    run({ folder, onStep: ({ step }) => step === 5 ? Effect.die(new Error("crash")) : Effect.void }),
    /crash/,
  );
  const path = join(folder, "checkpoint.safetensors");
  const reader = await openTensors(path);
  const { log: _, ...record } = JSON.parse(reader.metadata["record"]!);
  const tensors = await Promise.all(
    [...reader.tensors].map(async ([name, { shape }]) => ({ name, shape, data: await reader.readF32(name) })),
  );
  reader.close();
  await writeSafetensors(path, tensors, { record: JSON.stringify(record) });
  await assert.rejects(run({ folder }), /another version/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a checkpoint of more than is trained now is refused: what is frozen would not be as it was", async () => {
  const folder = await Deno.makeTempDir();
  const crash: TrainHooks = { folder, onStep: ({ step }) => step === 5 ? Effect.die(new Error("crash")) : Effect.void };
  await assert.rejects(run(crash), /crash/);
  await assert.rejects(run({ folder }, { freeze: "embeddings" }), /belongs to another model/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a training that cannot begin leaves nothing on the engine", async () => {
  const folder = await Deno.makeTempDir();
  const path = join(folder, "checkpoint.safetensors");
  await writeSafetensors(path, [{ name: "other", shape: [1], data: Float32Array.of(1) }], { record: "{}" });
  const engine = createCpuEngine({ threads: 1 });
  await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
  const { live } = engine.memory();
  let [left, moments] = [0, 0];
  const kept = { ...engine, close: () => void (left = engine.memory().live - live) };
  await assert.rejects(run({ folder }, {}, undefined, kept), /belongs to another model/);
  assert.equal(left, live, "a second model, and no optimizer");
  const variable: Engine["variable"] = (shape, options) => {
    if (options?.storage === "cold" && ++moments > 2) throw new EngineError("out of memory");
    return engine.variable(shape, options);
  };
  await assert.rejects(run({}, {}, undefined, { ...kept, variable }), EngineError);
  assert.equal(left, 2 * live, "a third model, and nothing of an optimizer that finds no room");
  engine.close();
  await Deno.remove(folder, { recursive: true });
});
