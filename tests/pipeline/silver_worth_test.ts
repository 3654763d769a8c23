import { Effect } from "effect";
import assert from "node:assert/strict";
import { sampleGraded } from "../../lib/data/sample/mod.ts";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { worthOfSilver } from "../../lib/pipeline/silver_worth.ts";
import type { TrainedModel } from "../../lib/stage/artifact.ts";
import { model, pairModel } from "../../lib/stage/roots.ts";
import { given, runStages } from "../../lib/stage/run.ts";
import type { Artifact } from "../../lib/stage/stage.ts";
import { withFolder } from "../folder.ts";

Deno.test("silver pairs are kept where they add more than chance; else the better of gold alone, and the first of a tie", () =>
  withFolder(async (cacheDir) => {
    const work = Effect.gen(function* () {
      const held = yield* given(sampleGraded({ rows: 200 }));
      const models = [yield* model(yield* Effect.promise(() => sampleBaseModel())), yield* pairModel(undefined)];
      const [one, two] = models as unknown as Artifact<TrainedModel>[];
      const ask = (silver: typeof one, alone: typeof one, steps: typeof one) =>
        worthOfSilver({ "silver": silver!, "gold alone": alone!, "gold alone, equal steps": steps! }, held);
      return [
        yield* ask(one, two, two),
        yield* ask(two, one, one),
        yield* ask(two, two, one),
        yield* ask(one, one, one),
      ];
    });
    const [first, turned, steps, tie] = await runStages(work, { cacheDir });
    const [low, high] = first!.models.map(({ value }) => value).toSorted((a, b) => a - b).filter((_, i) => i !== 1);
    assert.ok(low! < high!, "the two models differ");
    const isFirst = first!.models.at(-1)!.value === high;
    assert.ok(Math.abs(first!.models[0]!.difference) > first!.models[0]!.uncertainty, "by more than chance");
    assert.equal(first!.kept, isFirst ? "silver" : "gold alone");
    assert.equal(turned!.kept, isFirst ? "gold alone" : "silver");
    assert.equal(steps!.kept, isFirst ? "gold alone, equal steps" : "gold alone");
    assert.deepEqual([tie!.kept, tie!.rows, tie!.metric], ["gold alone", 200, "spearman"]);
    const [alone] = turned!.models;
    assert.ok(Math.abs(alone!.difference - (turned!.models.at(-1)!.value - alone!.value)) < 1e-12);
    assert.ok(alone!.uncertainty > 0 && tie!.models.every(({ uncertainty }) => uncertainty === 0));
  }));
