import { Effect } from "effect";
import assert from "node:assert/strict";
import { encodeTexts } from "../../lib/embed/encode.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { TrainingError, UsageError } from "../../lib/error.ts";
import { cosent, multipleNegativesRanking, softmax } from "../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { columnPrompt, promptLength } from "../../lib/model/prompts.ts";
import { parameter } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { mixedObjective } from "../../lib/train/mixed_objective.ts";
import type { Objective } from "../../lib/train/objective.ts";
import { planUpdates } from "../../lib/train/plan.ts";
import { train } from "../../lib/train/trainer.ts";
import type { TrainHooks } from "../../lib/train/trainer.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";
import { course } from "./course.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("mixed_training.json")));
const names = ["pairs", "graded", "nli"] as const;

/** The three sets of the golden file, each under its loss, and what is trained beside the model. */
async function goldenSets(engine: Engine) {
  const model = await loadBiEncoder(engine, goldenPath("training/model"), { trained: true });
  const { weight, bias } = golden.classifier.before;
  const head = {
    "classifier.weight": parameter(engine, [3, 3 * model.width], Float32Array.from(weight as number[])),
    "classifier.bias": parameter(engine, [3], Float32Array.from(bias as number[])),
  };
  const objectiveOf = async (name: typeof names[number]) => {
    const { score, label, ...columns } = golden.sets[name] as Record<string, string[]>;
    const prompts = golden.prompts[name] ?? {};
    const texts = [];
    const skip = [];
    for (const [column, values] of Object.entries(columns)) {
      const prompt = columnPrompt(column, prompts);
      texts.push(await tokenize(model.tokenizer, values, { maxLength: model.maxSeqLength, prompt }));
      skip.push(promptLength(model.tokenizer, prompt, model.maxSeqLength));
    }
    return biEncoderObjective({
      model,
      loss: { pairs: multipleNegativesRanking(), graded: cosent(), nli: softmax() }[name],
      head: name === "nli" ? head : {},
      texts,
      skip,
      labels: score !== undefined
        ? Float32Array.from(score, Number)
        : label !== undefined
        ? Int32Array.from(label, Number)
        : undefined,
      distinct: name === "pairs" ? Object.values(columns) : undefined,
    });
  };
  return {
    model,
    head,
    sets: await Promise.all(names.map(async (name) => ({ name, objective: await objectiveOf(name) }))),
  };
}

const settings: TrainSettings = {
  epochs: golden.epochs,
  batchSize: golden.batchSize,
  accumulate: golden.accumulate,
  learningRate: golden.learningRate,
  weightDecay: golden.weightDecay,
  warmupSteps: golden.warmup,
  clip: 0,
  loggingSteps: 1,
  seed: 7,
};

for (const { name: engineName, create } of engines) {
  Deno.test(`${engineName}: three sets under three losses go the way of sentence-transformers' trainer, classifier and prompts included`, async () => {
    const engine = await create();
    const { model, head, sets } = await goldenSets(engine);
    const mixed = mixedObjective(sets, { mixing: "round-robin" });
    const starts = names.map((_, i) => sets.slice(0, i).reduce((sum, { objective }) => sum + objective.rows, 0));
    const recorded = (golden.batches as { set: typeof names[number]; rows: number[] }[]).map(({ set, rows }) => {
      const own = Int32Array.from(rows, (row) => row + starts[names.indexOf(set)]!);
      return { rows: own, streams: own, epoch: 0 };
    });
    const perEpoch = recorded.length / golden.epochs;
    const found: number[] = [];
    const objective: Objective = {
      ...mixed,
      batches: (draw) => (epoch) => {
        assert.equal(mixed.batches!(draw)(epoch).length, perEpoch, "batches of an epoch");
        return recorded.slice(epoch * perEpoch, (epoch + 1) * perEpoch);
      },
    };
    const record = await Effect.runPromise(train(engine, objective, settings));
    for (const { losses } of record.log) found.push(...Object.values(losses!));
    assert.equal(record.steps, golden.steps);
    for (const [name, tensor] of Object.entries(head)) {
      const expected = golden.classifier.after[name.replace("classifier.", "")];
      assertNear(name, await engine.read(tensor.value), expected, 1e-3);
    }
    assertNear("losses", found, golden.losses, 1e-3);
    assertNear("embeddings", (await encodeTexts(engine, model, golden.probe)).data, golden.trained, 1e-3);
    const { pairs, graded, nli } = record.sets!;
    assert.deepEqual([pairs!.batches, graded!.batches, nli!.batches], [6, 6, 6]);
    assert.equal(pairs!.samples + graded!.samples + nli!.samples, record.samples);
    assert.equal(pairs!.tokens + graded!.tokens + nli!.tokens, record.tokens);
    engine.close();
  });
}

Deno.test("a run over several sets goes on after a crash with the very bits of an undisturbed one", () =>
  withFolder(async (folder) => {
    const run = async (hooks: TrainHooks) => {
      const engine = createCpuEngine({ threads: 1 });
      try {
        const { sets } = await goldenSets(engine);
        const objective = mixedObjective(sets.map((set, i) => ({ ...set, weight: i + 1 })), { mixing: "temperature" });
        const record = await Effect.runPromise(
          train(engine, objective, { ...settings, epochs: 3, saveSteps: 2 }, hooks),
        );
        const weights: Record<string, Float32Array> = {};
        for (const [name, { value }] of Object.entries(objective.parameters)) {
          weights[name] = await engine.read(value) as Float32Array;
        }
        return { record, weights };
      } finally {
        engine.close();
      }
    };
    const crash = (at: number): TrainHooks => ({
      folder,
      onStep: ({ step }) => step === at ? Effect.die(new Error("crash")) : Effect.void,
    });
    const whole = await run({});
    assert.ok("nli/classifier.weight" in whole.weights);
    await assert.rejects(run(crash(5)), /crash/);
    await assert.rejects(run(crash(11)), /crash/);
    const resumed = await run({ folder });
    assert.deepEqual(resumed.weights, whole.weights);
    assert.deepEqual(course(resumed.record), course(whole.record));
    assert.deepEqual(resumed.record.sets, whole.record.sets);
    assert.deepEqual(
      resumed.record.log.map(({ losses }) => losses),
      whole.record.log.map(({ losses }) => losses),
    );
  }));

Deno.test("the batches of an update draw no mask twice, of whichever sets and passes they are", () => {
  const keys: string[] = [];
  /** Notes by what the dropout of each text of a batch draws: see `pack`. */
  const set = (rows: number, columns: number): Objective => ({
    parameters: {},
    rows,
    tokens: (rows) => rows.length,
    differentiate(engine, { seed, streams }) {
      for (const place of streams) for (let c = 0; c < columns; c++) keys.push(`${seed} ${place * columns + c}`);
      return engine.zeros([1]);
    },
  });
  const engine = createCpuEngine({ threads: 1 });
  const sets = [
    { name: "pairs", objective: set(40, 2) },
    { name: "texts", objective: set(20, 1) },
    { name: "few", objective: set(5, 3), weight: 6 },
  ];
  const objective = mixedObjective(sets);
  for (const update of planUpdates(objective, { epochs: 2, batchSize: 5, accumulate: 4, seed: 7 }).updates(0)) {
    for (const batch of update) objective.differentiate(engine, { ...batch, seed: 7, step: 1 }, 1);
    assert.equal(new Set(keys).size, keys.length, `${update.map(({ rows }) => rows)}`);
    keys.length = 0;
  }
  engine.close();
});

Deno.test("one set alone is trained on as without a mixture, bit for bit", async () => {
  const run = async (mixed: boolean) => {
    const engine = createCpuEngine({ threads: 1 });
    const { sets: [pairs], model } = await goldenSets(engine);
    const objective = mixed ? mixedObjective([pairs!]) : pairs!.objective;
    await Effect.runPromise(train(engine, objective, settings));
    const { data } = await encodeTexts(engine, model, golden.probe);
    engine.close();
    return data;
  };
  assert.deepEqual(await run(true), await run(false));
});

Deno.test("what the loss of a set cannot do is said by its set, with everything else that was known", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const { sets } = await goldenSets(engine);
  const refusing = sets.map((set) => ({
    ...set,
    objective: {
      ...set.objective,
      differentiate: (...given: Parameters<Objective["differentiate"]>) => {
        if (set.name !== "graded") return set.objective.differentiate(...given);
        throw new UsageError("a length exceeds that of the embeddings", { expected: "at most 8", found: "9" });
      },
    },
  }));
  await assert.rejects(
    Effect.runPromise(train(engine, mixedObjective(refusing), settings)),
    (error) =>
      error instanceof UsageError && /data set graded/.test(error.where!) &&
      error.expected === "at most 8" && error.found === "9",
  );
  engine.close();
});

Deno.test("what is not finite, or has no negative, is said by its set", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const { sets } = await goldenSets(engine);
  const spoilt = sets.map((set) => ({
    ...set,
    objective: {
      ...set.objective,
      differentiate: (...[engine, batch, scale]: Parameters<Objective["differentiate"]>) =>
        set.name === "graded" && batch.step === 3
          ? engine.upload(Float32Array.of(NaN), [1])
          : set.objective.differentiate(engine, batch, scale),
    },
  }));
  const robin = { mixing: "round-robin" } as const;
  await assert.rejects(
    Effect.runPromise(train(engine, mixedObjective(spoilt, robin), { ...settings, batchSize: 3, maxSteps: 4 })),
    (error) =>
      error instanceof TrainingError &&
      /^step 3, rows (\d+ ){3}of graded \| (\d+ ){3}of nli$/.test(error.where!),
  );
  const alike = sets.map((set) => set.name === "pairs" ? { ...set, batchSize: 1 } : set);
  await assert.rejects(
    Effect.runPromise(train(engine, mixedObjective(alike, robin), settings)),
    /no batch of pairs has a negative/,
  );
  await assert.rejects(
    Effect.runPromise(train(engine, mixedObjective(sets, robin), { ...settings, batchSize: 11 })),
    (error) => error instanceof TrainingError && /graded has fewer rows than a batch/.test(error.summary),
  );
  engine.close();
});
