import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { samplePairModel } from "../../lib/data/sample/mod.ts";
import { encode, openCrossEncoder, openModel, predict } from "../../lib/simple/mod.ts";
import { turns } from "../../lib/simple/turns.ts";
import { goldenPath } from "../golden/golden.ts";

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

Deno.test("queries and documents get their prompts; similarities are of the model's kind; tokens are counted", async () => {
  await using model = await openModel(await sampleBaseModel(), { truncateDim: 64 });
  assert.equal(model.width, 64);
  const [queries, documents] = await Promise.all([
    model.encodeQuery(["the boy eats"]),
    model.encodeDocument(["a castle on a hill", "the boy eats an apple"]),
  ]);
  assert.deepEqual([queries.width, documents.rows], [64, 2]);
  const similar = model.similarity(queries, documents);
  assert.ok(similar.length === 2 && similar[1]! > similar[0]! && similar[1]! <= 1);
  assert.equal(model.tokenCount(""), 2);
  assert.ok(model.tokenCount("the boy ".repeat(1000)) > 2000, "before anything is cut");
  assert.throws(() => model.similarity(queries, { data: new Float32Array(3), width: 3, rows: 1 }), /different widths/);
  await assert.rejects(openModel(goldenPath("folders/static"), { truncateDim: 13 }), /truncateDim is more than/);
});

Deno.test("a cross-encoder that stays loaded scores and ranks as one that is loaded for the job", async () => {
  const folder = goldenPath("cross_encoder/bert_score");
  const pairs = [["the boy", "the dog"], ["a queen", "the castle"]] as const;
  using judge = await openCrossEncoder(folder);
  const [scores, ranked] = await Promise.all([judge.predict(pairs), judge.rank("the boy", ["the dog", "a queen"])]);
  assert.deepEqual(scores, await predict(folder, pairs));
  assert.deepEqual([judge.labels, ranked.length, ranked[0]!.score >= ranked[1]!.score], [1, 2, true]);
  await assert.rejects(openCrossEncoder(await samplePairModel()), /no trained head/);
});

Deno.test("small requests that wait go together, in their order; a bad one rejects with those beside it alone", async () => {
  const seen: number[][] = [];
  const queue = turns<number, number>(
    (waiting) => Math.min(waiting.length, 2),
    (requests) => {
      seen.push([...requests]);
      return requests.includes(13) ? Promise.reject(new Error("13")) : Promise.resolve(requests.map((n) => 2 * n));
    },
  );
  const results = await Promise.allSettled([1, 2, 3, 13, 5].map(queue.ask));
  assert.deepEqual(seen, [[1, 2], [3, 13], [5]]);
  assert.deepEqual(results.map((result) => result.status === "fulfilled" ? result.value : "no"), [
    2,
    4,
    "no",
    "no",
    10,
  ]);
  const waiting = queue.ask(7);
  queue.close();
  await assert.rejects(waiting, /closed/);
  await assert.rejects(queue.ask(8), /closed/);
});
