import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleGraded, sampleNli } from "../../lib/data/sample/mod.ts";
import { losses } from "../../lib/loss/mod.ts";
import { encode, finetune, type FinetuneSet } from "../../lib/simple/mod.ts";
import { withFolder } from "../folder.ts";

const nli = sampleNli({ rows: 120 }).columns;
const graded = sampleGraded({ rows: 80 }).columns;
const qa: FinetuneSet = { name: "qa", anchor: nli.premise, positive: nli.hypothesis, prompts: { anchor: "find: " } };
const sts: FinetuneSet = {
  name: "sts",
  sentence1: graded.sentence1,
  sentence2: graded.sentence2,
  score: graded.score,
  loss: losses.cosent(),
  weight: 2,
  batchSize: 16,
};
const topics: FinetuneSet = {
  name: "topics",
  text: nli.premise,
  label: nli.premise.map((text) => text.length % 2 ? "odd" : "even"),
  holdOut: 0.2,
};

Deno.test("finetune() takes several data sets, each under its loss, and measures each", () =>
  withFolder(async (folder) => {
    const common = { model: await sampleBaseModel(), output: join(folder, "model"), cacheDir: join(folder, "cache") };
    const { sets, before, metrics, warnings, log } = await finetune({
      ...common,
      datasets: [qa, sts, topics],
      mixing: "temperature",
      maxSteps: 12,
      loggingSteps: 4,
    });
    assert.deepEqual(Object.keys(sets!).sort(), ["qa", "sts", "topics"]);
    assert.equal(Object.values(sets!).reduce((sum, { batches }) => sum + batches, 0), 12);
    for (const key of ["qa_cosine_ndcg@10", "sts_spearman_cosine", "topics_knn_accuracy_cosine"]) {
      assert.ok(before[key] !== undefined && metrics[key] !== undefined, key);
    }
    assert.equal(log.length, 3);
    assert.ok(log.every(({ losses }) => Object.keys(losses!).length > 0));
    // The texts of topics are the premises of qa: held out of one, trained on in the other.
    assert.match(warnings.join("\n"), /topics: .*in the training data of qa/);
    const card = await Deno.readTextFile(join(common.output, "README.md"));
    assert.match(card, /on 3 data sets: qa \(\d+ rows, `multiple_negatives_ranking`/);
    assert.match(card, /sts_spearman_cosine/);
    assert.equal((await encode(common.output, ["a boy"], { promptName: "query" })).rows, 1);
    const refused = (datasets: readonly FinetuneSet[], more = {}) => finetune({ ...common, datasets, ...more });
    await assert.rejects(refused([qa, { ...sts, name: "qa" }]), /same name/);
    await assert.rejects(refused([qa, { ...sts, weight: -1 }]), /weight must be a number above 0/);
    await assert.rejects(refused([qa, { ...sts, batchSize: 100 }]), /sts has fewer rows than a batch/);
    await assert.rejects(refused([qa, sts], { temperature: 2 }), /a temperature is for/);
    await assert.rejects(refused([qa, { ...sts, score: [1] } as FinetuneSet]), /data set sts/);
    // @ts-expect-error: a loss over scores does not fit pairs
    await assert.rejects(refused([{ ...qa, loss: losses.cosent() }]), /data set qa/);
    await assert.rejects(refused([]), /no data set/);
  }));
