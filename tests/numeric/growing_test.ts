import assert from "node:assert/strict";
import { growingNumbers } from "../../lib/numeric/growing.ts";

Deno.test("growingNumbers() keeps what was appended, in order", () => {
  const numbers = growingNumbers();
  assert.deepEqual(numbers.values(), new Float64Array());
  const all = Float64Array.from({ length: 5000 }, (_, i) => Math.sin(i));
  for (let from = 0; from < all.length; from += 700) numbers.append(all.subarray(from, from + 700));
  assert.deepEqual(numbers.values(), all);
  numbers.append([NaN]);
  assert.deepEqual([numbers.values().length, numbers.values().at(-1)], [5001, NaN]);
});
