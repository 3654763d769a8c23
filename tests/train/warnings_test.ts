import { Effect } from "effect";
import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import { affine, mean } from "../../lib/tensor/ops.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { parameter } from "../../lib/tensor/tensor.ts";
import { hasNegative } from "../../lib/train/negatives.ts";
import type { Objective } from "../../lib/train/objective.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";
import { train, type TrainHooks } from "../../lib/train/trainer.ts";
import type { TokenizedTexts } from "../../lib/text/packed.ts";

const settings: TrainSettings = {
  epochs: 1,
  batchSize: 4,
  accumulate: 1,
  seed: 1,
  learningRate: 0.05,
  schedule: "linear",
  warmupSteps: 0,
  loggingSteps: 2,
  saveSteps: 1000,
};

/** Texts of one token each. */
const texts = (...tokens: number[]): TokenizedTexts => ({
  ids: Int32Array.from(tokens),
  typeIds: undefined,
  offsets: Int32Array.from({ length: tokens.length + 1 }, (_, i) => i),
});

/** Trains one number by a loss of `factor` times it. */
async function run(
  objective: Partial<Objective>,
  hooks: TrainHooks = {},
  more: Partial<TrainSettings> = {},
  factor = 1,
) {
  const engine = createCpuEngine({ threads: 1 });
  const [point, still] = [
    parameter(engine, [1], Float32Array.of(3)),
    parameter(engine, [2, 2], Float32Array.of(1, 2, 3, 4), { trained: false }),
  ];
  const whole = train(
    engine,
    {
      parameters: { point, still },
      rows: 9,
      tokens: (rows) => rows.length,
      differentiate(engine, _, scale) {
        const tape = recording(engine);
        const loss = mean(tape, affine(tape, point, factor));
        backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
        return loss.value;
      },
      ...objective,
    },
    { ...settings, ...more },
    hooks,
  );
  try {
    return await Effect.runPromise(whole);
  } finally {
    engine.close();
  }
}

Deno.test("a batch has a negative where two of its texts differ", () => {
  const [anchors, positives] = [texts(1, 2, 1, 1), texts(3, 4, 3, 5)];
  const rows = (...numbers: number[]) => Int32Array.from(numbers);
  assert.ok(hasNegative([anchors, positives], rows(0, 1)));
  assert.ok(hasNegative([anchors, positives], rows(0, 3)));
  assert.ok(!hasNegative([anchors, positives], rows(0)));
  assert.ok(!hasNegative([anchors, positives], rows(0, 2)));
  assert.ok(hasNegative([anchors, positives, texts(9, 9, 9, 9)], rows(0)));
  assert.ok(!hasNegative([anchors, positives, positives], rows(0)));
});

Deno.test("a run in which no batch has a negative is refused", async () => {
  await assert.rejects(run({ hasNegative: () => false }), (error: Error) => {
    assert.ok(error instanceof TrainingError);
    assert.match(error.message, /no batch has a negative/);
    return true;
  });
});

Deno.test("many batches without a negative are worth a warning, a last small one among many is not", async () => {
  const larger = (rows: Int32Array) => rows.length > 1;
  assert.deepEqual((await run({ hasNegative: larger })).warnings, [
    "1 of 3 batches of an epoch have no negative and teach nothing: equal texts are kept apart",
  ]);
  assert.deepEqual((await run({ hasNegative: larger, rows: 41 })).warnings, []);
});

Deno.test("a loss of exactly 0 is said at the first update and at the end", async () => {
  const said: string[] = [];
  const onWarning = (warning: string) => Effect.sync(() => void said.push(warning));
  const { warnings } = await run({}, { onWarning, warnings: ["1 of 9 texts is empty"] }, {}, 0);
  assert.deepEqual(warnings, [
    "1 of 9 texts is empty",
    "the loss was exactly 0 at the first update",
    "the loss was exactly 0 at every update: nothing was learnt",
  ]);
  assert.deepEqual(said, warnings);
});

Deno.test("a run that ends before its first entry of the loss curve is not said to have learnt nothing", async () => {
  const evaluate = Effect.succeed({ same: 1 });
  const more = { loggingSteps: 100, maxSteps: 50, evalSteps: 1, keepBest: "same", patience: 1 };
  const { steps, stoppedEarly, warnings } = await run({}, { evaluate }, more);
  assert.deepEqual([steps, stoppedEarly, warnings], [2, true, []]);
});

Deno.test("the record says how many numbers are trained, of how many", async () => {
  const { trainedParameters, parameters, warnings } = await run({});
  assert.deepEqual([trainedParameters, parameters, warnings], [1, 5, []]);
});
