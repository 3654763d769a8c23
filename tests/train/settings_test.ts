import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { resolveSettings, type TrainSettings } from "../../lib/train/settings.ts";

Deno.test("what is left out has its default, and complete settings stay as they are", () => {
  const settings = resolveSettings({ epochs: 3, maxSteps: undefined });
  assert.deepEqual([settings.epochs, settings.batchSize, settings.learningRate], [3, 32, 5e-5]);
  assert.deepEqual([settings.warmupRatio, settings.warmupSteps], [0.1, undefined]);
  assert.ok(!("maxSteps" in settings));
  assert.deepEqual(resolveSettings(settings), settings);
  assert.deepEqual(resolveSettings({ warmupSteps: 5 }).warmupRatio, undefined);
  const recipe = resolveSettings({ batchSize: undefined, epochs: 2 }, { batchSize: 16, epochs: 1 });
  assert.deepEqual([recipe.batchSize, recipe.epochs, recipe.learningRate], [16, 2, 5e-5]);
});

const WRONG: readonly [TrainSettings | Record<string, unknown>, RegExp, string][] = [
  [{ batchSize: 0 }, /batchSize/, "a whole number from 1"],
  [{ batchSize: NaN }, /batchSize/, "a whole number from 1"],
  [{ learningRate: -1 }, /learningRate/, "a number above 0"],
  [{ learningRate: 0 }, /learningRate/, "a number above 0"],
  [{ epochs: 0.5 }, /epochs/, "a whole number from 1"],
  [{ maxSteps: 0 }, /maxSteps/, "a whole number from 1"],
  [{ clip: -1 }, /clip/, "a number from 0"],
  [{ warmupRatio: 2 }, /warmupRatio/, "a number from 0 to 1"],
  [{ beta1: 1 }, /beta1/, "a number from 0, below 1"], // the first step would divide by 1 − 1
  [{ beta2: 1 }, /beta2/, "a number from 0, below 1"],
  [{ lora: { rank: 4, dropout: 1 } }, /lora\.dropout/, "a number from 0, below 1"],
  [{ seed: 0.5 }, /seed/, "a whole number from 0"],
  [
    { batchSize: "x" },
    /^batchSize must be a whole number from 1\s+expected:.*\s+found:\s+"x"$/,
    "a whole number from 1",
  ],
  [{ learningRate: "1e-5" }, /^learningRate must be a number above 0/, "a number above 0"],
  [{ epochs: null }, /^epochs must be a whole number from 1/, "a whole number from 1"],
  [{ schedule: "step" }, /^schedule must be one of linear, cosine, constant/, "one of linear, cosine, constant"],
  [{ keepBest: "" }, /^keepBest must be the name of a metric/, "the name of a metric, or auto"],
];
for (const [settings, message, expected] of WRONG) {
  Deno.test(`${JSON.stringify(settings)} is no setting to train with`, () => {
    assert.throws(() => resolveSettings(settings), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.equal(error.expected, expected);
      return true;
    });
  });
}

Deno.test("a setting that there is not, and a warmup that is given twice, are errors", () => {
  // @ts-expect-error: the compiler says so, too
  const misspelt: TrainSettings = { learning_rate: 1 };
  assert.throws(() => resolveSettings(misspelt), /no setting learning_rate[^]*did you mean learningRate/);
  // deno-lint-ignore no-explicit-any -- what the compiler would refuse
  assert.throws(() => resolveSettings("fast" as any), /the settings must be an object/);
  assert.throws(() => resolveSettings({ warmupSteps: 1, warmupRatio: 0.1 }), /given twice/);
  // deno-lint-ignore no-explicit-any -- what the compiler would refuse
  assert.throws(() => resolveSettings({ schedule: "step" } as any), /schedule/);
});
