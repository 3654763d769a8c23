import assert from "node:assert/strict";
import { nextTokens, pack } from "../../lib/text/packed.ts";

Deno.test("nextTokens() pairs each token with the one after it, and never crosses to another text", () => {
  const texts = { ids: Int32Array.of(7, 8, 9, 3, 5, 0), typeIds: undefined, offsets: Int32Array.of(0, 3, 3, 4, 6) };
  const { input, targets } = nextTokens(pack([{ texts, rows: [0, 1, 2, 3] }], [10, 11, 12, 13]), 0);
  assert.deepEqual([...input.ids], [7, 8, 5]);
  assert.deepEqual([...targets], [8, 9, -1], "padding in a text does not count");
  assert.deepEqual([...input.offsets], [0, 2, 2, 2, 3]);
  assert.deepEqual([...input.positions], [0, 1, 0]);
  assert.deepEqual([...input.places], [10, 0, 10, 1, 13, 0]);
  assert.equal(input.maxLength, 2);
  const empty = nextTokens(pack([{ texts, rows: [1] }]), 0);
  assert.deepEqual([empty.targets.length, [...empty.input.offsets], empty.input.maxLength], [0, [0, 0], 0]);
});
