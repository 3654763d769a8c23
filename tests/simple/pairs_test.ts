import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { CheckpointError } from "../../lib/error.ts";
import { predict, rank } from "../../lib/simple/mod.ts";
import { goldenPath } from "../golden/golden.ts";

const golden = goldenPath("cross_encoder/bert_score");

Deno.test("a cross-encoder scores pairs and ranks documents", async () => {
  const scores = await predict(golden, [["a dog runs", "a hound runs"], ["a dog runs", "the moon"]]);
  assert.deepEqual(scores.map((row) => row.length), [1, 1]);
  const documents = ["the moon", "a hound runs", "rain"];
  const ranked = await rank(golden, "a dog runs", documents, { topK: 2 });
  assert.equal(ranked.length, 2);
  assert.ok(ranked[0]!.score >= ranked[1]!.score);
});

Deno.test("a model without a trained head is refused: its scores would mean nothing", async () => {
  const refused = (error: unknown) => error instanceof CheckpointError && /no trained head/.test(error.message);
  await assert.rejects(rank(await sampleBaseModel(), "a dog", ["a hound"]), refused);
  await assert.rejects(predict(await sampleBaseModel(), [["a dog", "a hound"]]), refused);
});
