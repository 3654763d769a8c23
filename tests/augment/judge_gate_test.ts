import assert from "node:assert/strict";
import { judgeGate, judgeRows, meanOutputs, silverConfidence } from "../../lib/augment/mod.ts";
import { similarClass } from "../../lib/checkpoint/cross_encoder.ts";
import { DatasetError, EvaluationError } from "../../lib/error.ts";

const rows = 100;
const graded = Array.from({ length: rows }, (_, i) => i / rows);
/** The truth with noise that is the same everywhere. */
const noisy = (noise: number) => graded.map((score, i) => score + noise * Math.sin(17 * i));

Deno.test("a judge passes where it orders the gold pairs better than the model's cosine, by more than chance", () => {
  const clear = judgeGate(noisy(0.1), noisy(1), graded);
  assert.ok(clear.passed && clear.judge > 0.9 && clear.base < 0.7 && clear.uncertainty > 0);
  assert.deepEqual(judgeGate(noisy(0.1), noisy(1), graded), clear, "the same draws each time");
  assert.equal(judgeGate(noisy(1), noisy(0.1), graded).passed, false);
  const near = judgeGate(noisy(0.5), noisy(0.501), graded);
  assert.ok(!near.passed && Math.abs(near.judge - near.base) <= near.uncertainty, "a hair's breadth is chance");
  const dumb = judgeGate(graded.map(() => 1), noisy(1), graded);
  assert.deepEqual([dumb.judge, dumb.passed], [0, false]);
});

Deno.test("classes are judged by average precision, and labels that are all alike by nothing", () => {
  const classes = graded.map((score) => score > 0.5 ? 1 : 0);
  const gate = judgeGate(graded, noisy(1), classes);
  assert.deepEqual([gate.metric, gate.passed], ["average_precision", true]);
  assert.ok(Math.abs(gate.judge - 1) < 1e-12);
  assert.throws(() => judgeGate(graded, graded, graded.map(() => 1)), DatasetError);
  assert.throws(() => judgeGate(graded, graded.slice(1), graded), DatasetError);
});

Deno.test("gold pairs that measure a judge: a tenth between 200 and 1,000, a fifth of few, none of very few", () => {
  assert.deepEqual([49, 50, 300, 1000, 5000, 50_000].map(judgeRows), [0, 10, 60, 200, 500, 1000]);
});

Deno.test("scores and labels that are not numbers are refused: a judge beside them would seem the better one", () => {
  assert.throws(() => judgeGate([1, 2, 3], [NaN, 1, 2], [0, .5, 1]), EvaluationError);
  assert.throws(() => judgeGate([NaN, 1, 2], [1, 2, 3], [1, 1, 0]), EvaluationError);
  assert.throws(() => judgeGate([0, 1, 2], [1, 2, 3], [1, NaN, 0]), EvaluationError);
});

Deno.test("two readings of a pair become one, and how far they are apart says how sure the judge is", () => {
  const outputs = { data: Float32Array.of(0.25, 0.75, 0.5, 0.5), width: 2, rows: 2 };
  const turned = { data: Float32Array.of(0.75, 0.25, 0.5, 0.5), width: 2, rows: 2 };
  assert.deepEqual([...meanOutputs(outputs, turned).data], [0.5, 0.5, 0.5, 0.5]);
  assert.deepEqual([...silverConfidence(outputs, turned)], [0.5, 1]);
  assert.deepEqual([...silverConfidence(outputs)], [0.5, 0]);
  assert.throws(() => meanOutputs(outputs, { ...turned, rows: 1 }), DatasetError);
});

Deno.test("the class that means similar is named after entailment, or the second of two", () => {
  const named = (...names: string[]) => ({ id2label: { ...names } });
  assert.equal(similarClass({}, 1), 0);
  assert.equal(similarClass({}, 2), 1);
  assert.equal(similarClass(named("entailment", "not_entailment"), 2), 0);
  assert.equal(similarClass(named("contradiction", "ENTAILMENT", "neutral"), 3), 1);
  assert.equal(similarClass(named("LABEL_0", "LABEL_1", "LABEL_2"), 3), undefined);
});
