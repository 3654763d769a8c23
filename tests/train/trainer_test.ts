import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import { mean, square, subtract } from "../../lib/tensor/ops.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { constant, parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import type { Objective } from "../../lib/train/objective.ts";
import { planUpdates } from "../../lib/train/plan.ts";
import { resolveSettings, type TrainSettings } from "../../lib/train/settings.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import { withFolder } from "../folder.ts";
import { course } from "./course.ts";

const settings: TrainSettings = {
  epochs: 1,
  batchSize: 4,
  accumulate: 1,
  seed: 1,
  learningRate: 0.05,
  schedule: "linear",
  warmupSteps: 0,
  loggingSteps: 1,
  saveSteps: 1000,
};

/** A point moves to the mean of 24 others, four at a time; `change` may spoil the rows of a step. */
async function run(
  hooks: TrainHooks = {},
  more: Partial<TrainSettings> = {},
  change: (step: number, target: Float32Array) => void = () => {},
  signal?: AbortSignal,
) {
  const engine = createCpuEngine({ threads: 1 });
  const point = parameter(engine, [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
  const objective: Objective = {
    parameters: { point },
    rows: 24,
    tokens: (rows) => rows.length,
    differentiate(engine, { rows, step }, scale) {
      const target = new Float32Array(6);
      for (const row of rows) target.forEach((_, i) => target[i]! += Math.sin(7 * row + i) / rows.length);
      change(step, target);
      const tape = recording(engine);
      const loss = mean(tape, square(tape, subtract(tape, point, constant(engine.upload(target, [2, 3])))));
      backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
      return loss.value;
    },
  };
  try {
    const whole = train(engine, objective, { ...settings, ...more }, hooks);
    const record = await Effect.runPromise(whole, signal === undefined ? {} : { signal });
    return { record, point: [...await engine.read(point.value)] };
  } finally {
    engine.close();
  }
}

Deno.test("a loss that is not finite stops the run, names its rows, and leaves weights and checkpoint alone", () =>
  withFolder(async (folder) => {
    const saved = { folder };
    const spoil = (bad: number) => (step: number, target: Float32Array) => step === 4 && target.fill(bad);
    const checkpoint = async () => {
      const reader = await openTensors(join(folder, "checkpoint.safetensors"));
      const state = { point: [...await reader.readF32("point")], steps: JSON.parse(reader.metadata["record"]!).steps };
      reader.close();
      return state;
    };
    const whole = await run();
    for (const bad of [NaN, Infinity, 1e30]) { // the square of 10³⁰ is not finite either
      await assert.rejects(run(saved, { saveSteps: 3 }, spoil(bad)), (error) => {
        assert.ok(error instanceof TrainingError);
        assert.match(error.where ?? "", /^step 4, rows( \d+){4}$/);
        assert.match(error.found ?? "", /loss (NaN|Infinity)/);
        return true;
      });
      assert.equal((await checkpoint()).steps, 3);
    }
    // With the row mended the run goes on from there, to the weights of one that was never disturbed.
    assert.deepEqual((await run(saved)).point, whole.point);
  }));

Deno.test("a loss that is not finite changes no weight on the device", async () => {
  const three: number[][] = [];
  const four: number[][] = [];
  for (const [maxSteps, seen] of [[3, three], [4, four]] as const) {
    const engine = createCpuEngine({ threads: 1 });
    const point = parameter(engine, [2], Float32Array.of(1, 2));
    const objective: Objective = {
      parameters: { point },
      rows: 24,
      tokens: (rows) => rows.length,
      differentiate(engine, { step }, scale) {
        const tape = recording(engine);
        const target = engine.upload(new Float32Array(2).fill(step === 4 ? NaN : step), [2]);
        const loss = mean(tape, square(tape, subtract(tape, point, constant(target))));
        backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
        return loss.value;
      },
    };
    const constantRate = { ...settings, maxSteps, schedule: "constant" } as const;
    await Effect.runPromise(Effect.ignore(train(engine, objective, constantRate)));
    seen.push([...await engine.read(point.value)]);
    engine.close();
  }
  assert.deepEqual(four, three);
  assert.ok(three[0]!.every(Number.isFinite) && three[0]![0] !== 1);
});

Deno.test("the best weights come back, with a folder and without; a metric that is no number is never best", async () => {
  const two = await run({}, { maxSteps: 2, schedule: "constant" });
  const evaluate = (values: readonly number[]) => {
    let call = 0;
    return Effect.sync(() => ({ accuracy: values[call++]! }));
  };
  const keep = { evalSteps: 1, keepBest: "accuracy", schedule: "constant", maxSteps: 5 } as const;
  const known = { metrics: ["accuracy"] };
  const values = [NaN, 0.5, 0.4, NaN, 0.5];
  await withFolder(async (folder) => {
    for (const hooks of [{}, { folder }]) {
      const { point, record } = await run({ ...hooks, ...known, evaluate: evaluate(values) }, keep);
      assert.deepEqual(record.best, { step: 2, value: 0.5 });
      assert.equal(record.stale, 3);
      assert.deepEqual(point, two.point);
      if ("folder" in hooks) await Deno.remove(join(folder, "best.safetensors"));
    }
  });
  const stopped = await run({ ...known, evaluate: evaluate([NaN, NaN, 0.1]) }, { ...keep, patience: 2 });
  assert.ok(stopped.record.stoppedEarly && stopped.record.steps === 2 && stopped.record.best === undefined);
});

Deno.test("a metric that is not evaluated is refused before the first update, with those there are", async () => {
  let steps = 0;
  const onStep = () => Effect.sync(() => void steps++);
  const evaluate = Effect.succeed({ accuracy: 0.5, f1: 0.4 });
  await assert.rejects(run({ evaluate, onStep, metrics: ["accuracy"] }, { keepBest: "acuracy" }), (error: unknown) => {
    assert.ok(error instanceof TrainingError);
    const { expected, found, hint } = error;
    assert.deepEqual([expected, found, hint], ["one of accuracy, f1", "acuracy", "did you mean accuracy?"]);
    return true;
  });
  assert.equal(steps, 0);
});

Deno.test("an evaluation that was interrupted is made up for when the run goes on", async () => {
  const evaluate = (interrupt?: AbortController) => {
    let call = 0;
    return Effect.suspend(() => { // asked before the first update, after two, and after four
      if (interrupt === undefined || ++call < 3) return Effect.succeed({ accuracy: 0.5 });
      interrupt.abort();
      return Effect.never;
    });
  };
  const often = { evalSteps: 2, keepBest: "accuracy" } as const;
  const whole = await run({ evaluate: evaluate() }, often);
  await withFolder(async (folder) => {
    const controller = new AbortController();
    await assert.rejects(run({ folder, evaluate: evaluate(controller) }, often, undefined, controller.signal));
    const resumed = await run({ folder, evaluate: evaluate() }, often);
    assert.deepEqual(resumed.record.evaluations, whole.record.evaluations);
    assert.deepEqual(resumed.record.evaluations.map(([step]) => step), [2, 4, 6]);
    assert.deepEqual(resumed.point, whole.point);
  });
});

Deno.test("a run that is interrupted within any step goes on to the same weights", async () => {
  const whole = await run({}, { clip: 0.5, maxSteps: 12 });
  await withFolder(async (folder) => {
    for (const at of [1, 2, 5, 6, 11, 12]) {
      const controller = new AbortController();
      const interrupt = (step: number) => void (step === at && controller.abort());
      const more = { clip: 0.5, maxSteps: 12, saveSteps: 1 }; // one step at a time
      await assert.rejects(run({ folder }, more, interrupt, controller.signal));
    }
    const resumed = await run({ folder }, { clip: 0.5, maxSteps: 12 });
    assert.deepEqual(resumed.point, whole.point);
    assert.deepEqual(course(resumed.record), course(whole.record));
  });
});

Deno.test("steps that are taken in a row are read at once; an interruption waits for them and loses none", async () => {
  const whole = await run({}, { clip: 0.5, maxSteps: 12 });
  await withFolder(async (folder) => {
    const controller = new AbortController();
    const interrupt = (step: number) => void (step === 3 && controller.abort());
    await assert.rejects(run({ folder }, { clip: 0.5, maxSteps: 12 }, interrupt, controller.signal));
    const resumed = await run({ folder }, { clip: 0.5, maxSteps: 12 });
    assert.deepEqual(resumed.point, whole.point);
    assert.deepEqual(course(resumed.record), course(whole.record));
  });
});

Deno.test("in half precision a step that is not finite is skipped, the scale of the loss halves, and training goes on", async () => {
  const engine = createCpuEngine({ threads: 1 });
  let clips = 0;
  /** Says that it computes in fp16, and finds one gradient that is not finite. */
  const half: Engine = {
    ...engine,
    info: { ...engine.info, precision: "fp16" },
    clip(gradients, loss, maxNorm, state) {
      if (++clips === 3) engine.fill(gradients[0]!, Infinity);
      engine.clip(gradients, loss, maxNorm, state);
    },
  };
  const point = parameter(half, [2], Float32Array.of(1, 2));
  const seen: number[] = [];
  const objective = squareOf(point, (_, scale) => {
    seen.push(scale);
    return scale;
  });
  const constantRate = { ...settings, maxSteps: 6, schedule: "constant", loggingSteps: 1 } as const;
  const record = await Effect.runPromise(train(half, objective, constantRate));
  assert.deepEqual(seen, [65536, 65536, 65536, 32768, 32768, 32768]);
  assert.deepEqual(record.lossScale, { scale: 32768, good: 3, skipped: 1 });
  // Five updates changed the weights, and the scale is not in them.
  const plain = createCpuEngine({ threads: 1 });
  const other = parameter(plain, [2], Float32Array.of(1, 2));
  await Effect.runPromise(train(plain, squareOf(other), { ...constantRate, maxSteps: 5 }));
  const [found, expected] = [await half.read(point.value), await plain.read(other.value)];
  found.forEach((value, i) => assert.ok(Math.abs(value - expected[i]!) < 1e-6, `${value} ${expected[i]}`));
  engine.close();
  plain.close();
});

Deno.test("a run of half precision that goes on in single precision has no scale, and stops at what is not finite", () =>
  withFolder(async (folder) => {
    const engine = createCpuEngine({ threads: 1 });
    const point = parameter(engine, [2], Float32Array.of(1, 2));
    const half: Engine = { ...engine, info: { ...engine.info, precision: "fp16" } };
    const seen: number[] = [];
    const objective = squareOf(point, ({ step }, scale) => {
      seen.push(scale);
      return step === 5 ? NaN : scale;
    });
    const run = (engine: Engine, onStep?: TrainHooks["onStep"]) =>
      Effect.runPromise(train(engine, objective, { ...settings, saveSteps: 1 }, { folder, onStep }));
    await assert.rejects(run(half, ({ step }) => step === 3 ? Effect.die(new Error("crash")) : Effect.void), /crash/);
    seen.length = 0;
    await assert.rejects(run(engine), /TrainingError: loss or gradient is not finite.*\n.*step 5/);
    assert.deepEqual([...new Set(seen)], [1]);
    engine.close();
  }));

/** 24 rows, each of which draws the point to 0; `scaleOf` says what a batch's gradient is multiplied by. */
const squareOf = (
  point: Tensor,
  scaleOf: (batch: Parameters<Objective["differentiate"]>[1], scale: number) => number = (_, scale) => scale,
): Objective => ({
  parameters: { point },
  rows: 24,
  tokens: (rows) => rows.length,
  differentiate(engine, batch, scale) {
    const tape = recording(engine);
    const loss = mean(tape, square(tape, point));
    backward(tape, loss, engine.upload(Float32Array.of(scaleOf(batch, scale)), [1]));
    return loss.value;
  },
});

Deno.test("batches that are accumulated give the step of one large batch", async () => {
  const [large, small] = [await run({}, { batchSize: 8 }), await run({}, { batchSize: 2, accumulate: 4 })];
  assert.equal(small.record.steps, 3);
  assert.equal(small.record.samples, large.record.samples);
  large.point.forEach((value, i) => assert.ok(Math.abs(value - small.point[i]!) < 1e-5, `${value} ${small.point[i]}`));
});

Deno.test("rows of which no batch can be made are an error, not an endless plan", () => {
  const objective = {
    parameters: {},
    rows: 3,
    groups: Int32Array.of(0, 1, 2),
    tokens: () => 0,
    differentiate: () => assert.fail(),
  };
  assert.throws(() => planUpdates(objective, resolveSettings({ ...settings, maxSteps: 10 })), TrainingError);
});
