import { Effect } from "effect";
import assert from "node:assert/strict";
import { gradientsOf as checkpointGradients, tensorsOf } from "../tensors.ts";
import { type Engine, scopeAsync } from "../../lib/engine/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import { crossEncoder, type ListLoss } from "../../lib/loss/mod.ts";
import { type CrossEncoder, loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { familyOf } from "../../lib/model/families/mod.ts";
import { tokenizeBare } from "../../lib/text/pairs.ts";
import { listObjective, type ListTask } from "../../lib/train/list_objective.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import { engines } from "../engine/engines.ts";
import { assertGradients, assertNear, below, goldenPath, goldenTensors } from "../golden/golden.ts";
import { course } from "./course.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("list_losses.json")));
const offsets = Int32Array.of(0, ...golden.sizes);
for (let list = 1; list < offsets.length; list++) offsets[list]! += offsets[list - 1]!;
const { lambda, listMle, positionListMle } = crossEncoder;
const losses: Record<string, ListLoss> = {
  lambda: lambda(),
  lambda_k: lambda({ k: 2 }),
  plist_mle: positionListMle(),
};
const all = Int32Array.from(golden.sizes, (_: number, i: number) => i);
const batch = { rows: all, streams: all, seed: 1, step: 1 };

async function load(engine: Engine, dropout = 0): Promise<CrossEncoder> {
  const loaded = await loadCrossEncoder(engine, goldenPath("cross_encoder/bert_score"), { trained: true });
  const config = { ...loaded.encoder.config, hiddenDropout: dropout, attentionDropout: dropout };
  return { ...loaded, encoder: { ...loaded.encoder, config }, dropout };
}

async function taskOf(model: CrossEncoder, loss: ListLoss, tokenBudget?: number): Promise<ListTask> {
  return {
    model,
    loss,
    queries: await tokenizeBare(model.tokenizer, golden.queries),
    documents: await tokenizeBare(model.tokenizer, golden.documents),
    offsets,
    labels: Float32Array.from(golden.graded),
    tokenBudget,
  };
}

for (const { name: engineName, create } of engines) {
  for (const [name, loss] of Object.entries(losses)) {
    for (const tokenBudget of [undefined, 70, 20]) {
      const how = tokenBudget === undefined ? "" : `, ${tokenBudget} tokens at once`;
      Deno.test(`${engineName}: lists under ${name} have sentence-transformers' gradients${how}`, async () => {
        const engine = await create();
        const model = await load(engine);
        const objective = listObjective(await taskOf(model, loss, tokenBudget));
        await scopeAsync(engine, async () => {
          const value = objective.differentiate(engine, batch, 1);
          assertNear("loss", await engine.read(value), [golden.whole[name]], 1e-5);
        });
        const found = new Map<string, ArrayLike<number>>();
        for (const [key, gradient] of await checkpointGradients(engine, model.parameters)) {
          const own = /^classifier\./.test(key) ? key : familyOf(model.encoder.config).prefix + key;
          found.set(own, gradient);
        }
        assertGradients(found, below(await goldenTensors("list_losses.safetensors"), `${name}.`));
        engine.close();
        assert.equal(engine.memory().live, 0);
      });
    }
  }
}

Deno.test("dropout does not depend on how lists are split", async () => {
  const engine = await engines[0]!.create();
  const model = await load(engine, 0.3);
  for (const loss of [lambda(), lambda({ k: 2 })]) {
    const seen: [Float32Array, Float32Array][] = [];
    for (const tokenBudget of [undefined, 60, 1]) {
      const objective = listObjective(await taskOf(model, loss, tokenBudget));
      for (const { gradient } of Object.values(model.parameters)) engine.fill(gradient!, 0);
      await scopeAsync(engine, async () => {
        const value = await engine.read(objective.differentiate(engine, { ...batch, step: 7 }, 1));
        const gradient = await engine.read(model.parameters["classifier.weight"]!.gradient!);
        seen.push([value as Float32Array, gradient as Float32Array]);
      });
    }
    for (const [value, gradient] of seen.slice(1)) {
      assertNear("loss", value, seen[0]![0], 1e-5);
      assertNear("gradient", gradient, seen[0]![1], 1e-4);
    }
  }
  engine.close();
});

Deno.test("a training on lists that was cut off goes on with the very bits of an undisturbed one", async () => {
  const folder = await Deno.makeTempDir();
  const run = async (hooks: TrainHooks) => {
    const engine = await engines[0]!.create();
    try {
      const model = await load(engine, 0.1);
      const objective = listObjective(await taskOf(model, lambda(), 60));
      const settings = { maxSteps: 6, batchSize: 2, learningRate: 1e-3, seed: 3, saveSteps: 2, loggingSteps: 1 };
      const record = await Effect.runPromise(train(engine, objective, settings, hooks));
      return { record, weights: await tensorsOf(engine, model.parameters) };
    } finally {
      engine.close();
    }
  };
  const whole = await run({});
  const crash: TrainHooks = { folder, onStep: ({ step }) => step === 5 ? Effect.die(new Error("crash")) : Effect.void };
  await assert.rejects(run(crash), /crash/);
  const resumed = await run({ folder });
  assert.deepEqual(resumed.weights, whole.weights);
  assert.deepEqual(course(resumed.record), course(whole.record));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lists that cannot be trained on are refused, with the list", async () => {
  const engine = await engines[0]!.create();
  const task = await taskOf(await load(engine), lambda());
  const flat = { ...task, labels: task.labels.map(() => 1) };
  const wrong: readonly [RegExp, ListTask][] = [
    [/do not match/, { ...task, labels: task.labels.subarray(1) }],
    [/do not match/, { ...task, offsets: offsets.subarray(1) }],
    [/no documents \(list 2|list 2/, { ...task, offsets: Int32Array.from(offsets, (each, i) => i === 1 ? 5 : each) }],
    [/does not suit/, { ...task, labels: task.labels.map((label, i) => i === 6 ? NaN : label) }],
    [/different relevance/, flat],
  ];
  for (const [message, each] of wrong) {
    assert.throws(() => listObjective(each), (error) => {
      assert.ok(error instanceof TrainingError);
      assert.match(`${error.message} ${error.where}`, message);
      return true;
    });
  }
  const given = listMle({ respectInputOrder: true }); // wants no labels
  assert.equal(listObjective({ ...flat, loss: given }).rows, 5);
  engine.close();
});
