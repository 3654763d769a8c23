import assert from "node:assert/strict";
import {
  bootstrapIntervals,
  pairedDifferences,
  resampledAveragePrecision,
  resampledCorrelations,
  resampledMeans,
} from "../../lib/evaluate/bootstrap.ts";
import { pairwiseSimilarities, rowsOf } from "../../lib/embed/pairwise.ts";
import { thresholdsOf } from "../../lib/evaluate/binary.ts";
import { listRanking } from "../../lib/evaluate/cross_encoder_metrics.ts";
import { classAccuracy } from "../../lib/evaluate/pair_classes.ts";
import { evaluateParaphraseMining } from "../../lib/evaluate/paraphrase_mining.ts";
import { evaluateMse, evaluateTranslation } from "../../lib/evaluate/translation.ts";
import { pearson, spearman } from "../../lib/numeric/correlation.ts";
import { engines } from "../engine/engines.ts";
import golden from "../golden/more_evaluators.json" with { type: "json" };

const { width, pairs } = golden;
const [a, b] = [golden.a, golden.b].map((values) => ({
  data: Float32Array.from(values),
  width,
  rows: values.length / width,
})) as [Table, Table];
type Table = { readonly data: Float32Array<ArrayBuffer>; readonly width: number; readonly rows: number };

function near(found: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort());
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(
      Math.abs(found[key]! - value) < 1e-6 * Math.max(1, Math.abs(value)),
      `${key}: ${found[key]}, not ${value}`,
    );
  }
}

for (const { name, create } of engines) {
  Deno.test(`${name}: mining, translation, error and labels have sentence-transformers' keys and values`, async () => {
    const engine = await create();
    const mine = (options: object) => evaluateParaphraseMining(engine, a, pairs as [number, number][], options);
    near(await mine({}), golden.mining.all);
    near(await mine({ topK: 3, maxPairs: 60 }), golden.mining.few);
    near(await mine({ transitive: true }), golden.mining.closure);
    await assert.rejects(() => evaluateParaphraseMining(engine, a, []), /mean the same/);
    const source = { texts: golden.target.map((_, i) => `a${i}`), embeddings: a };
    const { metrics } = await evaluateTranslation(engine, source, { texts: golden.target, embeddings: b });
    near(metrics, golden.translation);
    near(evaluateMse(a, b).metrics, golden.mse);
    const offsets = [0];
    const [queries, documents, relevance]: [number[], number[], number[]] = [[], [], []];
    for (const [query, count, right] of golden.lists as [number, number, number][]) {
      offsets.push(offsets.at(-1)! + count);
      for (let place = 0; place < count; place++) {
        queries.push(query);
        documents.push((query + place) % b.rows);
        relevance.push(Number(place < Math.min(right, count - 1)));
      }
    }
    const { cosine } = pairwiseSimilarities(rowsOf(a, Int32Array.from(queries)), rowsOf(b, Int32Array.from(documents)));
    for (const atK of [3, 10] as const) {
      near(listRanking(offsets, relevance, cosine, { atK }), golden.reranking[`${atK}`]);
    }
    const classifier = {
      weight: Float32Array.from(golden.weight),
      bias: Float32Array.from(golden.bias),
      multiplication: false,
    };
    near(classAccuracy(a, b, golden.labels, classifier), golden.accuracy);
    engine.close();
  });
}

Deno.test("intervals are repeatable, of the width that theory gives, and differences are paired", () => {
  const rows = 400;
  const scores = Float64Array.from({ length: rows }, (_, row) => row);
  const noisy = (noise: number) => scores.map((score, row) => score + noise * Math.sin(row * 12.9898) * rows);
  const of = (noise: number) => resampledCorrelations({ cosine: noisy(noise) }, scores);
  const everyRow = Int32Array.from({ length: rows }, (_, row) => row);
  const whole = of(.5).metrics([everyRow]);
  assert.ok(Math.abs(whole["pearson_cosine"]! - pearson(noisy(.5), scores)) < 1e-12);
  assert.ok(Math.abs(whole["spearman_cosine"]! - spearman(noisy(.5), scores)) < 1e-12);
  const intervals = bootstrapIntervals(of(.5));
  assert.deepEqual(intervals, bootstrapIntervals(of(.5)));
  const { low, high } = intervals["pearson_cosine"]!;
  assert.ok(low < whole["pearson_cosine"]! && whole["pearson_cosine"]! < high);
  const similarities = pairwiseSimilarities(a, b);
  const isSame = Float64Array.from(golden.labels, (label) => Number(label === 1));
  const { cosine_ap, manhattan_ap } = thresholdsOf(similarities, isSame);
  const precisions = resampledAveragePrecision(similarities, isSame).metrics([everyRow.slice(0, a.rows)]);
  assert.ok(Math.abs(precisions["cosine_ap"]! - cosine_ap!) < 1e-12);
  assert.ok(Math.abs(precisions["manhattan_ap"]! - manhattan_ap!) < 1e-12);
  // Of a mean of coin tosses: ±1.96 σ/√n.
  const tosses = Float64Array.from({ length: rows }, (_, row) => row % 2);
  const { accuracy } = bootstrapIntervals(resampledMeans([{ accuracy: tosses }]), { resamples: 4000 });
  const half = 1.96 * .5 / Math.sqrt(rows);
  assert.ok(Math.abs(accuracy!.high - .5 - half) < .006 && Math.abs(.5 - accuracy!.low - half) < .006);
  // Two models: the difference is that of the metrics, and its interval leaves 0 out.
  const { pearson_cosine: difference } = pairedDifferences(of(.5), of(1));
  assert.ok(Math.abs(difference!.difference - (pearson(noisy(.5), scores) - pearson(noisy(1), scores))) < 1e-12);
  assert.ok(
    difference!.low > 0 && difference!.low < difference!.difference && difference!.difference < difference!.high,
  );
  assert.throws(() => pairedDifferences(of(.5), resampledMeans([{ accuracy: tosses.slice(1) }])), /same rows/);
  // Sets are drawn from on their own, and their mean has a name.
  const sets = resampledMeans([{ mrr: Float64Array.of(1) }, { mrr: Float64Array.of(0, 0) }], {
    names: ["A", "B"],
    mean: "NanoBEIR_mean",
  });
  assert.deepEqual(sets.metrics([Int32Array.of(0), Int32Array.of(1, 1)]), {
    A_mrr: 1,
    B_mrr: 0,
    NanoBEIR_mean_mrr: .5,
  });
});
