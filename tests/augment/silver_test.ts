import assert from "node:assert/strict";
import { mergeGoldSilver, silverAgreement, silverPairs } from "../../lib/augment/mod.ts";
import type { Dataset, ScoredPairs } from "../../lib/data/dataset.ts";
import { DatasetError } from "../../lib/error.ts";
import golden from "../golden/augment.json" with { type: "json" };

const pairs = { columns: { sentence1: ["a", "b", "c", "d"], sentence2: ["e", "f", "g", "h"] }, rows: 4 };

Deno.test("labels of two classes: hard by the likeliest, soft by probability", () => {
  const outputs = { data: Float32Array.of(.75, .25, .125, .875, .5, .5, 0, 1), width: 2, rows: 4 };
  const score = (options: Parameters<typeof silverPairs>[2]) => [...silverPairs(pairs, outputs, options).columns.score];
  assert.deepEqual(score({ labels: "hard" }), [0, 1, 0, 1]); // of equals the first, as argmax
  assert.deepEqual(score({}), [.25, .875, .5, 1]);
  assert.deepEqual(score({ positive: 0, labels: "hard" }), [1, 0, 1, 0]);
  assert.deepEqual(score({ positive: 0 }), [.75, .125, .5, 0]);
});

Deno.test("labels of three classes and of one score", () => {
  const logits = { data: Float32Array.of(3, 1, -2, 0, 1, 2, -5, -4, -6, 0, 0, 0), width: 3, rows: 4 };
  assert.deepEqual([...silverPairs(pairs, logits, { labels: "hard", positive: 0 }).columns.score], [1, 0, 0, 1]);
  const scores = { data: Float32Array.of(0, .5, .625, 1), width: 1, rows: 4 };
  assert.deepEqual([...silverPairs(pairs, scores).columns.score], [0, .5, .625, 1]);
  assert.deepEqual([...silverPairs(pairs, scores, { labels: "hard" }).columns.score], [0, 0, 1, 1]);
  assert.equal(silverPairs(pairs, scores).columns.sentence2, pairs.columns.sentence2);
});

Deno.test("outputs that are no labels are errors that say where", () => {
  const wrong = (data: readonly number[], width: number, options = {}, rows = 4) => () =>
    silverPairs(pairs, { data: Float32Array.from(data), width, rows }, options);
  assert.throws(wrong([0, 0, 0], 1), DatasetError);
  assert.throws(wrong([0, 0, 0], 1, {}, 3), DatasetError);
  assert.throws(wrong([0, NaN, 0, 0], 1, { labels: "hard" }), { where: "row 2" });
  assert.throws(wrong([0, 0, 0, 2], 1), /between 0 and 1/);
  assert.throws(wrong([0, 0, 0, -1], 1), { where: "row 4" });
  assert.throws(wrong([0, 0, 0, 0, 0, 0, 0, 0], 2, { positive: 2 }), DatasetError);
});

Deno.test("gold and silver merge as pandas' drop_duplicates does", () => {
  const read = (table: { sentence1: string[]; sentence2: string[]; score: number[] }): Dataset<ScoredPairs> => ({
    columns: { ...table, score: Float64Array.from(table.score) },
    rows: table.score.length,
  });
  const { gold, silver, merged } = golden.merge;
  const found = mergeGoldSilver(read(gold), read(silver));
  assert.deepEqual(found.dataset, read(merged));
  assert.deepEqual(found.counts, { gold: 4, silver: 3, dropped: { gold: 1, silver: 3 } });
  const empty = read({ sentence1: [], sentence2: [], score: [] });
  assert.equal(mergeGoldSilver(empty, empty).dataset.rows, 0);
});

Deno.test("agreement with the truth, counted by hand", () => {
  const agreement = silverAgreement(Float64Array.of(.9, .8, .2, .4, .6), Float64Array.of(1, 0, 0, 1, 1));
  assert.equal(agreement.accuracy, 3 / 5);
  assert.equal(agreement.precision, 2 / 3);
  assert.equal(agreement.recall, 2 / 3);
  assert.ok(Math.abs(agreement.f1 - 2 / 3) < 1e-15);
  assert.deepEqual(agreement.positives, { silver: 3 / 5, truth: 3 / 5 });
  assert.ok(agreement.pearson > 0 && agreement.pearson < 1 && agreement.spearman > 0);
  const none = silverAgreement(Float64Array.of(0, 0), Float64Array.of(1, 0));
  assert.deepEqual([none.precision, none.recall, none.f1, none.accuracy], [0, 0, 0, .5]);
  assert.ok(Number.isNaN(none.pearson));
  assert.throws(() => silverAgreement(new Float64Array(0), new Float64Array(0)), DatasetError);
});
