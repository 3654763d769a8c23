import assert from "node:assert/strict";
import { settingsWarnings } from "../../lib/pipeline/warnings.ts";
import { resolveSettings } from "../../lib/train/settings.ts";

const warningsOf = (settings: Parameters<typeof resolveSettings>[0], steps: number) =>
  settingsWarnings(resolveSettings(settings), { steps }, { own: true });

Deno.test("a warmup as long as the training is told of, in updates or as a share", () => {
  assert.match(warningsOf({}, 1)[0]!, /the warmup of 1 updates is not shorter than the training of 1/);
  assert.match(warningsOf({ warmupRatio: 1 }, 8)[0]!, /the warmup of 8 updates/);
  assert.match(warningsOf({ warmupSteps: 9 }, 8)[0]!, /the warmup of 9 updates/);
  assert.deepEqual([warningsOf({}, 2), warningsOf({ warmupSteps: 0 }, 1), warningsOf({}, 0)], [[], [], []]);
});
