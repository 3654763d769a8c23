import assert from "node:assert/strict";
import type { Embeddings } from "../../lib/embed/pairwise.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError, EvaluationError, UsageError } from "../../lib/error.ts";
import {
  averagePrecision,
  binaryMetrics,
  bootstrapIntervals,
  classAccuracy,
  correlationsOf,
  crossEncoderClassification,
  crossEncoderCorrelation,
  crossEncoderReranking,
  evaluateParaphraseMining,
  evaluateRetrieval,
  evaluateTranslation,
  f1Score,
  listRanking,
  majorityAccuracy,
  paraphrases,
  resampledAveragePrecision,
  resampledCorrelations,
  resampledMeans,
  silhouette,
  similarityMetrics,
  thresholdsOf,
  tripletCounter,
  tripletMetrics,
} from "../../lib/evaluate/mod.ts";

const of = (width: number, ...data: number[]): Embeddings => ({
  data: Float32Array.from(data),
  width,
  rows: data.length / width,
});
const alike = (values: number[]) => ({ cosine: values, dot: values, euclidean: values, manhattan: values });

const two = of(2, 1, 0, 0, 1);
const three = of(2, 1, 0, 0, 1, 1, 1);
const wide = of(3, 1, 0, 0, 0, 1, 0);
const broken = of(2, NaN, 0, 0, 1);

const refused: Record<
  string,
  readonly [typeof DatasetError | typeof EvaluationError | typeof UsageError, () => unknown]
> = {
  "similarity of embeddings that are not finite": [DatasetError, () => similarityMetrics(broken, two, [1, 2])],
  "a gold similarity that is not finite": [EvaluationError, () => similarityMetrics(two, of(2, 1, 1, 1, 2), [1, NaN])],
  "gold similarities that are texts": [
    EvaluationError,
    () => similarityMetrics(two, two, ["1", "2"] as unknown as number[]),
  ],
  "similarities that are fewer than gold ones": [EvaluationError, () => correlationsOf(alike([1, 2]), [1, 2, 3])],
  "a similarity that is not finite": [EvaluationError, () => correlationsOf(alike([1, NaN, 3]), [1, 2, 3])],
  "pairs of more second embeddings": [DatasetError, () => binaryMetrics(two, three, [1, 0])],
  "pairs of fewer second embeddings": [DatasetError, () => binaryMetrics(three, two, [1, 0, 1])],
  "pairs of two widths": [DatasetError, () => binaryMetrics(two, wide, [1, 0])],
  "classes beyond 0 and 1": [EvaluationError, () => thresholdsOf(alike([.9, .1, .3]), [1, -1, 2])],
  "classes between 0 and 1": [EvaluationError, () => thresholdsOf(alike([.9, .1, .3]), [1, 0, .5])],
  "thresholds of what is not a number": [EvaluationError, () => thresholdsOf(alike([.9, NaN, .2]), [1, 0, 1])],
  "triplets of other rows": [DatasetError, () => tripletMetrics(three, three, two)],
  "triplets of two widths": [DatasetError, () => tripletMetrics(two, two, wide)],
  "triplets that are not finite": [DatasetError, () => tripletMetrics(two, broken, two)],
  "no triplets": [EvaluationError, () => tripletCounter().metrics()],
  "fewer negatives than positives": [EvaluationError, () => tripletCounter().add(alike([1, 2]), alike([1]))],
  "a margin that is a text": [UsageError, () => tripletCounter({ margin: "0.1" as unknown as number })],
  "average precision of what is not a number": [EvaluationError, () => averagePrecision([1, 0], [NaN, 1])],
  "an average that there is not": [UsageError, () => f1Score([1, 0], [1, 0], "makro" as "macro")],
  "the most frequent of no labels": [EvaluationError, () => majorityAccuracy(new Int32Array(0))],
  "a silhouette that is not finite": [EvaluationError, () => silhouette(of(1, NaN, 1, 2), Int32Array.of(0, 0, 1))],
  "a cross-encoder's score that is not a number": [
    EvaluationError,
    () => crossEncoderCorrelation({ data: Float32Array.of(1, NaN, 3), width: 1, rows: 3 }, [1, 2, 3]),
  ],
  "a cross-encoder's class that is not a number": [
    EvaluationError,
    () => crossEncoderClassification({ data: Float32Array.of(1, NaN, NaN, 3), width: 2, rows: 2 }, [1, 0]),
  ],
  "lists beyond the documents": [EvaluationError, () => listRanking([0, 5], [1, 0], [1, 2])],
  "lists without the last document": [EvaluationError, () => listRanking([0, 1], [1, 0], [1, 2])],
  "lists to no depth": [UsageError, () => listRanking([0, 2], [1, 0], [1, 2], { atK: 0 })],
  "a classifier of another width": [
    EvaluationError,
    () =>
      classAccuracy(two, wide, [0, 1], {
        weight: new Float32Array(12),
        bias: new Float32Array(2),
        multiplication: false,
      }),
  ],
  "paraphrases without their second text": [EvaluationError, () => paraphrases(["a", "b"], ["c"])],
  "an interval of 95 instead of 0.95": [
    UsageError,
    () => bootstrapIntervals(resampledMeans([{ accuracy: Float64Array.of(0, 1) }]), { level: 95 }),
  ],
  "draws of fewer similarities than scores": [
    EvaluationError,
    () => resampledCorrelations({ cosine: [1, 2] }, [1, 2, 3]),
  ],
  "draws of what is not a number": [EvaluationError, () => resampledAveragePrecision({ cosine: [1, NaN] }, [1, 0])],
};

for (const [name, [kind, run]] of Object.entries(refused)) {
  Deno.test(`${name}: refused, and not evaluated`, () => assert.throws(run, kind));
}

Deno.test("searches, lists and scorers that do not fit their texts are refused, and not evaluated", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const sample = [{ query: "q", positive: ["a"], negative: ["b"] }];
  try {
    await assert.rejects(
      evaluateTranslation(engine, { texts: ["a", "b"], embeddings: three }, { texts: ["c", "d"], embeddings: two }),
      EvaluationError,
    );
    for (const pair of [[0, 9], [1, 1], [-1, 1], [0, .5]] as const) {
      await assert.rejects(evaluateParaphraseMining(engine, three, [pair]), EvaluationError);
    }
    await assert.rejects(evaluateParaphraseMining(engine, three, [[0, 1]], { maxPairs: NaN }), UsageError);
    const nothing = { accuracyAt: [], precisionRecallAt: [], ndcgAt: [], mrrAt: [], mapAt: [] };
    await assert.rejects(evaluateRetrieval(engine, two, three, [[0], [1]], nothing), UsageError);
    const scores = (...values: number[]) => () => Promise.resolve(Float32Array.from(values));
    await assert.rejects(crossEncoderReranking(sample, scores(1, 2, 3)), EvaluationError);
    await assert.rejects(crossEncoderReranking(sample, scores(1, 2), { atK: NaN }), UsageError);
  } finally {
    engine.close();
  }
});

Deno.test("a draw that does not name a metric does not count for it", () => {
  let draw = 0;
  const sometimes = { counts: [3], unit: "row", metrics: (): Record<string, number> => draw++ % 2 ? {} : { mrr: 5 } };
  assert.deepEqual(bootstrapIntervals(sometimes, { resamples: 10 }), { mrr: { low: 5, high: 5 } });
});
