import assert from "node:assert/strict";
import type { Command } from "../../lib/pipeline/command.ts";
import type { FlagValues } from "../../lib/pipeline/flags.ts";
import { UsageError } from "../../lib/error.ts";
import { promptsOf, trainingPresets, trainSettings, usualValues, withPreset } from "../../lib/pipeline/settings.ts";
import { LORA_DEFAULTS, TRAIN_DEFAULTS } from "../../lib/train/settings.ts";

const presets = trainingPresets();

Deno.test("a model of one's own is fine-tuned with the library's defaults, not with the sample's", () => {
  const { preset, values } = withPreset(presets, { model: "mine", train: "pairs.csv" });
  assert.equal(preset, "own");
  assert.deepEqual(trainSettings(values), TRAIN_DEFAULTS);
  assert.equal(withPreset(presets, {}).values["learning-rate"], 1e-3);
  assert.equal(withPreset(presets, { model: "mine", preset: "chapter" }).values["warmup-steps"], 100);
});

Deno.test("flags of adapters: a learning rate of their own, targets as PEFT has them", () => {
  const settings = (given: FlagValues) => trainSettings(withPreset(presets, { model: "mine", ...given }).values);
  assert.deepEqual(settings({ "lora-rank": 8 }).lora, { rank: 8, alpha: 16, targets: "all-linear", dropout: 0 });
  assert.equal(settings({ "lora-rank": 8 }).learningRate, LORA_DEFAULTS.learningRate);
  assert.equal(settings({ "lora-rank": 8, "learning-rate": 1e-3 }).learningRate, 1e-3);
  assert.equal(usualValues(presets, { "lora-rank": 8 })!["learning-rate"], LORA_DEFAULTS.learningRate);
  const targets = (text: string) => settings({ "lora-rank": 8, "lora-targets": text }).lora!.targets;
  assert.deepEqual(targets("query, output.dense"), ["query", "output.dense"]);
  assert.deepEqual(targets("Wqkv"), ["Wqkv"]);
  assert.equal(targets(String.raw`.*\.(q|v)_proj`), String.raw`.*\.(q|v)_proj`);
  assert.equal(targets("all-linear"), "all-linear");
  assert.throws(() => settings({ "lora-alpha": 8 }), /--lora-alpha is for adapters/);
  assert.throws(() => settings({ "lora-save": "adapter" }), /--lora-save is for adapters/);
  assert.throws(() => settings({ "lora-rank": 8, "lora-dropout": 1 }), /lora.dropout/);
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

Deno.test("prompts by data set: those of the one that is trained on hold, by its path or its name", () => {
  const prompts =
    '{"pairs": {"anchor": "query: ", "positive": ""}, "nli.jsonl": "text: ", "own/nli": {"anchor": "x "}}';
  const of = (train: string | undefined, given = prompts) => promptsOf({ prompts: given, ...(train && { train }) });
  assert.deepEqual(of("data/pairs.csv"), { anchor: "query: ", positive: "" });
  assert.equal(of("data/nli.jsonl"), "text: ");
  assert.deepEqual(of("own/nli"), { anchor: "x " });
  assert.throws(() => of("other.csv"), /none for this data set/);
  assert.throws(() => of(undefined), UsageError);
  assert.throws(() => of("data/pairs.csv", '{"pairs": {"anchor": 1}}'), /cannot be read/);
});
