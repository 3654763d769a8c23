import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleNli } from "../../lib/data/sample/mod.ts";
import { summary } from "../../lib/pipeline/report.ts";
import { readTable } from "../../lib/data/table.ts";
import { evaluationLines } from "../../lib/pipeline/intervals.ts";
import { command as evaluation } from "../../pipelines/evaluate.ts";
import { command } from "../../pipelines/multiple_negatives_ranking.ts";
import { commit, contents, withHub } from "../hub/server.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

const WORDS = ["boy", "girl", "dog", "cat", "king", "queen"];

/** Pairs to train on, a corpus in BEIR's layout, and two sets in that of NanoBEIR. */
async function writeData(folder: string): Promise<{ train: string; beir: string; nano: string }> {
  const { columns: { premise, hypothesis, label } } = sampleNli({ rows: 200 });
  const pairs = premise.flatMap((text, row) =>
    label[row] === 0 ? [JSON.stringify({ anchor: text, positive: hypothesis[row] })] : []
  );
  const train = join(folder, "train.jsonl");
  await Deno.writeTextFile(train, pairs.join("\n") + "\n");
  const documents = WORDS.flatMap((a) => WORDS.map((b) => ({ _id: `${a}-${b}`, text: `the ${a} sees the ${b}` })));
  const queries = WORDS.map((a) => ({ _id: a, text: `who sees the ${a}` }));
  const qrels = WORDS.flatMap((a) => WORDS.map((b) => ({ "query-id": b, "corpus-id": `${a}-${b}`, score: 1 })));
  const lines = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).join("\n") + "\n";
  const [beir, nano] = [join(folder, "beir"), join(folder, "nano")];
  for (const part of ["corpus", "queries", "qrels"]) await Deno.mkdir(join(nano, part), { recursive: true });
  await Deno.mkdir(join(beir, "qrels"), { recursive: true });
  for (const name of ["NanoNQ", "NanoSciFact"]) {
    await Deno.writeTextFile(join(nano, `corpus/${name}.jsonl`), lines(documents));
    await Deno.writeTextFile(join(nano, `queries/${name}.jsonl`), lines(queries));
    await Deno.writeTextFile(join(nano, `qrels/${name}.jsonl`), lines(name === "NanoNQ" ? qrels : qrels.slice(0, 12)));
  }
  await Deno.writeTextFile(join(beir, "corpus.jsonl"), lines(documents));
  await Deno.writeTextFile(join(beir, "queries.jsonl"), lines(queries));
  await Deno.writeTextFile(join(beir, "qrels/test.jsonl"), lines(qrels));
  return { train, beir, nano };
}

Deno.test("a training is measured by a corpus before, during and after, and keeps the best by its key", () =>
  withFolder(async (folder) => {
    const { train, beir, nano } = await writeData(folder);
    const model = await sampleBaseModel();
    const training = (output: string, ...flags: readonly string[]) =>
      runCommand(
        command,
        join(folder, "cache"),
        ...["--model", model, "--train", train, "--output", join(folder, output), "--negatives", "none"],
        ...["--max-steps", "4", "--batch-size", "8", "--eval-steps", "2", "--keep-best", "auto", ...flags],
      );
    const report = await training("beir-out", "--eval", beir);
    const { evaluation, before, metrics, data, evaluations } = report;
    assert.deepEqual([evaluation.kind, evaluation.metric, evaluation.held_out], ["corpus", "cosine_ndcg@10", false]);
    assert.equal(data.eval.counts.queries, WORDS.length);
    assert.ok(before["cosine_ndcg@10"] > 0 && metrics["cosine_map@100"] > 0);
    assert.deepEqual(evaluations.map(([step]: [number]) => step), [2, 4]);
    const best = Math.max(
      ...evaluations.map(([, values]: [number, Record<string, number>]) => values["cosine_ndcg@10"]!),
    );
    assert.equal(metrics["cosine_ndcg@10"], best);
    assert.deepEqual(report.warnings.filter((warning: string) => /something else/.test(warning)), []);
    assert.match(await Deno.readTextFile(join(folder, "beir-out", "model", "README.md")), /6 queries in 36 documents/);
    assert.match(summary(report), /relevant to queries in a corpus: 6 queries, 36 documents of/);
    assert.ok(
      summary(report).split("\n").slice(1, 8).every((line) => line.startsWith("  report") || line.length <= 160),
    );

    const sets = await training("nano-out", "--eval", `${nano}#nq,scifact`);
    assert.deepEqual([sets.evaluation.kind, sets.evaluation.metric], ["nanobeir", "NanoBEIR_mean_cosine_ndcg@10"]);
    const mean = (sets.metrics["NanoNQ_cosine_mrr@10"] + sets.metrics["NanoSciFact_cosine_mrr@10"]) / 2;
    assert.equal(sets.metrics["NanoBEIR_mean_cosine_mrr@10"], mean);
    assert.match(await Deno.readTextFile(join(folder, "nano-out", "report.html")), /NanoBEIR_mean_cosine_ndcg@10/);
  }));

Deno.test("evaluate takes a corpus, a folder of NanoBEIR's sets, and the hub's", () =>
  withFolder(async (folder) => {
    const { beir, nano } = await writeData(folder);
    const model = await sampleBaseModel();
    const evaluate = (data: string, ...flags: readonly string[]) =>
      runCommand(evaluation, join(folder, "cache"), "--model", model, "--eval", data, ...flags);
    const output = join(folder, "out");
    const corpus = await evaluate(beir, "--output", output);
    assert.deepEqual([corpus.task, corpus.rows, corpus.counts.documents], ["corpus", 6, 36]);
    const ranks = await readTable(join(output, "scores.csv"));
    const found = ranks.columns.get("rank")!.filter((rank) => Number(rank) === 1).length;
    assert.equal(corpus.metrics["cosine_accuracy@1"], found / 6);

    const local = await evaluate(`${nano}#nq,scifact`);
    assert.equal(local.task, "nanobeir");
    assert.equal(local.metrics["NanoNQ_cosine_ndcg@10"], corpus.metrics["cosine_ndcg@10"]);
    await assert.rejects(() => evaluate(beir, "--task", "triplet"), /is for retrieval/);
    const prompted = await evaluate(`${nano}#nq,scifact`, "--prompts", '{"nq-query": "the castle and the apple "}');
    assert.equal(prompted.prompts["nq-query"], "the castle and the apple ");
    assert.notEqual(prompted.metrics["NanoNQ_cosine_map@100"], local.metrics["NanoNQ_cosine_map@100"]);
    assert.equal(prompted.metrics["NanoSciFact_cosine_map@100"], local.metrics["NanoSciFact_cosine_map@100"]);
    await assert.rejects(() => evaluate(nano + "#nq", "--prompts", '{"fever-query": ""}'), /no role of these sets/);

    const files: Record<string, Uint8Array> = {};
    for (const part of ["corpus", "queries", "qrels"]) {
      for (const name of ["NanoNQ", "NanoSciFact"]) {
        files[`${part}/${name}.jsonl`] = await Deno.readFile(join(nano, part, `${name}.jsonl`));
      }
    }
    const own = { ...contents };
    const variables = ["HF_ENDPOINT", "HF_HUB_CACHE", "HF_HUB_OFFLINE"];
    const before = variables.map((name) => Deno.env.get(name));
    await withHub(() => undefined, async ({ environment, log }) => {
      Object.assign(contents, files);
      Deno.env.set("HF_ENDPOINT", environment.endpoint);
      Deno.env.set("HF_HUB_CACHE", environment.cache);
      Deno.env.delete("HF_HUB_OFFLINE");
      try {
        const hub = await evaluate("nanobeir#nq,scifact");
        assert.deepEqual(hub.metrics, local.metrics);
        assert.ok(log.some(({ path }) => path.includes(`sentence-transformers/NanoBEIR-en/resolve/${commit}/corpus`)));
        assert.ok(log.every(({ path }) => !path.endsWith("model.safetensors")), "data alone are fetched");
      } finally {
        variables.forEach((name, i) => before[i] === undefined ? Deno.env.delete(name) : Deno.env.set(name, before[i]));
        for (const name of Object.keys(contents)) if (!(name in own)) delete contents[name];
      }
    });
  }));

Deno.test("the form of the rows decides what is asked; intervals and the difference to another model stand in the report", () =>
  withFolder(async (folder) => {
    const { nano } = await writeData(folder);
    const model = await sampleBaseModel();
    const { columns: { premise, hypothesis } } = sampleNli({ rows: 60 });
    const write = async (name: string, header: string, row: (i: number) => string) => {
      const path = join(folder, name);
      await Deno.writeTextFile(path, [header, ...premise.map((_, i) => row(i))].join("\n") + "\n");
      return path;
    };
    const labels = await write("labels.csv", "text,label", (i) => `${premise[i]},${WORDS[i % 3]}`);
    const pairs = await write("pairs.csv", "anchor,positive", (i) => `${premise[i]},${hypothesis[i]}`);
    const graded = await write(
      "graded.csv",
      "sentence1,sentence2,score",
      (i) => `${premise[i]},${hypothesis[i]},${i % 6}`,
    );
    const duplicates = await write(
      "same.csv",
      "sentence1,sentence2,label",
      (i) => `${premise[i]},${hypothesis[i]},${i % 2}`,
    );
    const evaluate = async (data: string, ...flags: readonly string[]) => {
      const report = await runCommand(evaluation, join(folder, "cache"), "--model", model, "--eval", data, ...flags);
      const wide = evaluationLines(report).split("\n").filter((line) =>
        line.length > 80 && !line.startsWith("less those")
      );
      assert.deepEqual(wide, []);
      return report;
    };
    const keys = (report: { metrics: object }) => Object.keys(report.metrics);

    const known = await evaluate(labels);
    assert.deepEqual([known.task, known.intervals.unit], ["labels", "text"]);
    const { low, high } = known.intervals.of.knn_accuracy_cosine;
    assert.ok(low <= known.metrics.knn_accuracy_cosine && known.metrics.knn_accuracy_cosine <= high && low < high);

    const translation = await evaluate(pairs, "--task", "translation");
    assert.deepEqual(keys(translation), ["src2trg_accuracy", "trg2src_accuracy", "mean_accuracy"]);
    const mining = await evaluate(duplicates, "--task", "paraphrases");
    assert.deepEqual(keys(mining), ["average_precision", "f1", "precision", "recall", "threshold"]);
    assert.equal(mining.intervals, undefined, "pairs of mined texts hang together");
    const taught = await evaluate(pairs, "--task", "mse", "--teacher", model);
    assert.ok(taught.metrics.negative_mse < 0 && taught.intervals.of.negative_mse.high < 0);
    const itself = await evaluate(labels, "--task", "mse", "--teacher", model);
    assert.ok(Math.abs(itself.metrics.negative_mse) < 1e-9, "a model and itself, on one column of texts");
    await assert.rejects(() => evaluate(pairs, "--task", "mse"), /wants a teacher/);

    // A model against itself: nothing lies between them, on any rows that are drawn.
    const against = await evaluate(graded, "--against", model, "--resamples", "50");
    assert.equal(against.intervals.resamples, 50);
    assert.deepEqual(against.against.differences.spearman_cosine, { difference: 0, low: 0, high: 0 });
    assert.deepEqual(against.against.differences.spearman_max, { difference: 0 }, "the best of four is not drawn");
    const plain = await evaluate(graded, "--resamples", "0");
    assert.deepEqual([plain.intervals, plain.metrics], [undefined, against.metrics]);
    const sets = await evaluate(`${nano}#nq,scifact`, "--against", model);
    assert.deepEqual(sets.against.differences["NanoBEIR_mean_cosine_ndcg@10"], { difference: 0, low: 0, high: 0 });
    assert.ok(sets.intervals.of["NanoBEIR_mean_cosine_ndcg@10"].low < sets.metrics["NanoBEIR_mean_cosine_ndcg@10"]);
  }));
