import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { samplePairModel } from "../../lib/data/sample/mod.ts";
import { quantizeEmbeddings } from "../../lib/embed/mod.ts";
import type { UsageError } from "../../lib/error.ts";
import { encode, finetune, openCrossEncoder, openModel, predict } from "../../lib/simple/mod.ts";
import { encodeQueue } from "../../lib/simple/encode_queue.ts";
import { turns } from "../../lib/simple/turns.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

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

Deno.test("a model in 8 bits is near the model, and embeddings of 8 bits are another thing", async () => {
  const folder = await sampleBaseModel();
  const texts = ["the dog runs", "a queen in the castle", "the cook slices the bread and the boy eats it"];
  const expected = await encode(folder, texts, { normalize: true });
  using model = await openModel(folder, { engine: { precision: "int8" } });
  const found = await model.encode(texts, { normalize: true });
  for (let row = 0; row < texts.length; row++) {
    const at = (x: Float32Array) => x.subarray(row * found.width, (row + 1) * found.width);
    const cosine = at(found.data).reduce((sum, value, i) => sum + value * at(expected.data)[i]!, 0);
    assert.ok(cosine > 0.99 && cosine < 1 - 1e-7, `${texts[row]}: ${cosine}`);
  }
  const { data } = await model.encode(texts, { normalize: true, precision: "binary" });
  assert.ok(data instanceof Int8Array);
  const pairs = { anchor: texts, positive: texts };
  await assert.rejects(
    finetune({ model: folder, ...pairs, output: "unused", engine: { precision: "int8" } }),
    (error: UsageError) => /precision/.test(error.message) && error.expected === "one of fp32, bf16, fp16",
  );
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

Deno.test("fifty requests of the same moment wait for few batches, each gets its own texts' embeddings", async () => {
  const folder = goldenPath("training/model");
  const requests = Array.from(
    { length: 50 },
    (_, i) =>
      ["a boy eats an apple", "the queen", "two dogs run and run"].slice(0, 1 + i % 3).map((text) => `${text} ${i}`),
  );
  const sizes: number[] = [];
  await using model = await openModel(folder);
  const queue = encodeQueue((texts) => {
    sizes.push(texts.length);
    return model.encode(texts);
  });
  const kind = { prompt: "", output: "sentence", normalize: false } as const;
  const found = await Promise.all(requests.map((texts) => queue.ask({ texts, ...kind })));
  assert.deepEqual(sizes, [63, 36]);
  for (const [i, texts] of requests.entries()) {
    assertNear(`${i}`, found[i]!.data, (await model.encode(texts)).data, 1e-6);
  }
  // Other outputs beside them do not mix.
  const [tokens, bits, plain] = await Promise.all([
    model.encode(["the queen", "a boy"], { output: "tokens" }),
    model.encode(["the queen", "a boy"], { precision: "ubinary" }),
    model.encode(["the queen", "a boy"]),
  ]);
  assert.deepEqual(bits, quantizeEmbeddings(plain, "ubinary"));
  assert.deepEqual(tokens, await encode(folder, ["the queen", "a boy"], { output: "tokens" }));
  const both = await Promise.all([1, 2].map(() => model.encode(["the queen", "a boy"], { output: "tokens" })));
  for (const { data, offsets } of both) {
    assert.deepEqual(offsets, tokens.offsets);
    assertNear("tokens", data, tokens.data, 1e-6);
  }
});

Deno.test("a stream of texts is embedded a chunk at a time, and no text is asked for before the chunk before was taken", async () => {
  const folder = goldenPath("training/model");
  await using model = await openModel(folder);
  const text = (i: number) => `the queen ${i % 7}`;
  let [asked, taken, most] = [0, 0, 0];
  async function* texts() {
    while (asked < 5000) {
      asked++;
      most = Math.max(most, asked - taken);
      yield text(asked - 1);
    }
  }
  const seven = await model.encode(Array.from({ length: 7 }, (_, i) => text(i)));
  for await (const { data, rows, width } of model.encodeStream(texts(), { chunkTexts: 700 })) {
    for (let i = 0; i < rows; i += 50) {
      const from = (taken + i) % 7 * width;
      assertNear("row", data.subarray(i * width, (i + 1) * width), seven.data.slice(from, from + width), 1e-6);
    }
    taken += rows;
  }
  assert.deepEqual([asked, taken, most], [5000, 5000, 700]);
  const long = "the queen ".repeat(60_000);
  const chunks = await Array.fromAsync(model.encodeStream([long, long, "a", "b"]), ({ rows }) => rows);
  assert.deepEqual(chunks, [1, 3], "characters are counted too");
  await assert.rejects(model.encodeStream(["a"], { precision: "int8" }).next(), /must be measured by something/);
  const { ranges } = quantizeEmbeddings(seven, "int8");
  for await (const chunk of model.encodeStream([text(3)], { precision: "int8", ranges })) {
    assert.deepEqual(chunk.data, quantizeEmbeddings(seven, "int8").data.slice(3 * 12, 4 * 12));
  }
});

Deno.test("fewer features are the first ones, and not normalised anew; length 1 is asked for", async () => {
  const folder = goldenPath("training/model");
  const whole = await encode(folder, ["the queen"]);
  const first = await encode(folder, ["the queen"], { truncateDim: 5 });
  assert.deepEqual(first.data, whole.data.slice(0, 5));
  const { data } = await encode(folder, ["the queen"], { truncateDim: 5, normalize: true });
  const norm = Math.hypot(...first.data);
  assertNear("normalised", data, first.data.map((x) => x / norm), 1e-6);
  const cut = await encode(folder, ["the queen and two dogs"], { maxSeqLength: 4, output: "tokens" });
  assert.equal(cut.offsets[1], 4);
  await assert.rejects(
    encode(folder, ["a"], { output: "tokens", precision: "int8" } as never),
    /for embeddings of texts/,
  );
  await assert.rejects(encode(folder, ["a"], { precision: "int4" } as never), /precision/);
});

Deno.test("what is no stream, no text, no option of an open model or no embedding is refused; no texts have the model's width", async () => {
  await using model = await openModel(goldenPath("training/model"), { truncateDim: 5 });
  const anything = (value: unknown) => value as never;
  for (
    const [options, message] of [[{ signal: AbortSignal.abort() }, /no setting signal/], [
      { precision: "int8" },
      /no setting/,
    ]] as const
  ) {
    await assert.rejects(openModel(goldenPath("training/model"), anything(options)), message);
    await assert.rejects(openCrossEncoder(goldenPath("cross_encoder/bert_score"), anything(options)), message);
  }
  for (const texts of ["the queen", undefined, 3, {}]) {
    await assert.rejects(model.encodeStream(anything(texts)).next(), {
      name: "UsageError",
      message: /one after the other/,
    });
  }
  await assert.rejects(model.encodeStream(["a"], anything({ chunkText: 3 })).next(), /did you mean chunkTexts/);
  await assert.rejects(model.encodeStream(["a"], { chunkTexts: 0 }).next(), /chunkTexts must be a whole number from 1/);
  assert.throws(() => model.tokenCount(anything(5)), /text must be a list of texts|expected: a text/);
  const [none, one, bits] = await Promise.all([
    model.encode([]),
    model.encode(["the queen"]),
    model.encode(["the queen"], { precision: "ubinary" }),
  ]);
  assert.deepEqual(none, { data: new Float32Array(0), width: 5, rows: 0 });
  assert.deepEqual(await model.encode([], { precision: "ubinary" }), { ...bits, data: new Uint8Array(0), rows: 0 });
  assert.equal(model.similarity(one, none).length, 0);
  assert.throws(() => model.similarity(anything(bits), anything(bits)), /a number for each feature/);
});
