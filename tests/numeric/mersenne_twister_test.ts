import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { numpyRandom, pythonRandom } from "../../lib/numeric/mersenne_twister.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/mteb_protocol.json", import.meta.url))).random;

Deno.test("numpyRandom() draws what numpy's RandomState draws", () => {
  const random = numpyRandom(7);
  assert.deepEqual(golden.randint.map(() => random.upTo(999)), golden.randint);
  assert.deepEqual([...random.permutation(50).slice(0, 4)], golden.without);
  assert.deepEqual(golden.uniform.map(() => random.double()), golden.uniform);
});

Deno.test("pythonRandom() draws what Python's random.Random draws", () => {
  const random = pythonRandom(42);
  assert.deepEqual([...random.sample(20, 6)], golden.sample);
  assert.deepEqual([...random.sample(20000, 12)], golden.sparse);
  assert.deepEqual([...random.choices(1000, 6)], golden.choices);
  assert.equal(random.double(), golden.random);
});

Deno.test("shuffles of 10,003 rows, the second on top of the first, are numpy's", () => {
  const order = numpyRandom(42).permutation(10_003);
  assert.deepEqual([...order.slice(0, 6)], [6883, 5836, 8601, 2545, 8697, 5573]);
  numpyRandom(42).shuffle(order);
  assert.deepEqual([...order.slice(0, 6)], [1774, 4068, 3356, 8599, 7657, 6646]);
  assert.equal(createHash("sha256").update(order.join(",")).digest("hex").slice(0, 16), "62b11a4fbc9ad5e5");
});

Deno.test("seeds that are no word, and samples larger than what they are drawn from, are refused", () => {
  assert.throws(() => numpyRandom(-1), /32 bits/);
  assert.throws(() => pythonRandom(2 ** 32), /32 bits/);
  assert.throws(() => pythonRandom(1).sample(3, 4), /larger than what it is drawn from/);
});
