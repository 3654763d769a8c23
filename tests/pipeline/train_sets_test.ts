import { Effect } from "effect";
import assert from "node:assert/strict";
import { datasetOf } from "../../lib/data/mod.ts";
import { losses } from "../../lib/loss/mod.ts";
import { MEAN_OF_SETS, trainOnSets } from "../../lib/pipeline/mod.ts";
import { model, runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("mixed_training.json"))).sets;
const pairs = datasetOf<{ anchor: readonly string[]; positive: readonly string[] }>(golden.pairs);
const graded = datasetOf({ ...golden.graded as Scored, score: Float64Array.from(golden.graded.score as number[]) });
const nli = datasetOf({ ...golden.nli as Labelled, label: Int32Array.from(golden.nli.label as number[]) });
type Scored = { sentence1: readonly string[]; sentence2: readonly string[] };
type Labelled = { premise: readonly string[]; hypothesis: readonly string[] };
const settings = { epochs: 4, batchSize: 4, learningRate: 1e-3, loggingSteps: 5, seed: 1 };

Deno.test("trainOnSets() is one stage over typed sets: a guide of one, a best checkpoint by the mean, cached", () =>
  withFolder(async (cacheDir) => {
    const work = Effect.gen(function* () {
      const base = yield* model(goldenPath("training/model"));
      const teacher = yield* model(goldenPath("folders/static"));
      const [qa, sts, classes] = [yield* given(pairs), yield* given(graded), yield* given(nli)];
      const train = (weight: number) =>
        trainOnSets({
          model: base,
          sets: [
            {
              name: "guided",
              data: qa,
              loss: losses.gistEmbed(),
              guide: teacher,
              eval: qa,
              evaluation: { kind: "retrieval" },
            },
            { name: "sts", data: sts, loss: losses.cosent(), weight, eval: sts },
            { name: "nli", data: classes, loss: losses.softmax(), eval: classes, evaluation: { kind: "classes" } },
          ],
          settings: { ...settings, keepBest: "auto", evalSteps: 10 },
        });
      const [first, again, other] = [yield* train(1), yield* train(1), yield* train(2)];
      // @ts-expect-error: rows without a score do not fit a loss over scores
      const wrong = trainOnSets({ model: base, sets: [{ name: "a", data: qa, loss: losses.cosent() }], settings });
      const message = yield* Effect.match(wrong, { onFailure: ({ message }) => message, onSuccess: () => "" });
      return { first, again, other, message, record: (yield* valueOf(first)).record };
    });
    const { first, again, other, message, record } = await runStages(work, { cacheDir });
    assert.equal(first.key, again.key);
    assert.notEqual(first.key, other.key);
    assert.match(message, /cosent does not fit the data[^]*data set a/);
    const { evaluations, sets, best } = record;
    const [, values] = evaluations[0]!;
    const three = ["guided_cosine_ndcg@10", "sts_spearman_cosine", "nli_accuracy"].map((key) => values[key]!);
    assert.ok(Math.abs(values[MEAN_OF_SETS]! - three.reduce((a, b) => a + b) / 3) < 1e-12);
    assert.equal(best!.value, Math.max(...evaluations.map(([, metrics]) => metrics[MEAN_OF_SETS]!)));
    assert.deepEqual([sets!["guided"]!.batches, sets!["sts"]!.batches, sets!["nli"]!.batches], [12, 12, 16]);
  }));
