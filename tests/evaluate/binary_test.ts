import assert from "node:assert/strict";
import { scoresOf } from "../../lib/evaluate/binary.ts";

type Case = { scores: number[]; labels: number[]; expected: Record<string, number> };
const cases: Record<string, Case> = JSON.parse(
  await Deno.readTextFile(new URL("../golden/binary.json", import.meta.url)),
);

Deno.test("thresholds are cut only between different scores, and at both ends, as in sentence-transformers", async (t) => {
  for (const [name, { scores, labels, expected }] of Object.entries(cases)) {
    await t.step(name, () => {
      const found: Record<string, number> = scoresOf(scores, labels);
      for (const [key, value] of Object.entries(expected)) {
        assert.ok(Math.abs(found[key]! - value) <= 1e-12, `${key}: ${found[key]} instead of ${value}`);
      }
    });
  }
});
