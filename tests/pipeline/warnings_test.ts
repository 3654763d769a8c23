import assert from "node:assert/strict";
import type { Command } from "../../lib/pipeline/command.ts";
import type { Flag } from "../../lib/pipeline/flags.ts";
import { bestWarning, invocationWarnings, sampleWarning, settingsWarnings } from "../../lib/pipeline/warnings.ts";
import { withPreset } from "../../lib/pipeline/settings.ts";
import { resolveSettings } from "../../lib/train/settings.ts";

const warningsOf = (settings: Parameters<typeof resolveSettings>[0], steps: number) =>
  settingsWarnings(resolveSettings(settings), { steps }, { usual: 5e-5 });

Deno.test("a warmup as long as the training is told of, in updates or as a share", () => {
  assert.match(warningsOf({}, 1)[0]!, /the warmup of 1 update is not shorter than the training of 1/);
  assert.match(warningsOf({ warmupRatio: 1 }, 8)[0]!, /the warmup of 8 updates/);
  assert.match(warningsOf({ warmupSteps: 9 }, 8)[0]!, /the warmup of 9 updates/);
  assert.deepEqual([warningsOf({}, 2), warningsOf({ warmupSteps: 0 }, 1), warningsOf({}, 0)], [[], [], []]);
});

Deno.test("which weights were kept is told, where the rows of the report chose them", () => {
  assert.match(
    bestWarning({ best: { step: 2, value: 0.9 }, steps: 4 }).join(),
    /update 2 of 4, was chosen on the same/,
  );
  assert.deepEqual(bestWarning({ steps: 4 }), []);
});

/** What a pipeline says of a model of one's own with these flags. */
async function said(name: string, flags: Readonly<Record<string, string | number>>): Promise<string[]> {
  const { command } = await import(`../../pipelines/${name}.ts`) as { command: Command };
  const { values } = withPreset(command.presets, { model: "m", ...flags });
  return invocationWarnings({ values, usual: command.presets["own"] }, { steps: 100 });
}

Deno.test("a learning rate is compared with the one that its recipe has", async () => {
  const rate = { "learning-rate": 4e-4 };
  assert.deepEqual(await said("multiple_negatives_ranking", rate), []);
  assert.match((await said("cross_encoder", rate))[0]!, /the learning rate 0.0004 is 20 times the usual one, 0.00002/);
  assert.match((await said("tsdae", rate))[0]!, /is 13 times the usual one, 0.00003/);
  const others = { "cross-learning-rate": 4e-4, "adapt-learning-rate": 1e-3 };
  const [adapt, cross, ...more] = await said("domain_adaptation", others);
  assert.match(`${adapt} ${cross}`, /the adaptation's learning rate .* 20 times .* the cross-encoder's learning rate/);
  assert.deepEqual(more, []);
  const { command } = await import("../../pipelines/cross_encoder.ts") as { command: Command };
  const sample = { values: { ...withPreset(command.presets, {}).values, ...rate }, usual: command.presets["own"] };
  assert.deepEqual(invocationWarnings(sample, { steps: 100 }), [], "the sample's model starts from next to nothing");
});

Deno.test("a model of one's own that is trained without rows is told of the sample's", () => {
  const flags = ["model", "train", "epochs"] as const;
  const warned = (values: Record<string, unknown>, preset = "own", of: readonly Flag[] = flags) =>
    sampleWarning({ values, preset } as Parameters<typeof sampleWarning>[0], of).length;
  assert.equal(warned({ model: "m" }), 1);
  assert.equal(warned({ model: "m", train: "t.csv" }), 0);
  assert.equal(warned({ model: "m", gold: "t.csv" }), 0);
  assert.equal(warned({}), 0);
  assert.equal(warned({ model: "m" }, "chapter"), 0);
  assert.equal(warned({ model: "m" }, "own", ["model", "eval"]), 0, "a command that does not train");
});
