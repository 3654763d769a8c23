import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { datasetOf, type DocumentList, rankedDocuments } from "../../lib/data/mod.ts";
import { crossEncoder } from "../../lib/loss/mod.ts";
import { JUDGE_LOSSES, judgeLoss } from "../../lib/pipeline/judge_training.ts";
import { asLists, evaluateCrossEncoder, trainJudge } from "../../lib/pipeline/mod.ts";
import { model, runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

const WORDS = "red green blue fish bird tree runs sings grows".split(" ");
const word = (i: number) => WORDS[i % WORDS.length]!;
const lists: DocumentList[] = Array.from({ length: 12 }, (_, i) => ({
  query: word(i),
  documents: [word(i + 1), word(i), word(i + 4)].slice(0, 2 + i % 2),
  labels: [0, 2, 1].slice(0, 2 + i % 2),
}));
const ranked = rankedDocuments(lists);
const [anchor, positive, negative] = [0, 1, 2].map((step) => Array.from({ length: 12 }, (_, i) => word(i + 3 * step)));
const triplets = datasetOf({ anchor: anchor!, positive: positive!, negative: negative! });
const score = Float64Array.from(anchor!, (_, i) => i % 2);
const scored = datasetOf({ sentence1: anchor!, sentence2: positive!, score });
const label = Int32Array.from(anchor!, (_, i) => i % 3);
const classes = datasetOf({ premise: anchor!, hypothesis: positive!, label });
const margins = datasetOf({ ...triplets.columns, score, score_2: score.map((value) => 1 - value) });

Deno.test("every loss of a cross-encoder trains by its name, and what its rows are is checked by the compiler", () =>
  withFolder(async (cacheDir) => {
    const settings = { maxSteps: 2, batchSize: 4, evalSteps: 1, keepBest: "auto", seed: 1 };
    const { losses } = crossEncoder;
    const work = Effect.gen(function* () {
      const score = yield* model(goldenPath("cross_encoder/bert_score"));
      const three = yield* model(goldenPath("cross_encoder/bert_classes"));
      const all = yield* given(ranked);
      const pairs = yield* given(scored);
      const tuples = yield* given(triplets);
      const taught = yield* given(margins);
      const labelled = yield* given(classes);
      const shared = { model: score, settings };
      // @ts-expect-error: a loss over lists wants lists
      const _wrong = () => trainJudge({ ...shared, data: pairs, loss: losses.lambda() });
      const anyLists = yield* asLists(tuples);
      const runs = [
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.lambda({ k: 1, weighting: "lambda_rank" }) }),
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.rankNet() }),
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.listNet() }),
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.listMle() }),
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.positionListMle() }),
        yield* trainJudge({ ...shared, data: all, eval: all, loss: losses.adrMse() }),
        yield* trainJudge({ ...shared, data: pairs, eval: pairs, loss: losses.binaryCrossEntropy() }),
        yield* trainJudge({ ...shared, data: pairs, eval: pairs, loss: losses.mse() }),
        yield* trainJudge({ ...shared, data: tuples, eval: anyLists, loss: losses.multipleNegativesRanking() }),
        yield* trainJudge({ ...shared, data: taught, eval: anyLists, loss: losses.marginMse() }),
        yield* trainJudge({ ...shared, model: three, data: labelled, eval: labelled, loss: losses.crossEntropy() }),
      ];
      const records = [];
      for (const run of runs) records.push((yield* valueOf(run)).record);
      const metrics = yield* valueOf(yield* evaluateCrossEncoder({ model: runs[0]!, pairs: all }, { relevantFrom: 1 }));
      return { records, metrics };
    });
    const { records, metrics } = await runStages(work, { cacheDir });
    for (const { steps, log, evaluations, best } of records) {
      assert.equal(steps, 2);
      assert.ok(log.every(({ loss }) => Number.isFinite(loss) && loss !== 0));
      assert.ok(evaluations.length === 2 && best !== undefined);
    }
    assert.deepEqual(Object.keys(metrics), ["map", "mrr@10", "ndcg@10"]);
    assert.deepEqual(Object.keys(records[0]!.evaluations[0]![1]), ["map", "mrr@10", "ndcg@10"]);
  }));

Deno.test("columns that a loss would ignore, or misses, are refused", () =>
  withFolder(async (cacheDir) => {
    const { losses } = crossEncoder;
    const wrong: readonly [RegExp, { readonly columns: unknown }, { readonly name: string }][] = [
      [/would ignore score/, margins, losses.multipleNegativesRanking()],
      [/does not fit the data.*a score/s, triplets, losses.marginMse()],
      [/does not fit the data.*relevance/s, scored, losses.listNet()],
      [/0 … 1.*highest grade/s, { ...scored, columns: { ...scored.columns, score: score.map((value) => 5 * value) } }, {
        ...losses.binaryCrossEntropy(),
      }],
      [/different relevance/, {
        ...ranked,
        columns: { ...ranked.columns, relevance: ranked.columns.relevance.map(() => 1) },
      }, {
        ...losses.rankNet(),
      }],
    ];
    for (const [message, data, loss] of wrong) {
      const work = Effect.gen(function* () {
        const base = yield* model(goldenPath("cross_encoder/bert_score"));
        const rows = yield* given(data as typeof ranked);
        return yield* trainJudge({
          model: base,
          data: rows,
          loss: loss as ReturnType<typeof losses.listNet>,
          settings: {},
        });
      });
      await assert.rejects(runStages(work, { cacheDir: join(cacheDir, loss.name) }), (error: Error) => {
        const { summary, expected, found, hint } = error as unknown as Record<string, unknown>;
        assert.match(`${summary} ${expected} ${found} ${hint}`, message);
        return true;
      });
    }
  }));

Deno.test("pairs become lists of a positive, its negatives, or the positives of others", () =>
  withFolder(async (cacheDir) => {
    const pairs = datasetOf({ anchor: ["a", "a", "b", "c"], positive: ["x", "y", "z", "z"] });
    const tuples = datasetOf({ anchor: ["a"], positive: ["x"], negative: ["y"], negative_2: ["w"] });
    const work = Effect.gen(function* () {
      const [one, two] = [yield* asLists(yield* given(pairs)), yield* asLists(yield* given(tuples))];
      return [(yield* valueOf(one)).columns, (yield* valueOf(two)).columns] as const;
    });
    const [one, two] = await runStages(work, { cacheDir });
    assert.deepEqual(one.document, ["x", "z", "y", "z", "z", "x", "y", "z", "x", "y"]); // y is no negative of a
    assert.deepEqual([...one.list], [0, 0, 1, 1, 2, 2, 2, 3, 3, 3]);
    assert.deepEqual([two.document, [...two.relevance]], [["x", "y", "w"], [1, 0, 0]]);
  }));

Deno.test("losses and their options are read from the command line", () => {
  const read = (values: object, args: string[] = []) => judgeLoss({ values, args });
  assert.deepEqual(read({ head: "classes" }), { name: "cross_entropy" });
  assert.deepEqual(read({ head: "score", "loss-options": "positive-weight=2" }), {
    name: "binary_cross_entropy",
    options: { positiveWeight: 2 },
  });
  const options = { weighting: "lambda_rank", k: 10 };
  for (const given of ["weighting=lambda-rank,k=10", JSON.stringify(options)]) {
    assert.deepEqual(read({ loss: "lambda", "loss-options": given }), { name: "lambda", options });
  }
  assert.deepEqual(read({ loss: "list-mle", "loss-options": "respect-input-order=true" }).options, {
    respectInputOrder: true,
  });
  assert.throws(() => read({ loss: "mse", "loss-options": "k=10" }), /no option k/);
  assert.throws(() => read({ loss: "lambda", "loss-options": "weighting=ndcg" }), /cannot be used/);
  for (const given of ["weighting", "a=b=c", "{k: 10}", "=3"]) {
    assert.throws(() => read({ loss: "lambda", "loss-options": given }), /cannot be read/);
  }
  assert.throws(() => read({ loss: "mse", head: "classes" }, ["--head", "classes"]), /leave --head|says what/);
  assert.equal(JUDGE_LOSSES.length, Object.keys(crossEncoder.losses).length);
});
