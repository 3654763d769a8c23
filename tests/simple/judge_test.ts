import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleLists, sampleNli } from "../../lib/data/sample/mod.ts";
import { documentLists } from "../../lib/data/lists.ts";
import { crossEncoder } from "../../lib/loss/mod.ts";
import { trainCrossEncoder } from "../../lib/simple/mod.ts";
import { withFolder } from "../folder.ts";

Deno.test("trainCrossEncoder() learns from lists, from pairs with a score, and from pairs alone", () =>
  withFolder(async (folder) => {
    const shared = {
      model: await sampleBaseModel(),
      maxSteps: 2,
      batchSize: 4,
      cacheDir: join(folder, "cache"),
      output: join(folder, "model"),
    };
    const lists = documentLists(sampleLists({ rows: 22 }));
    const ranked = await trainCrossEncoder({
      ...shared,
      lists,
      loss: crossEncoder.losses.positionListMle(),
      relevantFrom: 4,
      keepBest: "auto",
    });
    assert.deepEqual(Object.keys(ranked.metrics), ["map", "mrr@10", "ndcg@10"]);
    assert.ok(ranked.baseline["jaccard"]! > 0 && ranked.best !== undefined && ranked.evaluations.length === 2);
    const card = await Deno.readTextFile(join(folder, "model", "README.md"));
    assert.match(card, /position_list_mle/);
    assert.match(card, /20 lists of \d+ documents/);

    const { premise, hypothesis, label } = sampleNli({ rows: 30 }).columns;
    const score = label.map((each) => Number(each === 0));
    const scored = await trainCrossEncoder({ ...shared, sentence1: premise, sentence2: hypothesis, score, holdOut: 9 });
    assert.ok(scored.metrics["average_precision"]! > 0);
    const pairs = await trainCrossEncoder({ ...shared, anchor: premise, positive: hypothesis, holdOut: 9 });
    assert.ok(pairs.metrics["ndcg@10"]! > 0);
    const none = await trainCrossEncoder({ ...shared, lists: lists.slice(0, 3), holdOut: 0 });
    assert.match(none.warnings.join(), /no lists were held out/);
    assert.deepEqual(none.metrics, {});
  }));

Deno.test("trainCrossEncoder() names what is wrong with lists", async () => {
  const shared = { model: "m", output: "nowhere" };
  const wrong: readonly [RegExp, unknown][] = [
    [/lists\[0\]/, [{ query: "a", documents: ["b"], labels: [1], label: 1 }]],
    [/documents must be a list of texts/, [{ query: "a", documents: [3], labels: [1] }]],
    [/labels must be a list of numbers/, [{ query: "a", documents: ["b"], labels: ["x"] }]],
    [/wants documents, and a label for each/, [{ query: "a", documents: ["b"], labels: [] }]],
  ];
  for (const [message, lists] of wrong) {
    await assert.rejects(trainCrossEncoder({ ...shared, lists: lists as [] }), (error: Error & { where?: string }) => {
      assert.match(`${error.message} ${error.where}`, message);
      return true;
    });
  }
});
