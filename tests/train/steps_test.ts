import assert from "node:assert/strict";
import { emptyRecord } from "../../lib/train/record.ts";
import { stepsInARow } from "../../lib/train/steps.ts";

Deno.test("steps follow in a row for a quarter of a second, on a device for three quarters, and up to what is due", () => {
  const bounds = { evalSteps: undefined, saveSteps: 1000, totalSteps: 5000 };
  const after = (seconds: number, steps = 100) => ({ ...emptyRecord(), steps, seconds: steps * seconds });
  const [here, device] = [{}, { beginStep() {} }];
  assert.equal(stepsInARow(here, emptyRecord(), bounds), 1, "how long one takes is not known yet");
  assert.deepEqual([here, device].map((engine) => stepsInARow(engine, after(0.025), bounds)), [10, 30]);
  assert.deepEqual([here, device].map((engine) => stepsInARow(engine, after(1e-4), bounds)), [32, 256]);
  assert.deepEqual([here, device].map((engine) => stepsInARow(engine, after(2), bounds)), [1, 1]);
  for (const engine of [here, device]) {
    assert.equal(stepsInARow(engine, after(0.01), { ...bounds, saveSteps: 105 }), 5);
    assert.equal(stepsInARow(engine, after(0.01), { ...bounds, evalSteps: 51 }), 2);
    assert.equal(stepsInARow(engine, after(0.01), { ...bounds, totalSteps: 103 }), 3);
  }
});
