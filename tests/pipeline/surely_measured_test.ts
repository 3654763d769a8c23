import { Effect } from "effect";
import assert from "node:assert/strict";
import { type Columns, type Dataset, datasetOf } from "../../lib/data/mod.ts";
import { evaluateModel } from "../../lib/pipeline/stages/evaluate.ts";
import { type EvaluationKind, PRIMARY_METRIC, surelyMeasured } from "../../lib/pipeline/stages/evaluate_rows.ts";
import { model, runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

const [one, other] = [["a dog runs", "we sing"], ["the dog runs fast", "they sing a song"]];
const rows: Readonly<Record<"similarity" | "retrieval", Dataset<Columns>>> = {
  similarity: datasetOf({ sentence1: one, sentence2: other, score: Float64Array.of(1, 3) }),
  retrieval: datasetOf({ anchor: one, positive: other }),
};

Deno.test("metrics that are known without measuring are measured, by the names that they have", () =>
  withFolder(async (cacheDir) => {
    for (const kind of ["similarity", "retrieval"] as const) {
      const work = Effect.gen(function* () {
        const base = yield* model(goldenPath("training/model"));
        return yield* valueOf(yield* evaluateModel({ model: base, rows: yield* given(rows[kind]) }, { kind }));
      });
      const { metrics } = await runStages(work, { cacheDir });
      assert.deepEqual(surelyMeasured(kind).toSorted(), Object.keys(metrics).sort());
    }
  }));

Deno.test("the metric that stands for a kind is known of all", () => {
  for (const [kind, name] of Object.entries(PRIMARY_METRIC)) {
    assert.ok(surelyMeasured(kind as EvaluationKind).includes(name), kind);
  }
});
