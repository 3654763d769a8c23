import assert from "node:assert/strict";
import type { Batch } from "../../lib/train/batches.ts";
import { planUpdates } from "../../lib/train/plan.ts";

/** Epochs of three, four, five, … batches, and the epochs that were drawn. */
function counting() {
  const drawn: number[] = [];
  const batches = () => (epoch: number) => {
    drawn.push(epoch);
    return Array.from({ length: 3 + epoch }, (_, i): Batch => {
      const rows = Int32Array.of(i);
      return { rows, streams: rows, epoch };
    });
  };
  return {
    drawn,
    objective: { parameters: {}, rows: 9, tokens: () => 0, differentiate: () => assert.fail(), batches },
  };
}
const settings = { epochs: 1, batchSize: 1, accumulate: 1, seed: 1 };

Deno.test("epochs of a run of so many steps are drawn once, when it comes to them", () => {
  const { drawn, objective } = counting();
  const plan = planUpdates(objective, { ...settings, maxSteps: 9 });
  assert.deepEqual([plan.totalSteps, drawn], [9, [0]]);
  const told = [...plan.updates(0)].map(([batch], step) => [batch!.epoch, batch!.rows[0], plan.epochAt(step + 1)]);
  const ends = [1 / 3, 2 / 3, 1, 1.25, 1.5, 1.75, 2, 2.2, 2.4];
  const expected = [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2], [1, 3], [2, 0], [2, 1]];
  assert.deepEqual(told, expected.map(([epoch, row], i) => [epoch, row, ends[i]]));
  assert.deepEqual(drawn, [0, 1, 2]);
});

Deno.test("a run that goes on finds its place, by updates of several batches", () => {
  const { objective } = counting();
  const plan = planUpdates(objective, { ...settings, epochs: 3, accumulate: 2 });
  assert.equal(plan.totalSteps, 2 + 2 + 3);
  const all = [...plan.updates(0)];
  assert.deepEqual(all.map((update) => update.length), [2, 1, 2, 2, 2, 2, 1]);
  assert.deepEqual([...plan.updates(3)], all.slice(3));
  assert.deepEqual([2, 3, 7].map(plan.epochAt), [1, 1.5, 3]);
  const later = planUpdates(counting().objective, { ...settings, maxSteps: 100, accumulate: 2 });
  assert.equal(later.epochAt(3), 1.5);
});
