import assert from "node:assert/strict";
import { giveBack } from "../../lib/numeric/give_back.ts";

Deno.test("giveBack() leaves arrays, and views of their memory, empty", () => {
  const [numbers, bytes] = [Float32Array.of(1, 2, 3), Uint8Array.of(4)];
  const view = numbers.subarray(1);
  giveBack(numbers, bytes);
  assert.deepEqual([numbers.length, view.length, bytes.length], [0, 0, 0]);
});
