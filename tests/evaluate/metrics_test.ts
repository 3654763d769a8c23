import assert from "node:assert/strict";
import { EvaluationError } from "../../lib/error.ts";
import {
  accuracy,
  argmaxRows,
  type Average,
  averagePrecision,
  f1Score,
  matthewsCorrelation,
  precisionRecallF1,
} from "../../lib/evaluate/classification.ts";
import {
  averagePrecisionAt,
  hitAt,
  ndcgAt,
  ndcgOfScores,
  precisionAt,
  rankByScore,
  ranked,
  recallAt,
  reciprocalRankAt,
} from "../../lib/evaluate/ranking.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/metrics.json", import.meta.url)));

function near(name: string, found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= 1e-12, `${name}: ${found} instead of ${expected}`);
}

Deno.test("scores of classes equal scikit-learn's, also of classes that are only said or only true", () => {
  for (const { labels, predictions, averages, expected } of golden.classifications) {
    near("accuracy", accuracy(labels, predictions), expected.accuracy);
    near("mcc", matthewsCorrelation(labels, predictions), expected.mcc);
    for (const average of averages as Average[]) {
      for (const [kind, value] of Object.entries(precisionRecallF1(labels, predictions, average))) {
        near(`${kind} ${average}`, value, expected[`${kind}_${average}`]);
      }
    }
  }
});

Deno.test("average precision and NDCG of scores equal scikit-learn's, ties included", () => {
  for (const row of golden.rankings) {
    near("ap", averagePrecision(row.labels, Float64Array.from(row.scores)), row.ap);
    near("ndcg", ndcgOfScores(row.gains, row.scores), row.ndcg);
    for (const k of [1, 5, 10]) near(`ndcg@${k}`, ndcgOfScores(row.gains, row.scores, { k }), row[`ndcg@${k}`]);
  }
  assert.equal(averagePrecision([0, 0], [0.1, 0.2]), 0);
  assert.equal(ndcgOfScores([0, 0], [0.1, 0.2]), 0);
});

Deno.test("scores of a ranked list equal trec_eval's", () => {
  const { gains, ideal, expected } = golden.trec;
  const relevant = ideal.filter((gain: number) => gain > 0).length;
  for (const k of [3, 10, 100]) {
    near(`ndcg@${k}`, ndcgAt(gains, k, { ideal }), expected[`ndcg_cut_${k}`]);
    near(`map@${k}`, averagePrecisionAt(gains, k, { relevant, divisor: "relevant" }), expected[`map_cut_${k}`]);
    near(`recall@${k}`, recallAt(gains, k, { relevant }), expected[`recall_${k}`]);
    near(`precision@${k}`, precisionAt(gains, k), expected[`P_${k}`]);
  }
  for (const k of [1, 3]) near(`hit@${k}`, hitAt(gains, k), expected[`success_${k}`]);
  near("mrr", reciprocalRankAt(gains, Infinity), expected.recip_rank);
});

Deno.test("cut short, average precision is divided by what can be found at most", () => {
  near("3 of 5", averagePrecisionAt([1, 0, 1], 3, { relevant: 5 }), (1 + 2 / 3) / 3);
  near("list shorter than k", averagePrecisionAt([1, 0, 1], 10), (1 + 2 / 3) / 2);
  assert.equal(averagePrecisionAt([0, 0], 10), 0);
  assert.equal(recallAt([0, 0], 10), 0);
  assert.equal(reciprocalRankAt([0, 0, 1], 2), 0);
});

Deno.test("equal scores keep their order, or turn it round", () => {
  assert.deepEqual([...rankByScore([1, 2, 1, 2])], [1, 3, 0, 2]);
  assert.deepEqual([...rankByScore([1, 2, 1, 2], { ties: "last" })], [3, 1, 2, 0]);
  assert.deepEqual([...ranked([5, 6, 7], Int32Array.of(2, 0, 1))], [7, 5, 6]);
  assert.deepEqual([...argmaxRows(Float32Array.of(1, 3, 3, 0, -1, -2), 3)], [1, 0]);
});

Deno.test("what cannot be scored is refused", () => {
  assert.throws(() => accuracy([], []), EvaluationError);
  assert.throws(() => accuracy([1], [1, 0]), /do not match/);
  assert.throws(() => f1Score([0, 2], [0, 1], "binary"), /two classes/);
  assert.throws(() => rankByScore([1, NaN]), /not a number/);
});
