import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { encode, openModel } from "../../lib/simple/mod.ts";

Deno.test("a model that stays loaded gives the embeddings of one that is loaded for the job, also to many at once", async () => {
  const folder = await sampleBaseModel();
  const texts = ["the dog runs", "a queen in the castle", "", "the cook slices the bread and the boy eats it"];
  const expected = await encode(folder, texts);
  using model = await openModel(folder);
  assert.equal(model.width, expected.width);
  const rows = await Promise.all(texts.map((text) => model.encode([text])));
  for (const [i, { data }] of rows.entries()) {
    const row = expected.data.subarray(i * expected.width, (i + 1) * expected.width);
    assert.ok(data.every((value, j) => Math.abs(value - row[j]!) <= 1e-6), texts[i]);
  }
});

Deno.test("a model that is closed encodes no more, a second closing does nothing, and one bad call does not stop the next", async () => {
  const model = await openModel(await sampleBaseModel());
  await assert.rejects(model.encode(["a"], { promptName: "none" }), /no prompt of this name/);
  assert.equal((await model.encode(["a"])).rows, 1);
  model.close();
  model.close();
  await assert.rejects(model.encode(["a"]), /the model is closed/);
});
