import assert from "node:assert/strict";
import { editDistances, nearestName } from "../../lib/text/edits.ts";

Deno.test("edits of a word to every beginning of another", () => {
  assert.deepEqual(editDistances("cat", "cart"), [3, 2, 1, 1, 1]);
  assert.equal(editDistances("", "abc").at(-1), 3);
});

Deno.test("a mistyped name is told its right one, a foreign one is not", () => {
  assert.equal(nearestName("batchsize", ["epochs", "batchSize", "seed"]), "batchSize");
  assert.equal(nearestName("sead", ["seed", "read"]), "seed", "the first of equals");
  assert.equal(nearestName("lr", ["clip", "seed"]), undefined, "more edits than half of its letters");
  assert.equal(nearestName("temperature", ["epochs", "batchSize", "seed"]), undefined);
});

Deno.test("a name as another library writes it is told ours", () => {
  const losses = ["multiple-negatives", "gist", "margin-mse", "triplet", "batch-hard", "batch-hard-soft-margin"];
  assert.equal(nearestName("MultipleNegativesRankingLoss", losses), "multiple-negatives");
  assert.equal(nearestName("GISTEmbedLoss", losses), "gist");
  assert.equal(nearestName("MarginMSELoss", losses), "margin-mse");
  assert.equal(nearestName("BatchHardSoftMarginTripletLoss", losses), "batch-hard-soft-margin");
  assert.equal(nearestName("eval-stepz", ["eval", "eval-steps"]), "eval-steps", "edits come first");
  assert.equal(nearestName("CoSENTLoss", losses), undefined);
});
