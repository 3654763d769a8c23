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
  assert.throws(() => lossOf({ name: "matryoshka" }), /put around another loss/);
  const cut = { name: "matryoshka", options: { inner: { name: "cosent" } } };
  assert.throws(() => lossOf(cut), /matryoshka needs lengths/);
  const meant = { cosnet: "cosent", gist: "gist_embed", distill_kl: "distill_kl_div", multiple_negatives: "multiple_" };
  for (const [name, other] of Object.entries(meant)) {
    assert.throws(() => lossOf({ name }), ({ hint }: UsageError) => hint!.startsWith(`did you mean ${other}`), name);
  }
});

Deno.test("tryLoss refuses columns that the loss does not take, and sees the classes of a grouped loss", async () => {
  await assert.rejects(tryLoss(cosineSimilarity(), [[[1, 0]]], [1]), UsageError);
  const { value } = await tryLoss(lossOf(losses.batchHardTriplet({ margin: 1 })), [[[0], [1], [5], [6]]], [0, 0, 1, 1]);
  assert.equal(value, 0);
  // Too few labels, too many, and what would pass for one score of every document.
  const columns = [[[1, 0]], [[2, 5]], [[1, 7]]];
  for (const [name, ...labels] of [["marginMse"], ["marginMse", 1, 2, 3], ["distillKlDiv", 1]] as const) {
    await assert.rejects(tryLoss(lossOf(losses[name]()), columns, labels), /does not take this number of labels/);
  }
});

Deno.test("an option that a loss would ignore is an error, for the compiler and at run time", () => {
  // @ts-expect-error: it has a scale
  assert.throws(() => losses.multipleNegativesRanking({ temperature: 20 }), /has no option temperature/);
  // @ts-expect-error: it has none
  assert.throws(() => losses.cosineSimilarity({ margin: 1 }), /has no option margin/);
  assert.throws(() => lossOf({ name: "cosent", options: { scales: 3 } }), /has no option scales/);
  const inner = losses.cosent();
  const options = { inner, dimensions: [2], wieghts: [3] };
  assert.throws(() => lossOf({ name: "matryoshka", options }), /matryoshka has no option wieghts/);
});

Deno.test("an option that a loss cannot use is an error", () => {
  for (const scale of [0, -1, NaN, Infinity]) assert.throws(() => losses.cosent({ scale }), /scale of the loss cosent/);
  assert.throws(() => losses.softmax({ classes: 1 }), /classes/);
  assert.equal(lossOf(losses.softmax({ classes: 2 })).name, "softmax");
  const inner = losses.cosent();
  const bad: object[] = [{ dimensions: "2" }, { dimensions: null }, { dimensions: [] }, {
    dimensions: [2],
    weights: null,
  }];
  bad.push({ dimensions: [2], weights: ["2"] }, { dimensions: [2], dimensionsPerStep: 0 }, {
    dimensions: [2],
    inner: 3,
  });
  for (const options of bad) {
    assert.throws(() => lossOf({ name: "matryoshka", options: { inner, ...options } }), UsageError);
  }
  for (const options of [undefined, { dimensions: [2] }, { inner }]) {
    assert.throws(() => lossOf({ name: "matryoshka", ...(options && { options }) }), UsageError);
  }
  for (const hardness of [{ among: "all", strength: 2 }, { among: "hard_negatives", strength: "2" }, null]) {
    const options = { hardness };
    assert.throws(() => lossOf({ name: "multiple_negatives_ranking", options }), /option hardness/);
  }
  assert.equal(lossOf(losses.multipleNegativesRanking({ scale: 30 })).options["scale"], 30);
});
