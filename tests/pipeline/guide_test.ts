import { Effect } from "effect";
import assert from "node:assert/strict";
import { datasetOf } from "../../lib/data/mod.ts";
import { type KindredError, UsageError } from "../../lib/error.ts";
import { losses } from "../../lib/loss/mod.ts";
import { trainBiEncoder, trainStudent } from "../../lib/pipeline/mod.ts";
import { model, runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

const WORDS = "red green blue fish bird tree runs sings grows".split(" ");
const word = (i: number) => WORDS[i % WORDS.length]!;
const [anchor, positive, negative] = [0, 1, 2].map((step) => Array.from({ length: 9 }, (_, i) => word(i + 3 * step)));
const score = Float64Array.from(anchor!, (_, i) => i % 2);
const texts = datasetOf({ text: anchor! });
const triplets = datasetOf({ anchor: anchor!, positive: positive!, negative: negative! });
const margins = datasetOf({ ...triplets.columns, score, score_2: score.map((value) => 1 - value) });
const settings = { maxSteps: 20, batchSize: 4, loggingSteps: 5, learningRate: 1e-2, warmupSteps: 0, seed: 1 };

/** The error of what must fail. */
const failure = <A, R>(effect: Effect.Effect<A, KindredError, R>) =>
  Effect.match(effect, { onFailure: (error) => error, onSuccess: () => undefined });

Deno.test("losses that learn from another model train, from its embeddings or its scores", () =>
  withFolder(async (cacheDir) => {
    const work = Effect.gen(function* () {
      const student = yield* model(goldenPath("training/model"));
      const teacher = yield* model(goldenPath("folders/static"));
      const shared = { model: student, settings };
      const [rows, tuples, taught] = [yield* given(texts), yield* given(triplets), yield* given(margins)];
      const narrow = yield* model(goldenPath("distillation/bert"));
      const runs = [
        yield* trainStudent({ teacher: student, student, texts: rows }, { settings }),
        yield* trainStudent({ teacher, student, texts: rows }, { settings }),
        yield* trainStudent(
          { teacher: narrow, student, texts: tuples },
          { settings, distance: { projection: 16, target: "first", distance: "cosine" } },
        ),
        yield* trainBiEncoder({ ...shared, data: tuples, loss: losses.gistEmbed({ margin: 0.05 }), guide: teacher }),
        yield* trainBiEncoder({ ...shared, data: taught, loss: losses.marginMse() }),
        yield* trainBiEncoder({ ...shared, data: taught, loss: losses.distillKlDiv() }),
      ];
      const records = [];
      for (const run of runs) records.push((yield* valueOf(run)).record);
      const wrong = [
        yield* failure(trainBiEncoder({ ...shared, data: tuples, loss: losses.gistEmbed() })),
        yield* failure(
          trainBiEncoder({ ...shared, data: tuples, loss: losses.multipleNegativesRanking(), guide: teacher }),
        ),
        yield* failure(trainStudent({ teacher: narrow, student, texts: rows }, { settings })),
      ];
      return { records, wrong };
    });
    const { records: [self, ...records], wrong: [none, idle, narrow] } = await runStages(work, { cacheDir });
    for (const { log } of records) {
      assert.ok(log.length === 4 && log.every(({ loss }) => Number.isFinite(loss)));
      assert.ok(log.at(-1)!.loss < log[0]!.loss, `${log.map(({ loss }) => loss)}`);
    }
    // A student that is its own teacher has nothing to learn.
    assert.ok(self!.log[0]!.loss < 1e-3 * records[0]!.log[0]!.loss, `${self!.log[0]!.loss}`);
    assert.ok(none instanceof UsageError && /learns from another model/.test(none.message));
    assert.ok(idle instanceof UsageError && /from no other model/.test(idle.message));
    assert.match(narrow!.message, /not as wide/);
  }));
