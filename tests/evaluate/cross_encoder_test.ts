import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { EvaluationError } from "../../lib/error.ts";
import { pairScorer, predict, rank } from "../../lib/evaluate/cross_encoder.ts";
import {
  crossEncoderClassification,
  crossEncoderCorrelation,
  crossEncoderReranking,
  listRanking,
  type RerankingSample,
} from "../../lib/evaluate/cross_encoder_metrics.ts";
import type { PairScorer } from "../../lib/embed/search.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder/expected.json")));
const evaluators = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder_evaluators.json")));
const [first, second] = [0, 1].map((i) => golden.pairs.map((pair: string[]) => pair[i])) as [string[], string[]];

for (const { name: engineName, create } of engines) {
  Deno.test(`${engineName}: predict() and rank() equal sentence-transformers', however pairs are packed`, async () => {
    const engine = await create();
    for (const [name, expected] of Object.entries<Record<string, number[]>>(golden.predictions)) {
      const model = await loadCrossEncoder(engine, goldenPath(`cross_encoder/${name}`));
      for (const tokenBudget of [4096, 45, 1]) {
        const { data, width, rows } = await predict(engine, model, first, second, { tokenBudget });
        assert.deepEqual([width, rows], [model.labels, first.length]);
        assertNear(name, data, expected["scores"]!, 1e-5);
      }
      const logits = await predict(engine, model, first, second, { activation: "identity" });
      assertNear(`${name}: logits`, logits.data, expected["logits"]!, 1e-5);
      if (model.labels > 1) {
        const { data } = await predict(engine, model, first, second, { softmax: true });
        assertNear(`${name}: softmax`, data, expected["softmax"]!, 1e-5);
        await assert.rejects(rank(engine, model, first[0]!, second), EvaluationError);
        if (model.labels > 2) assert.throws(() => pairScorer(engine, model), EvaluationError);
      } else {
        const ranking = await rank(engine, model, first[0]!, second, { topK: 4 });
        const ranked = expected["ranking"] as unknown as [number, number][];
        assert.deepEqual(ranking.map(({ index }) => index), ranked.map(([index]) => index));
        assertNear(`${name}: ranking`, ranking.map(({ score }) => score), ranked.map(([, score]) => score), 1e-5);
      }
      if (expected["withPrompt"] !== undefined) {
        for (const prompt of [{ promptName: "query" }, { prefix: "the fast " }]) {
          const { data } = await predict(engine, model, first, second, prompt);
          assertNear(`${name}: prompt`, data, expected["withPrompt"], 1e-5);
        }
        const { data } = await predict(engine, { ...model, defaultPromptName: "query" }, first, second);
        assertNear(`${name}: default prompt`, data, expected["withPrompt"], 1e-5);
      }
    }
    engine.close();
  });
}

Deno.test("no pairs give no scores; texts that are no pairs are refused; spaces may be taken off", async () => {
  const engine = await engines[0]!.create();
  const model = await loadCrossEncoder(engine, goldenPath("cross_encoder/roberta_score"));
  assert.deepEqual(await predict(engine, model, [], []), { data: new Float32Array(0), width: 1, rows: 0 });
  assert.deepEqual(await rank(engine, model, "red", []), []);
  await assert.rejects(predict(engine, model, ["a"], []), EvaluationError);
  const scored = async (a: string, b: string, strip: boolean) =>
    (await predict(engine, model, [a], [b], { strip })).data[0];
  assert.equal(await scored("  red fish", "bird\n", true), await scored("red fish", "bird", false));
  assert.notEqual(await scored("  red fish", "bird\n", false), await scored("red fish", "bird", false));
  const scores = await pairScorer(engine, model)([["red", "fish"], ["", "bird"]]);
  assert.deepEqual(scores, (await predict(engine, model, ["red", ""], ["fish", "bird"])).data);
  const two = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 2, seed: 1 });
  const { data } = await predict(engine, two, ["red", ""], ["fish", "bird"], { softmax: true });
  assert.deepEqual(await pairScorer(engine, two)([["red", "fish"], ["", "bird"]]), Float32Array.of(data[1]!, data[3]!));
  engine.fill(model.parameters["classifier.out_proj.bias"]!.value, NaN);
  await assert.rejects(predict(engine, model, ["a"], ["b"]), /not a number/);
  engine.close();
});

function near(found: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Math.abs(found[key]! - value) < 2e-7, `${key}: ${found[key]} instead of ${value}`);
  }
}

const one = { data: Float32Array.from(evaluators.one), width: 1, rows: evaluators.one.length };
const many = { data: Float32Array.from(evaluators.many), width: 3, rows: evaluators.many.length / 3 };

Deno.test("correlation and classification of scores equal sentence-transformers' evaluators", () => {
  const correlation = crossEncoderCorrelation(one, evaluators.gold);
  assert.deepEqual(Object.keys(correlation).sort(), Object.keys(evaluators.correlation).sort());
  near(correlation, evaluators.correlation);
  const binary = crossEncoderClassification(one, evaluators.labels);
  assert.deepEqual(Object.keys(binary).sort(), Object.keys(evaluators.binary).sort());
  near(binary, evaluators.binary);
  const classes = crossEncoderClassification(many, evaluators.classes);
  near(classes, evaluators.multiclass);
  assert.equal(classes["accuracy"], classes["f1_micro"]);
});

const samples: RerankingSample[] = evaluators.samples;
const table = new Map(evaluators.scores.map(([query, document, score]: [string, string, number]) => [
  `${query} ${document}`,
  score,
])) as Map<string, number>;
const scorer: PairScorer = (pairs) =>
  Promise.resolve(Float32Array.from(pairs, ([query, document]) => table.get(`${query} ${document}`)!));

Deno.test("reranking equals sentence-transformers' evaluator, with negatives and with what a search found", async () => {
  const withNegatives = samples.map(({ query, positive, documents }) => ({
    query,
    positive,
    negative: documents!.filter((document) => !positive.includes(document)),
  }));
  const cases = {
    negatives: await crossEncoderReranking(withNegatives, scorer),
    documents: await crossEncoderReranking(samples, scorer, { atK: 5 }),
    found: await crossEncoderReranking(samples, scorer, { alwaysRerankPositives: false }),
  };
  for (const [name, metrics] of Object.entries(cases)) {
    assert.deepEqual(Object.keys(metrics).sort(), Object.keys(evaluators[name]).sort());
    near(metrics, evaluators[name]);
  }
});

Deno.test("lists with labels 0 and 1 have the values of sentence-transformers' evaluator, in any order", () => {
  const offsets = [0];
  const [labels, scores]: [number[], number[]] = [[], []];
  for (const { query, positive, documents } of samples) {
    const negative = documents!.filter((document) => !positive.includes(document));
    const listed = [...negative, ...positive];
    listed.forEach((document) => {
      labels.push(Number(positive.includes(document)));
      scores.push(Math.fround(table.get(`${query} ${document}`)!));
    });
    offsets.push(labels.length);
  }
  near(listRanking(offsets, labels, scores), evaluators["negatives"]);
});

Deno.test("graded labels are gains, and half of the highest is relevant unless told otherwise", () => {
  const labels = [0, 4, 1, -1];
  const scores = [0.1, 0.2, 0.9, 0];
  const best = 4 + 1 / Math.log2(3);
  const metrics = listRanking([0, 4], labels, scores);
  near(metrics, { "map": 1 / 2, "mrr@10": 1 / 2, "ndcg@10": (1 + 4 / Math.log2(3)) / best });
  near(listRanking([0, 4], labels, scores, { relevantFrom: 1 }), { ...metrics, "map": 1, "mrr@10": 1 });
  assert.deepEqual(Object.keys(listRanking([0, 4], labels, scores, { atK: 2 })), ["map", "mrr@2", "ndcg@2"]);
  assert.equal(listRanking([0, 2, 4], [1, 0, 0, 0], [1, 0, 1, 0])["map"], 0.5); // nothing is relevant in the second
  const [equal] = [listRanking([0, 4], [1, 0, 0, 0], [0, 0, 0, 0])];
  assert.equal(equal["mrr@10"], 0.25);
  assert.throws(() => listRanking([0], [], []), EvaluationError);
  assert.throws(() => listRanking([0, 2], [1, 0], [1]), EvaluationError);
  assert.throws(() => listRanking([0, 2], [1, 0], [1, NaN]), EvaluationError);
});

Deno.test("a model that gives all documents the same score does not look good", async () => {
  const sample = { query: "q", positive: ["a"], negative: ["b", "c", "d"] };
  const metrics = await crossEncoderReranking([sample], (pairs) => Promise.resolve(new Float32Array(pairs.length)));
  assert.equal(metrics["mrr@10"], 0.25);
  assert.equal(metrics["map"], 0.25);
});

Deno.test("what cannot be evaluated is refused", async () => {
  const two = { data: Float32Array.of(0.1, 0.9), width: 1, rows: 2 };
  assert.throws(() => crossEncoderCorrelation(two, [1]), EvaluationError);
  assert.throws(() => crossEncoderCorrelation(two, [1, 1]), /two different/);
  assert.throws(() => crossEncoderCorrelation(two, [1, NaN]), /not a number/);
  assert.throws(() => crossEncoderCorrelation(many, evaluators.classes), EvaluationError);
  assert.throws(() => crossEncoderClassification(two, [1, 2]), /not one of the classes/);
  assert.throws(() => crossEncoderClassification(two, [1, 1]), /both classes/);
  assert.throws(() => crossEncoderClassification(many, evaluators.classes.map(() => 3)), /not one of the classes/);
  await assert.rejects(crossEncoderReranking([], scorer), EvaluationError);
  await assert.rejects(crossEncoderReranking([{ query: "q", positive: [] }], scorer), EvaluationError);
  const both = { query: "q", positive: [], negative: [], documents: [] };
  await assert.rejects(crossEncoderReranking([both], scorer), EvaluationError);
});
