import assert from "node:assert/strict";
import type { Command } from "../../lib/pipeline/command.ts";
import { trainingPresets, trainSettings, withPreset } from "../../lib/pipeline/settings.ts";
import { TRAIN_DEFAULTS } from "../../lib/train/settings.ts";

const presets = trainingPresets();

Deno.test("a model of one's own is fine-tuned with the library's defaults, not with the sample's", () => {
  const { preset, values } = withPreset(presets, { model: "mine", train: "pairs.csv" });
  assert.equal(preset, "own");
  assert.deepEqual(trainSettings(values), TRAIN_DEFAULTS);
  assert.equal(withPreset(presets, {}).values["learning-rate"], 1e-3);
  assert.equal(withPreset(presets, { model: "mine", preset: "chapter" }).values["warmup-steps"], 100);
});

Deno.test("one kind of warmup takes the place of the other", () => {
  assert.equal(trainSettings(withPreset(presets, { "warmup-ratio": 0.2 }).values).warmupSteps, undefined);
  assert.equal(
    trainSettings(withPreset(presets, { "model": "mine", "warmup-steps": 7 }).values).warmupRatio,
    undefined,
  );
});

Deno.test("every preset of every pipeline has settings that can be trained with", async () => {
  let trained = 0;
  for (const { name } of Deno.readDirSync(new URL("../../pipelines/", import.meta.url))) {
    const { command } = await import(`../../pipelines/${name}`) as { command: Command };
    if (!command.flags.includes("learning-rate")) continue;
    for (const [preset, values] of Object.entries(command.presets)) {
      assert.ok(trainSettings(values).learningRate > 0, `${name} ${preset}`);
      trained++;
    }
  }
  assert.ok(trained > 40);
});
