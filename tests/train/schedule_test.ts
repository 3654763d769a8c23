import assert from "node:assert/strict";
import { rateAt, warmupOf } from "../../lib/train/schedule.ts";

const base = { learningRate: 2, totalSteps: 10, warmupSteps: 4 } as const;

Deno.test("rateAt() warms up from 0 and decays to 0", () => {
  const linear = Array.from({ length: 11 }, (_, step) => rateAt({ kind: "linear", ...base }, step));
  assert.deepEqual(linear.slice(0, 6), [0, 0.5, 1, 1.5, 2, 2 * (1 - 1 / 6)]);
  assert.equal(linear[10], 0);
  const cosine = Array.from({ length: 11 }, (_, step) => rateAt({ kind: "cosine", ...base }, step));
  assert.equal(cosine[7], 2 * (1 + Math.cos(Math.PI / 2)) / 2);
  assert.equal(rateAt({ kind: "constant", ...base }, 9), 2);
});

Deno.test("warmupOf() rounds a ratio up", () => {
  assert.equal(warmupOf(101, { steps: 5 }), 5);
  assert.equal(warmupOf(101, { steps: 5, ratio: 0.1 }), 11);
});
