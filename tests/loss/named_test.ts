import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { cosineSimilarity, losses, lossOf, matryoshka, tryLoss } from "../../lib/loss/mod.ts";

Deno.test("every described loss is made again from its JSON, under the name of its description", () => {
  const { matryoshka: around, ...plain } = losses;
  for (const describe of Object.values(plain)) {
    const spec = JSON.parse(JSON.stringify(describe()));
    assert.equal(lossOf(spec).name, spec.name);
  }
  const spec = JSON.parse(JSON.stringify(around(losses.cosineSimilarity(), { dimensions: [4, 2], weights: [1, 3] })));
  const expected = matryoshka(cosineSimilarity(), { dimensions: [4, 2], weights: [1, 3] });
  const { name, options } = lossOf(spec);
  assert.deepEqual({ name, options }, { name: expected.name, options: expected.options });
  assert.throws(() => lossOf({ name: "cosine" }), UsageError);
});

Deno.test("tryLoss refuses columns that the loss does not take, and sees the classes of a grouped loss", async () => {
  await assert.rejects(tryLoss(cosineSimilarity(), [[[1, 0]]], [1]), UsageError);
  const { value } = await tryLoss(lossOf(losses.batchHardTriplet({ margin: 1 })), [[[0], [1], [5], [6]]], [0, 0, 1, 1]);
  assert.equal(value, 0);
});
