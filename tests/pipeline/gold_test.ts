import { Effect } from "effect";
import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { augmentationOptions } from "../../lib/pipeline/gold.ts";
import { model, pairModel } from "../../lib/stage/roots.ts";
import { runStages } from "../../lib/stage/run.ts";
import { command } from "../../pipelines/augmented_sbert.ts";
import { withFolder } from "../folder.ts";

Deno.test("the sample's cross-encoder starts from the model that has read pairs, with a model of one's own from that", () =>
  withFolder(async (folder) => {
    const startOf = (flags: Readonly<Record<string, string>>) => {
      const values = { ...command.presets["test"]!, ...flags };
      const options = augmentationOptions({ name: command.name, preset: "test", values, operands: [], args: [] });
      return Effect.map(options, ({ crossEncoder }) => crossEncoder?.key);
    };
    const own = await sampleBaseModel();
    await runStages(
      Effect.gen(function* () {
        const [base, pairs] = [(yield* model(own)).key, (yield* pairModel(undefined)).key];
        assert.notEqual(pairs, base);
        assert.equal(yield* startOf({}), pairs);
        assert.equal(yield* startOf({ model: own }), undefined);
        assert.equal(yield* startOf({ "cross-encoder": own }), base);
        assert.equal(yield* startOf({ model: own, "cross-encoder": own }), base);
      }),
      { cacheDir: folder },
    );
  }));
