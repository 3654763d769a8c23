import assert from "node:assert/strict";
import { datasetOf } from "../../lib/data/rows.ts";
import { scoresFromNli, tripletsFromNli } from "../../lib/negatives/nli.ts";
import { DatasetError } from "../../lib/error.ts";

const nli = datasetOf({
  premise: ["p1", "p1", "p2", "p2", "p3", "p1"],
  hypothesis: ["e1", "c1", "e2", "n2", "c3", "f1"],
  label: Int32Array.of(0, 2, 0, 1, 2, 0),
});

Deno.test("entailments become pairs", () => {
  const { dataset, counts } = tripletsFromNli(nli, { negatives: "none", seed: 1 });
  assert.deepEqual(dataset.columns, { anchor: ["p1", "p2", "p1"], positive: ["e1", "e2", "f1"] });
  assert.deepEqual(counts, { contradiction: 0, easy: 0 });
});

Deno.test("the contradiction of the same premise is the negative; where there is none, an easy one", () => {
  const { dataset, counts } = tripletsFromNli(nli, { negatives: "contradiction", seed: 1 });
  assert.ok("negative" in dataset.columns);
  const { negative } = dataset.columns;
  assert.deepEqual([negative[0], negative[2]], ["c1", "c1"]);
  assert.ok(nli.columns.hypothesis.includes(negative[1]!) && negative[1] !== "e2");
  assert.deepEqual(counts, { contradiction: 2, easy: 1 });
});

Deno.test("easy negatives are a function of the seed", () => {
  const easy = (seed: number) => tripletsFromNli(nli, { negatives: "easy", seed });
  assert.deepEqual(easy(3), easy(3));
  assert.deepEqual(easy(3).counts, { contradiction: 0, easy: 3 });
  const drawn = new Set(Array.from({ length: 20 }, (_, seed) => JSON.stringify(easy(seed).dataset.columns)));
  assert.ok(drawn.size > 5);
});

Deno.test("without an entailment there is nothing to train on", () => {
  const none = datasetOf({ premise: ["p"], hypothesis: ["h"], label: Int32Array.of(1) });
  assert.throws(() => tripletsFromNli(none, { negatives: "none", seed: 1 }), DatasetError);
});

Deno.test("the chapter's scores: entailment 1, all else 0", () => {
  assert.deepEqual([...scoresFromNli(nli).columns.score], [1, 0, 1, 0, 0, 1]);
});
