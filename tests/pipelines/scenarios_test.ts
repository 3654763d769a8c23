import assert from "node:assert/strict";
import { join } from "node:path";
import { samplePairModel } from "../../lib/data/sample/models.ts";
import { createCpuEngine } from "../../lib/engine/mod.ts";
import { loadCrossEncoder, saveCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { places, run, withFolder } from "./user.ts";

Deno.test("augmented_sbert has two controls, and says how good its judge is", () =>
  withFolder(async (folder) => {
    const { code, out, err } = await run("augmented_sbert", "--preset", "test", "--json", ...places(folder));
    assert.equal(code, 0, err);
    const report = JSON.parse(out);
    const { learnt_from } = report.details;
    const silver = report.runs.with_silver ?? report.runs.main;
    assert.equal("with_silver" in report.runs, learnt_from !== "silver");
    assert.equal(report.control_equal_steps.training.steps, silver.training.steps);
    const [table] = report.tables;
    const helps = table.rows.slice(0, 2).every(([, , adds, error]: number[]) => adds! > error!);
    assert.equal(learnt_from === "silver", helps, "what the silver pairs add is more than chance");
    const saved = table.rows.filter(([name]: [string]) => name === `${learnt_from} (saved)`);
    assert.deepEqual([table.rows.length, saved.length], [3, 1]);
    const { spearman_cosine } = report.difference;
    assert.equal(spearman_cosine, report.metrics.spearman_cosine - report.control.metrics.spearman_cosine);
    const { gold_pairs, gold_pairs_held_out, silver_pairs, silver_agreement, judge_on_gold_held_out } = report.details;
    assert.deepEqual([gold_pairs, gold_pairs_held_out, silver_pairs], [100, 20, 200]);
    assert.ok(silver_agreement > 0 && judge_on_gold_held_out > -1);
    assert.equal(report.evaluations_on, "20 gold pairs held out");
    const card = await Deno.readTextFile(join(report.model, "README.md"));
    assert.match(card, /judge.*spearman .* where the model's own cosine had .*\(20 pairs\)/);
    assert.doesNotMatch(report.warnings.join(), /chosen on the same rows/);
    for (const pairs of ["recombine", "bm25", "semantic"]) {
      const flags = ["--no-control", "--max-steps", "1"];
      const other = await run(
        "augmented_sbert",
        ...flags,
        "--preset",
        "test",
        "--json",
        "--pairs",
        pairs,
        ...places(folder),
      );
      assert.equal(other.code, 0, other.err);
      assert.ok(JSON.parse(other.out).details.silver_pairs > 50);
      assert.equal(JSON.parse(other.out).details.silver_agreement, null);
    }
    const none = await run("augmented_sbert", "--preset", "test", "--json", "--gold-size", "300", ...places(folder));
    assert.equal(none.code, 2);
    assert.match(JSON.parse(none.out).error.message, /no pairs to label/);
  }));

Deno.test("augmented_sbert saves what learnt from gold alone, where the silver pairs add nothing, and says so", () =>
  withFolder(async (folder) => {
    // Nothing is learned: all three models know as much.
    const flags = ["--preset", "test", "--learning-rate", "1e-12", "--json", ...places(folder)];
    const { code, out, err } = await run("augmented_sbert", ...flags);
    assert.equal(code, 0, err);
    const { details, runs, data, model, metrics, warnings } = JSON.parse(out);
    assert.deepEqual([details.learnt_from, details.pairs_trained_on, data.train.rows], ["gold alone", 80, 80]);
    assert.deepEqual(metrics, runs.control.metrics);
    assert.notEqual(runs.with_silver.model, model);
    assert.match(
      warnings.join(),
      /silver pairs show no gain beyond chance: on the 20 gold pairs held out, gold alone reaches/,
    );
    assert.match(await Deno.readTextFile(join(model, "README.md")), /learnt from.*gold alone/);
    // Of another domain's gold nothing is concluded.
    const across = await run("augmented_sbert", ...flags, "--scenario", "cross-domain");
    assert.equal(JSON.parse(across.out).details.learnt_from, "silver", across.err);
  }));

Deno.test("augmented_sbert stops where its judge knows no more than the model, with the numbers and what helps", () =>
  withFolder(async (folder) => {
    const few = ["--limit", "300", "--gold-size", "200", "--cross-epochs", "1", "--cross-learning-rate", "1e-9"];
    const flags = [...few, "--max-steps", "4", "--no-control", "--json", ...places(folder)];
    const { code, out } = await run("augmented_sbert", ...flags);
    assert.equal(code, 1);
    const { tag, message, hint, where } = JSON.parse(out).error;
    assert.equal(tag, "TrainingError");
    assert.match(message, /knows no more/);
    assert.match(hint, /more gold pairs; .*--cross-encoder.*--silver-labels soft.*--force-judge/);
    const { schema, refused } = JSON.parse(await Deno.readTextFile(join(folder, "out", "report.json")));
    assert.deepEqual([schema, refused.metric, refused.rows], ["kindred-refusal/1", "spearman", 40]);
    assert.equal(refused.student, "untouched");
    assert.ok(refused.judge - refused.base <= refused.uncertainty && where.includes(join(folder, "out")));
    assert.match(await Deno.readTextFile(join(folder, "out", "report.html")), /No model was trained on its labels/);
    const forced = await run("augmented_sbert", ...flags, "--force-judge", "--min-confidence", "0.99");
    assert.equal(forced.code, 0, forced.err);
    const { judge_is_better, silver_kept, silver_pairs } = JSON.parse(forced.out).details;
    assert.equal(judge_is_better, "no");
    assert.ok(silver_kept > 0 && silver_pairs === Math.round(100 * silver_kept));
  }));

Deno.test("a metric to keep the best by that is not measured is refused before the judge is trained", () =>
  withFolder(async (folder) => {
    const flags = ["--preset", "test", "--keep-best", "spearman_cosinus", ...places(folder)];
    const { code, err } = await run("augmented_sbert", ...flags);
    assert.equal(code, 1);
    assert.match(err, /found: +spearman_cosinus\n +hint: +did you mean spearman_cosine\?/);
    assert.doesNotMatch(err, /training/);
  }));

Deno.test("the judge of augmented_sbert may be an NLI model: as it is, or with a new last layer", () =>
  withFolder(async (folder) => {
    const nli = join(folder, "nli");
    await makeNli(nli);
    const flags = [
      "--preset",
      "test",
      "--cross-encoder",
      nli,
      "--max-steps",
      "1",
      "--no-control",
      "--json",
      ...places(folder),
    ];
    const asItIs = await run("augmented_sbert", ...flags, "--cross-epochs", "0");
    assert.equal(asItIs.code, 0, asItIs.err);
    assert.ok(!JSON.parse(asItIs.out).stages.some(({ name }: { name: string }) => name === "cross-encoder"));
    const trained = await run("augmented_sbert", ...flags);
    assert.equal(trained.code, 0, trained.err);
    const base = await run("augmented_sbert", "--preset", "test", "--cross-epochs", "0", "--json", ...places(folder));
    assert.equal(base.code, 2);
    assert.match(JSON.parse(base.out).error.message, /must be a cross-encoder/);
  }));

/** A classifier of three classes, as NLI models are: the sample's model with a head at random. */
async function makeNli(path: string): Promise<void> {
  const engine = createCpuEngine({ threads: 1 });
  const model = await loadCrossEncoder(engine, await samplePairModel(), { labels: 3, seed: 1 });
  const id2label = { 0: "contradiction", 1: "entailment", 2: "neutral" };
  await saveCrossEncoder(engine, { ...model, config: { ...model.config, id2label } }, path, "# NLI\n");
  engine.close();
}

Deno.test("domain_adaptation shows each step on each evaluation, whatever follows the adaptation", () =>
  withFolder(async (folder) => {
    for (const [adapt, then] of [["mlm", "augmented"], ["tsdae", "finetune"]]) {
      const flags = ["--adapt", adapt!, "--then", then!];
      const { code, out, err } = await run(
        "domain_adaptation",
        "--preset",
        "test",
        "--json",
        ...flags,
        ...places(folder),
      );
      assert.equal(code, 0, err);
      const { tables: [table], runs } = JSON.parse(out);
      assert.deepEqual(table.columns, [
        "model",
        "target pearson_cosine",
        "target spearman_cosine",
        "general pearson_cosine",
        "general spearman_cosine",
      ]);
      assert.deepEqual(table.rows.map(([name]: [string]) => name), [
        "base",
        `adapted (${adapt})`,
        "adapted and trained",
        "trained without adaptation",
      ]);
      assert.equal(table.rows[2][2], runs.main.metrics.spearman_cosine);
      assert.equal(table.rows[3][2], runs.control.metrics.spearman_cosine);
    }
  }));

Deno.test("hard_negatives writes rows in four forms, and a person's verdicts come back", () =>
  withFolder(async (folder) => {
    const flags = ["--preset", "test", "--json", ...places(folder)];
    for (const rows of ["triplet", "n-tuple", "labeled-pair", "labeled-list"]) {
      const { code, out, err } = await run("hard_negatives", "--rows", rows, "--output-scores", ...flags);
      assert.equal(code, 0, err);
      const report = JSON.parse(out);
      assert.ok(report.rows > 100 && report.statistics.negative.count > 100, rows);
      assert.ok((await Deno.stat(report.file)).size > 1000);
      assert.deepEqual(report.reading, { max_seq_length: 64, prompts: {}, default_prompt: null });
    }
    const review = join(folder, "review.csv");
    const exported = await run("hard_negatives", "--limit", "60", "--export", review, ...flags);
    assert.equal(exported.code, 0, exported.err);
    const again = await run("hard_negatives", "--limit", "60", "--export", review, ...flags);
    assert.match(JSON.parse(again.out).error.message, /there already/);
    const lines = (await Deno.readTextFile(review)).trimEnd().split("\r\n");
    await Deno.writeTextFile(review, lines.map((line, i) => i > 0 && i < 9 ? line + "no" : line).join("\r\n") + "\r\n");
    const byPerson = ["--negatives", "hard", "--hard-by", "person", "--import", review, "--limit", "60"];
    const imported = await run("hard_negatives", ...byPerson, ...flags);
    assert.equal(imported.code, 0, imported.err);
    assert.equal(JSON.parse(imported.out).counts.no, 8);
    const trained = await run("multiple_negatives_ranking", "--negatives", "hard", ...flags);
    assert.equal(trained.code, 0, trained.err);
    assert.ok(JSON.parse(trained.out).data.train.counts.found > 0);
  }));

Deno.test("a language model judges candidates through its endpoint", () =>
  withFolder(async (folder) => {
    let asked = 0;
    await using server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      await request.json();
      const content = ++asked % 3 === 0 ? "I would rather not say" : "related";
      return Response.json({
        choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }],
        usage: { prompt_tokens: 9, completion_tokens: 1 },
      });
    });
    const generator = ["--generator-url", `http://127.0.0.1:${server.addr.port}/v1`, "--generator-model", "tiny"];
    const flags = ["--preset", "test", "--json", "--limit", "60", "--negatives", "hard", "--hard-by", "language-model"];
    const { code, out, err } = await run("hard_negatives", ...flags, ...generator, ...places(folder));
    assert.equal(code, 0, err);
    const { counts } = JSON.parse(out);
    assert.ok(counts.negative > 20 && counts.undecided > 5, out);
    const missing = await run("hard_negatives", ...flags, ...places(folder));
    assert.equal(missing.code, 2);
    assert.match(JSON.parse(missing.out).error.message, /needs a language model/);
  }));

Deno.test("a language model is asked each question once, whatever else is set; the cache knows its answers", () =>
  withFolder(async (folder) => {
    const asked: string[] = [];
    await using server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      const body = await request.json();
      asked.push(JSON.stringify(body));
      const text: string = body.messages.at(-1).content;
      const content = text.includes("Write another") ? `a text that is written, number ${asked.length}` : "related";
      return Response.json({ choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] });
    });
    const base = ["--preset", "test", "--json", "--quiet", "--limit", "40", "--negatives", "hard"];
    const model = ["--generator-url", `http://127.0.0.1:${server.addr.port}/v1`, "--generator-model", "tiny"];
    const go = async (...flags: readonly string[]) => {
      const before = asked.length;
      const { code, out, err } = await run("hard_negatives", ...base, ...model, ...flags, ...places(folder));
      assert.equal(code, 0, out + err);
      assert.equal(new Set(asked).size, asked.length, "no question twice");
      return asked.length - before;
    };
    for (const by of ["language-model", "writer"]) {
      const judge = ["--hard-by", by];
      const first = await go(...judge, "--num-negatives", "2");
      assert.ok(first > 10, `${first}`);
      assert.equal(await go(...judge, "--num-negatives", "1"), 0, "fewer negatives need no new answer");
      assert.equal(await go(...judge, "--num-negatives", "2", "--rows", "labeled-pair"), 0, "another form of rows");
      // Kept answers cost nothing: the budget is for new ones alone.
      assert.equal(await go(...judge, "--num-negatives", "1", "--rows", "n-tuple", "--token-budget", "1"), 0);
    }
    const cache = async (...args: string[]) =>
      JSON.parse((await run("cache", ...args, "--json", "--cache-dir", join(folder, "cache"))).out);
    const answers = async () =>
      (await cache("list")).entries.filter(({ stage }: { stage: string }) => stage === "answers");
    const [entry, ...more] = await answers();
    assert.deepEqual(more, []);
    assert.equal((await Deno.readTextFile(entry.folder)).trimEnd().split("\n").length, asked.length);
    assert.deepEqual((await cache("verify")).damaged, []);
    // The last line torn, as a killed process leaves it: that question alone is asked again.
    await Deno.truncate(entry.folder, entry.size - 20);
    assert.match((await cache("verify")).damaged[0].fault, /^1 of \d+ lines of answers cannot be read/);
    const torn = asked.pop()!;
    assert.equal(await go("--hard-by", "writer", "--num-negatives", "2", "--rows", "n-tuple"), 1);
    assert.equal(asked.at(-1), torn);
    await cache("prune", "--max-size", "1000");
    assert.equal((await answers()).length, 1);
    await Deno.utime(entry.folder, new Date(0), new Date(0));
    await cache("prune", "--older-than", "1");
    assert.deepEqual(await answers(), []);
  }));

Deno.test("cross_encoder trains a judge that search and hard_negatives take", () =>
  withFolder(async (folder) => {
    const flags = ["--preset", "test", "--json", "--max-seq-length", "48", ...places(folder)];
    const trained = await run("cross_encoder", ...flags);
    assert.equal(trained.code, 0, trained.err);
    const { metrics, model, data, settings } = JSON.parse(trained.out);
    assert.equal(settings["max seq length"], 48);
    assert.match(await Deno.readTextFile(join(model, "README.md")), /\| longest text, in tokens \| 48 \|/);
    assert.ok(metrics.average_precision > 0 && data.eval.rows > 40 && data.train.rows > 400);
    const again = await run("cross_encoder", ...flags);
    assert.ok(JSON.parse(again.out).stages.every(({ cached }: { cached: boolean }) => cached));
    const judged = await run(
      ...["hard_negatives", "--preset", "test", "--json", "--negatives", "hard", "--cross-encoder", model] as const,
      ...["--cache-dir", join(folder, "cache"), "--output", join(folder, "negatives")],
    );
    assert.equal(judged.code, 0, judged.err);
    const classes = await run("cross_encoder", "--preset", "test", "--json", "--head", "classes", ...places(folder));
    assert.ok(JSON.parse(classes.out).metrics.f1_macro > 0, classes.err);
  }));
