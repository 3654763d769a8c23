import { Effect } from "effect";
import assert from "node:assert/strict";
import { gradientsOf as checkpointGradients, tensorsOf } from "../tensors.ts";
import { type Engine, scopeAsync, STEP } from "../../lib/engine/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import { argmaxRows } from "../../lib/evaluate/classification.ts";
import { predict } from "../../lib/evaluate/cross_encoder.ts";
import { crossEncoder, type CrossEncoderLoss } from "../../lib/loss/mod.ts";
import { type CrossEncoder, loadCrossEncoder, score } from "../../lib/model/cross_encoder.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { familyOf } from "../../lib/model/families/mod.ts";
import { inference } from "../../lib/tensor/tape.ts";
import { packPairs, tokenizeBare } from "../../lib/text/pairs.ts";
import { closeOptimizer, openOptimizer, update } from "../../lib/train/adamw.ts";
import { crossEncoderObjective } from "../../lib/train/cross_encoder_objective.ts";
import { rateAt } from "../../lib/train/schedule.ts";
import { train } from "../../lib/train/trainer.ts";
import { engines } from "../engine/engines.ts";
import { assertGradients, assertNear, goldenPath, goldenTensors } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder/expected.json")));
const { binaryCrossEntropy, crossEntropy, marginMse, mse, multipleNegativesRanking } = crossEncoder;
const { classes, scores, margins } = golden;

/** Loss, number of text columns, labels. */
const tasks: Record<string, [CrossEncoderLoss, number, (Int32Array | Float32Array)?]> = {
  bert_classes: [crossEntropy(), 2, Int32Array.from(classes)],
  bert_score: [marginMse(), 4, Float32Array.from(margins.flat())],
  roberta_score: [binaryCrossEntropy({ positiveWeight: 2.5 }), 2, Float32Array.from(scores)],
  roberta_classes: [crossEntropy(), 2, Int32Array.from(classes)],
  mpnet_score: [multipleNegativesRanking({ negatives: 100 }), 3],
  distilbert_score: [mse({ activation: "sigmoid" }), 2, Float32Array.from(scores)],
};

async function load(engine: Engine, name: string): Promise<CrossEncoder> {
  return await loadCrossEncoder(engine, goldenPath(`cross_encoder/${name}`), { trained: true });
}

async function tokenized(model: CrossEncoder, columns: readonly (readonly string[])[]) {
  return await Promise.all(columns.map((column) => tokenizeBare(model.tokenizer, column)));
}

/** Gradients under the names of the checkpoint. */
async function gradientsOf(engine: Engine, { encoder: { config }, parameters }: CrossEncoder) {
  const found = new Map<string, ArrayLike<number>>();
  for (const [name, gradient] of await checkpointGradients(engine, parameters)) {
    const isOwn = /^(pre_)?classifier\./.test(name);
    found.set(isOwn ? name : familyOf(config).prefix + name, gradient);
  }
  return found;
}

const allRows = Int32Array.from(scores, (_: number, i: number) => i);
const batch = { rows: allRows, streams: allRows, seed: 1, step: 1 };

for (const { name: engineName, create } of engines) {
  for (const [name, [loss, width, labels]] of Object.entries(tasks)) {
    for (const tokenBudget of [undefined, 30, 1]) {
      if (tokenBudget === 1 && width === 2) continue; // a row is one pair
      const how = tokenBudget === undefined ? "" : tokenBudget === 1 ? ", pair by pair" : ", row by row";
      Deno.test(`${engineName}: ${name} under ${loss.name} has sentence-transformers' gradients${how}`, async () => {
        const engine = await create();
        const model = await load(engine, name);
        const texts = await tokenized(model, golden.columns.slice(0, width));
        const objective = crossEncoderObjective({ model, loss, texts, labels, tokenBudget });
        await scopeAsync(engine, async () => {
          const value = objective.differentiate(engine, batch, 1);
          assertNear("loss", await engine.read(value), [golden.losses[name]], 1e-5);
        });
        assertGradients(await gradientsOf(engine, model), await goldenTensors(`cross_encoder/${name}.safetensors`));
        engine.close();
      });
    }
  }

  // The weights of a key's bias do not count: their gradient is 0 but for rounding, which Adam scales up to full steps.
  Deno.test(`${engineName}: steps of a classifier equal PyTorch's, with the settings of CrossEncoder.fit`, async () => {
    const engine = await create();
    const model = await load(engine, "bert_classes");
    const { fit } = golden;
    const { batchSize, learningRate, warmup } = fit;
    const texts = await tokenized(model, [0, 1].map((i) => fit.texts.map((pair: string[]) => pair[i])));
    const labels = Int32Array.from(fit.targets);
    const objective = crossEncoderObjective({ model, loss: crossEntropy(), texts, labels });
    const optimizer = openOptimizer(engine, objective.parameters, { weightDecay: fit.weightDecay });
    const totalSteps = fit.losses.length;
    const schedule = { kind: "linear", learningRate, totalSteps, warmupSteps: warmup } as const;
    const [losses, norms]: [number[], number[]] = [[], []];
    for (let step = 0; step < totalSteps; step++) {
      await scopeAsync(engine, async () => {
        const rows = Int32Array.from({ length: batchSize }, (_, i) => step * batchSize + i);
        const value = objective.differentiate(engine, { rows, streams: rows, seed: 1, step: step + 1 }, 1);
        update(engine, optimizer, value, { rate: rateAt(schedule, step), step: step + 1 });
        losses.push((await engine.read(value))[0]!);
        norms.push((await engine.read(optimizer.scalars))[STEP.gradientNorm]!);
      });
    }
    assertNear("losses", losses, fit.losses, 1e-3);
    assertNear("norms", norms, fit.gradientNorms, 1e-3);
    const trained = await tensorsOf(engine, model.parameters);
    for (const [name, values] of await goldenTensors("cross_encoder/trained.safetensors")) {
      if (name.endsWith("key.bias")) continue;
      const own = name.startsWith("classifier.") ? name : name.slice("bert.".length);
      assertNear(name, trained.get(own)!, values, 1e-3);
    }
    const [first, second] = await tokenized(model, [0, 1].map((i) => golden.pairs.map((pair: string[]) => pair[i])));
    const rows = [...golden.pairs.keys()];
    const pairs = packPairs(model.pair, { texts: first!, rows }, { texts: second!, rows }, { maxLength: 20 });
    const logits = await engine.read(score(inference(engine), model, uploadBatch(engine, pairs)).value);
    assertNear("logits", logits, fit.logits, 1e-3);
    closeOptimizer(engine, optimizer);
    engine.close();
  });
}

Deno.test("weight decay has the groups of CrossEncoder.fit: biases and normalisations are left out", async () => {
  const engine = await engines[0]!.create();
  const model = await load(engine, "bert_classes");
  const decayed = Object.entries(model.parameters)
    .flatMap(([name, { parts = [{ name }], block }]) => block?.decays === false ? [] : parts.map((part) => part.name));
  const named = decayed.map((name) => name.startsWith("classifier.") ? name : `bert.${name}`);
  assert.deepEqual(named.sort(), [...golden.fit.decayed].sort());
  engine.close();
});

Deno.test("negatives of other rows: as many as asked for, all different, none of the row itself; drawn by seed and step", async () => {
  const engine = await engines[0]!.create();
  const model = await load(engine, "mpnet_score");
  const columns = golden.columns.slice(0, 3);
  const texts = await tokenized(model, columns);
  // The loss sees logits alone: what was drawn shows in their number, and in that a row's logits are all different.
  const seen: number[][][] = [];
  const watching = (negatives: number): CrossEncoderLoss => {
    const loss = multipleNegativesRanking({ negatives });
    return {
      ...loss,
      apply(tape, logits, labels) {
        const [rows, width] = logits.value.shape as [number, number];
        pending.push(
          engine.read(logits.value).then((values) => {
            seen.push(Array.from({ length: rows }, (_, i) => [...values.slice(i * width, (i + 1) * width)]));
          }),
        );
        return loss.apply(tape, logits, labels);
      },
    };
  };
  const pending: Promise<void>[] = [];
  const run = async (negatives: number, key: { seed: number; step: number }) => {
    const objective = crossEncoderObjective({ model, loss: watching(negatives), texts });
    await scopeAsync(engine, async () => {
      objective.differentiate(engine, { ...batch, ...key }, 1);
      await Promise.all(pending.splice(0));
    });
    return seen.pop()!;
  };
  const every = await run(6, { seed: 1, step: 1 });
  assert.deepEqual((await run(60, { seed: 1, step: 1 })).map((row) => row.length), [8, 8, 8, 8]);
  const some = await run(3, { seed: 1, step: 1 });
  some.forEach((row, i) => {
    assert.equal(row.length, 5);
    assert.equal(new Set(row).size, 5);
    assert.deepEqual(row.slice(0, 2), every[i]!.slice(0, 2), "its own candidates stand first");
    assert.ok(row.slice(2).every((logit) => every[i]!.slice(2).includes(logit)), "the others are of other rows");
  });
  assert.deepEqual(await run(3, { seed: 1, step: 1 }), some);
  assert.notDeepEqual(await run(3, { seed: 1, step: 2 }), some);
  assert.notDeepEqual(await run(3, { seed: 2, step: 1 }), some);
  engine.close();
});

Deno.test("dropout and drawn negatives do not depend on how a batch is split", async () => {
  const engine = await engines[0]!.create();
  const loaded = await load(engine, "mpnet_score");
  const { config } = loaded.encoder;
  const encoder = { ...loaded.encoder, config: { ...config, hiddenDropout: 0.2, attentionDropout: 0.2 } };
  const model = { ...loaded, encoder, dropout: 0.3 };
  const texts = await tokenized(model, golden.columns.slice(0, 3));
  const loss = multipleNegativesRanking({ negatives: 2 });
  const losses: number[] = [];
  const gradients: Float32Array[] = [];
  for (const tokenBudget of [undefined, 1]) {
    const objective = crossEncoderObjective({ model, loss, texts, tokenBudget });
    for (const { gradient } of Object.values(model.parameters)) engine.fill(gradient!, 0);
    await scopeAsync(engine, async () => {
      losses.push((await engine.read(objective.differentiate(engine, { ...batch, step: 7 }, 1)))[0]!);
    });
    gradients.push(await engine.read(model.parameters["classifier.dense.weight"]!.gradient!) as Float32Array);
  }
  assertNear("loss", [losses[1]!], [losses[0]!], 1e-6);
  assertNear("gradient", gradients[1]!, gradients[0]!, 1e-5);
  engine.close();
});

Deno.test("a classifier learns pairs through the training loop, heads and all", async () => {
  const engine = await engines[0]!.create();
  const model = await loadCrossEncoder(engine, goldenPath("training/model"), { labels: 3, trained: true, seed: 3 });
  const { texts, targets } = golden.fit;
  const [first, second] = [0, 1].map((i) => texts.slice(0, 12).map((pair: string[]) => pair[i]));
  const labels = Int32Array.from(targets.slice(0, 12));
  const columns = await tokenized(model, [first, second]);
  const objective = crossEncoderObjective({ model, loss: crossEntropy(), texts: columns, labels });
  const record = await Effect.runPromise(train(engine, objective, {
    epochs: 40,
    batchSize: 6,
    accumulate: 1,
    seed: 1,
    learningRate: 1e-2,
    schedule: "linear",
    warmupSteps: 4,
    weightDecay: 0.01,
    loggingSteps: 8,
    saveSteps: 1000,
  }));
  assert.ok(record.log[0]!.loss > 0.8, `${record.log[0]!.loss}`);
  const { data, width } = await predict(engine, model, first, second);
  assert.deepEqual([...argmaxRows(data, width)], [...labels]);
  engine.close();
});

Deno.test("tokens are those of the pairs, cut ones counted as cut", async () => {
  const engine = await engines[0]!.create();
  const model = await load(engine, "bert_score");
  const texts = await tokenized(model, [["red", "red", "blue ".repeat(30)], ["fish", "bird bird", "tree ".repeat(40)]]);
  const labels = Float32Array.of(0, 1, 1);
  const objective = crossEncoderObjective({ model, loss: binaryCrossEntropy(), texts, labels });
  assert.equal(objective.tokens(Int32Array.of(0, 1)), 5 + 6);
  assert.equal(objective.tokens(Int32Array.of(2)), 20);
  engine.close();
});

Deno.test("data that a loss cannot use is refused, with the row", async (t) => {
  const engine = await engines[0]!.create();
  const one = await load(engine, "bert_score");
  const three = await load(engine, "bert_classes");
  const texts = await tokenized(one, golden.columns);
  const two = texts.slice(0, 2);
  const short = await tokenized(one, [["a"], ["b"]]);
  const cases: Record<string, [RegExp, Parameters<typeof crossEncoderObjective>[0]]> = {
    "too few labels": [/do not match/, { model: one, loss: mse(), texts: two, labels: Float32Array.of(1, 2) }],
    "no labels": [/do not match/, { model: one, loss: mse(), texts: two }],
    "a class out of range": [
      /does not suit/,
      { model: three, loss: crossEntropy(), texts: two, labels: Int32Array.of(0, 1, 3, 0) },
    ],
    "a class that is no whole number": [
      /does not suit/,
      { model: three, loss: crossEntropy(), texts: two, labels: Float32Array.of(0, 1, 0.5, 0) },
    ],
    "a score that is no number": [
      /does not suit/,
      { model: one, loss: mse(), texts: two, labels: Float32Array.of(0, 1, NaN, 0) },
    ],
    "a score out of range": [
      /does not suit/,
      { model: one, loss: binaryCrossEntropy(), texts: two, labels: Float32Array.of(0, 1, 1.5, 0) },
    ],
    "a score for classes": [/number of labels/, { model: three, loss: mse(), texts: two, labels: new Float32Array(4) }],
    "classes for a score": [
      /number of labels/,
      { model: one, loss: crossEntropy(), texts: two, labels: new Int32Array(4) },
    ],
    "labels that are ignored": [
      /would ignore/,
      { model: one, loss: multipleNegativesRanking(), texts: two, labels: new Int32Array(4) },
    ],
    "too many columns": [/text columns/, { model: one, loss: mse(), texts, labels: new Float32Array(4) }],
    "too few columns": [/text columns/, { model: one, loss: marginMse(), texts: two, labels: new Float32Array(4) }],
    "margins of another width": [
      /do not match/,
      { model: one, loss: marginMse(), texts, labels: new Float32Array(4) },
    ],
    "columns of different lengths": [
      /different lengths/,
      { model: one, loss: mse(), texts: [two[0]!, short[0]!], labels: new Float32Array(4) },
    ],
  };
  for (const [name, [message, task]] of Object.entries(cases)) {
    await t.step(name, () => {
      assert.throws(() => crossEncoderObjective(task), (error) => {
        assert.ok(error instanceof TrainingError);
        assert.match(error.message, message);
        if (message.source === "does not suit") assert.equal(error.where, "row 2");
        return true;
      });
    });
  }
  await t.step("whole numbers are scores too", () => {
    crossEncoderObjective({ model: one, loss: binaryCrossEntropy(), texts: two, labels: Int32Array.of(0, 1, 1, 0) });
  });
  engine.close();
});
