import assert from "node:assert/strict";
import { counted } from "../lib/counted.ts";

Deno.test("a number of things stands in the singular or the plural", () => {
  const words = ["row", "class", "query", "batch", "day"];
  assert.deepEqual(words.map((word) => counted(1, word)), ["1 row", "1 class", "1 query", "1 batch", "1 day"]);
  assert.deepEqual(words.map((word) => counted(2, word)), ["2 rows", "2 classes", "2 queries", "2 batches", "2 days"]);
  assert.deepEqual([counted(0, "row"), counted(1n, "row")], ["0 rows", "1 row"]);
});
