import { Effect } from "effect";
import assert from "node:assert/strict";
import { deletion, distinctTexts } from "../../lib/data/mod.ts";
import { sampleBaseModel, sampleNli } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { type Engine, scopeAsync } from "../../lib/engine/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadDenoisingDecoder } from "../../lib/model/denoising_decoder.ts";
import type { Parameters } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { denoisingObjective, type DenoisingTask } from "../../lib/train/denoising_objective.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import { engines } from "../engine/engines.ts";
import { steps } from "../engine/steps.ts";
import { assertGradients } from "../golden/golden.ts";
import { idsOf, loadDenoising, tokenized } from "../model/denoising.ts";
import { course } from "./course.ts";

const texts = ["5 6 7 8 9 10", "11 12", "13 14 15 16 17 18 19 20", "21 22 23 24", "25 26 27", "28 29 30 31 32"];
const half = (text: string) => text.split(" ").filter((_, i) => i % 2 === 0).join(" ");
const rows = Int32Array.of(4, 0, 2, 5, 1, 3);
const batch = { rows, streams: Int32Array.of(10, 11, 12, 13, 14, 15), seed: 3, step: 2 };

async function gradientsOf(engine: Engine, parameters: Parameters): Promise<Map<string, Float32Array>> {
  const found = new Map<string, Float32Array>();
  for (const [name, { gradient }] of Object.entries(parameters)) {
    found.set(name, await engine.read(gradient!) as Float32Array);
  }
  return found;
}

/** Loss and gradients of a batch of the tiny MPNet, with dropout. */
async function differentiate(engine: Engine, task: Partial<DenoisingTask>, attentionDropout = 0.2) {
  const change = { hiddenDropout: attentionDropout === 0.2 ? 0.2 : 0, attentionDropout };
  const { model, decoder } = await loadDenoising(engine, "mpnet", { change, seed: 1 });
  const objective = denoisingObjective({ model, decoder, texts, targets: tokenized(texts), noise: half, ...task });
  return await scopeAsync(engine, async () => {
    const loss = (await engine.read(objective.differentiate(engine, batch, 0.5)))[0]!;
    return { loss, gradients: await gradientsOf(engine, objective.parameters), objective };
  });
}

for (const { name, create } of engines) {
  Deno.test(`${name}: a batch in parts has the loss and the gradient of the whole, masks included`, async () => {
    const engine = await create();
    const whole = await differentiate(engine, {});
    for (const activationBudget of [1, 150_000]) {
      const parts = await differentiate(engine, { activationBudget });
      assert.ok(Math.abs(parts.loss - whole.loss) < 1e-5 * whole.loss, `${parts.loss} instead of ${whole.loss}`);
      assertGradients(parts.gradients, whole.gradients);
    }
    const more = await differentiate(steps(engine, 64), {});
    assert.ok(Math.abs(more.loss - whole.loss) < 1e-6 * whole.loss, `${more.loss} instead of ${whole.loss}`);
    assertGradients(more.gradients, whole.gradients);
    assert.equal(whole.objective.tokens(rows), 28 + 15, "original and damaged tokens");
    engine.close();
  });
}

Deno.test("dropout of cross-attention that drops nothing is no dropout", async () => {
  const engine = await engines[0]!.create();
  const [none, some] = [await differentiate(engine, {}, 0), await differentiate(engine, {}, 1e-9)];
  assert.ok(Math.abs(none.loss - some.loss) < 1e-6 * none.loss);
  assertGradients(some.gradients, none.gradients);
  const much = await differentiate(engine, {}, 0.5);
  assert.ok(Math.abs(much.loss - none.loss) > 1e-3, "and one that drops much is seen");
  engine.close();
});

Deno.test("noise is drawn afresh in every epoch, and once if it is fixed", async () => {
  const engine = await engines[0]!.create();
  const seen: string[][] = [];
  const words = Array.from(
    { length: 3 },
    (_, i) => Array.from({ length: 20 }, (_, j) => `${5 + (i + j) % 30}`).join(" "),
  );
  for (const fixed of [false, true]) {
    const damage = deletion({ fixed });
    const drawn: string[] = [];
    seen.push(drawn);
    const { model, decoder } = await loadDenoising(engine, "bert");
    const objective = denoisingObjective({
      model,
      decoder,
      texts: words,
      targets: tokenized(words),
      noise: (text, draw) => {
        drawn.push(damage(text, draw));
        return drawn.at(-1)!;
      },
    });
    for (const [step, epoch] of [0, 0, 1].entries()) {
      const order = step === 1 ? Int32Array.of(2, 0) : Int32Array.of(0, 2);
      await scopeAsync(engine, async () => {
        await engine.read(objective.differentiate(engine, { rows: order, streams: order, epoch, seed: 9, step }, 1));
      });
    }
  }
  const [[a, b, c, d, e, f], once] = seen as [string[], string[]];
  assert.deepEqual([d, c], [a, b], "by row and epoch, not by step or place");
  assert.ok(e !== a && f !== b && a !== b);
  assert.deepEqual(once, [a, b, b, a, a, b]);
  engine.close();
});

Deno.test("texts of no token or one teach nothing and disturb nothing", async () => {
  const engine = await engines[0]!.create();
  const lossOf = async (texts: readonly string[]) => {
    const { model, decoder } = await loadDenoising(engine, "bert", { seed: 1 });
    const rows = Int32Array.from(texts, (_, i) => i);
    const objective = denoisingObjective({ model, decoder, texts, targets: tokenized(texts), noise: half });
    return await scopeAsync(
      engine,
      async () =>
        (await engine.read(objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1)))[0]!,
    );
  };
  assert.equal(await lossOf(["", "5", ""]), 0);
  const loss = await lossOf(["5 6 7", "8 9"]);
  assert.ok(loss > 1);
  const mixed = await lossOf(["", "5 6 7", "10", "8 9", ""]);
  assert.ok(Math.abs(mixed - loss) < 1e-5 * loss, `${mixed} instead of ${loss}`);
  // A text of which the noise left no token has the embedding 0, and is written all the same.
  const { model, decoder } = await loadDenoising(engine, "bert", { seed: 1 });
  const objective = denoisingObjective({
    model,
    decoder,
    texts: ["5 6"],
    targets: tokenized(["5 6"]),
    noise: () => "",
  });
  const only = { rows: Int32Array.of(0), streams: Int32Array.of(0), seed: 1, step: 1 };
  const nothing = await scopeAsync(engine, async () => await engine.read(objective.differentiate(engine, only, 1)));
  assert.ok(nothing[0]! > 0.1 && Number.isFinite(nothing[0]!));
  assert.deepEqual(idsOf(""), []);
  engine.close();
});

const settings: TrainSettings = {
  epochs: 3,
  batchSize: 8,
  accumulate: 1,
  seed: 5,
  learningRate: 2e-3,
  schedule: "constant",
  warmupSteps: 0,
  loggingSteps: 6,
  saveSteps: 4,
};

/** TSDAE of the sample's base model over 48 sentences: the weights afterwards and the record. */
async function run(hooks: TrainHooks, change: Partial<TrainSettings> = {}) {
  const engine = createCpuEngine({ threads: 1 });
  try {
    const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true, pooling: "cls" });
    const decoder = await loadDenoisingDecoder(engine, model, await sampleBaseModel(), { seed: 5 });
    const { premise, hypothesis } = sampleNli({ rows: 60 }).columns;
    const texts = distinctTexts([premise, hypothesis]).texts.slice(0, 48);
    const targets = await tokenize(decoder.tokenizer, texts, { maxLength: model.maxSeqLength });
    const objective = denoisingObjective({ model, decoder, texts, targets });
    const record = await Effect.runPromise(train(engine, objective, { ...settings, ...change }, hooks));
    const weights: Record<string, Float32Array> = {};
    for (const [name, { value }] of Object.entries(objective.parameters)) {
      weights[name] = await engine.read(value) as Float32Array;
    }
    return { record, weights, targets };
  } finally {
    engine.close();
  }
}

Deno.test("a denoising run learns, and goes on after a crash with the same bits, decoder and noise included", async () => {
  const folder = await Deno.makeTempDir();
  const whole = await run({});
  assert.equal(whole.record.steps, 18);
  const losses = whole.record.log.map(({ loss }) => loss);
  assert.ok(losses[2]! < losses[1]! && losses[1]! < losses[0]!, losses.join(" "));
  assert.ok(
    whole.record.tokens > 1.2 * 3 * whole.targets.ids.length && whole.record.tokens < 6 * whole.targets.ids.length,
  );
  const crash: TrainHooks = {
    folder,
    onStep: ({ step }) => step === 10 ? Effect.die(new Error("crash")) : Effect.void,
  };
  await assert.rejects(run(crash), /crash/); // in the second epoch; the checkpoint is that of step 8
  const resumed = await run({ folder });
  assert.deepEqual(resumed.weights, whole.weights);
  assert.deepEqual(course(resumed.record), course(whole.record));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a corpus without rows is refused by the trainer", async () => {
  const engine = await engines[0]!.create();
  const { model, decoder } = await loadDenoising(engine, "bert");
  const objective = denoisingObjective({ model, decoder, texts: [], targets: tokenized([]) });
  await assert.rejects(Effect.runPromise(train(engine, objective, settings)), TrainingError);
  engine.close();
});
