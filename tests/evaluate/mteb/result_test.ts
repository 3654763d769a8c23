import assert from "node:assert/strict";
import { firstFormatJson, MTEB_VERSION, type TaskResult, taskResultJson } from "../../../lib/evaluate/mteb/result.ts";

const subset = (scores: object, name = "default") => ({
  ...scores,
  main_score: .25,
  hf_subset: name,
  languages: ["eng-Latn"],
  mteb_version: MTEB_VERSION,
});
const result = (...scores: ReturnType<typeof subset>[]): TaskResult => ({
  dataset_revision: "0123",
  task_name: "Banking77Classification",
  mteb_version: MTEB_VERSION,
  scores: { test: scores },
  evaluation_time: 1.23456,
  kg_co2_emissions: null,
});

Deno.test("a result has mteb's keys, scores with six places, and null for what is no number", () => {
  const json = JSON.parse(taskResultJson(result(subset({
    accuracy: .12345678,
    ap: NaN,
    v_measures: { "Level 0": [1 / 3] },
    scores_per_experiment: [{ accuracy: 2 / 3, ap: null }],
  }))));
  assert.deepEqual(Object.keys(json), [
    "dataset_revision",
    "task_name",
    "mteb_version",
    "scores",
    "evaluation_time",
    "kg_co2_emissions",
  ]);
  const [scores] = json.scores.test;
  assert.deepEqual([scores.accuracy, scores.ap, scores.v_measures], [.123457, null, { "Level 0": [.333333] }]);
  assert.deepEqual(scores.scores_per_experiment, [{ accuracy: .666667, ap: null }]);
  assert.deepEqual([scores.hf_subset, scores.languages, scores.main_score], ["default", ["eng-Latn"], .25]);
});

Deno.test("the first format has the keys that the chapter prints", () => {
  const each = [{ accuracy: .4, f1: .3, ap: null }, { accuracy: .6, f1: .5, ap: null }];
  const json = JSON.parse(
    firstFormatJson(result(subset({ accuracy: .5, f1: .4, recall: .1, scores_per_experiment: each }))),
  );
  assert.deepEqual(Object.keys(json), ["mteb_version", "dataset_revision", "mteb_dataset_name", "test"]);
  assert.deepEqual(Object.keys(json.test), [
    "accuracy",
    "f1",
    "accuracy_stderr",
    "f1_stderr",
    "main_score",
    "evaluation_time",
  ]);
  assert.ok(Math.abs(json.test.accuracy_stderr - .1) < 1e-12);
  assert.equal(json.test.evaluation_time, 1.23);
});

Deno.test("the first format nests similarities, and subsets where there are several", () => {
  const scores = { pearson: 1, cosine_pearson: .1, cosine_spearman: .2, euclidean_pearson: .3, max_ap: .4 };
  const json = JSON.parse(firstFormatJson(result(subset(scores, "en"), subset(scores, "de"))));
  assert.deepEqual(json.test.en, {
    cos_sim: { pearson: .1, spearman: .2 },
    euclidean: { pearson: .3 },
    max: { ap: .4 },
    main_score: .25,
  });
  assert.deepEqual(json.test.de, json.test.en);
});
