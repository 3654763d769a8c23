import assert from "node:assert/strict";
import { startNumbering } from "../lib/numbering.ts";

Deno.test("equal texts have equal numbers, in the order in which they are met", () => {
  const { numberOf, texts } = startNumbering();
  assert.deepEqual(["b", "a", "b", "", "a"].map(numberOf), [0, 1, 0, 2, 1]);
  assert.deepEqual(texts(), ["b", "a", ""]);
});
