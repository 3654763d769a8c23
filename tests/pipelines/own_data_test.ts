import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleNli } from "../../lib/data/sample/mod.ts";
import { run, withFolder } from "./user.ts";

const nli = sampleNli({ rows: 150 }).columns;
const csv = (...rows: readonly (readonly unknown[])[]) =>
  rows.map((row) => row.map((cell) => `"${cell}"`).join(",") + "\n").join("");

/** Runs a training of one's own data, short, and gives its report. */
async function train(folder: string, pipeline: string, file: string, ...flags: string[]) {
  const data = join(folder, `${pipeline}.csv`);
  await Deno.writeTextFile(data, file);
  const places = ["--cache-dir", join(folder, "cache"), "--output", join(folder, pipeline)];
  const own = ["--model", await sampleBaseModel(), "--train", data, "--batch-size", "16", "--json", "--quiet"];
  const { code, out, err } = await run(pipeline, ...own, ...flags, ...places);
  assert.equal(code, 0, out + err);
  return JSON.parse(out);
}

Deno.test("pairs of one's own are held out by retrieval, and a model that forgets is told in report, page and card", () =>
  withFolder(async (folder) => {
    const pairs = csv(["anchor", "positive"], ...nli.premise.map((text, row) => [text, nli.hypothesis[row]]));
    const flags = ["--learning-rate", "0.1", "--warmup-steps", "50", "--patience", "3", "--max-steps", "10"];
    const report = await train(folder, "multiple_negatives_ranking", pairs, ...flags);
    assert.equal(report.preset, "own");
    assert.deepEqual(
      [report.evaluation.kind, report.evaluation.metric, report.evaluation.held_out],
      ["retrieval", "cosine_ndcg@10", true],
    );
    assert.equal(report.data.eval.rows + report.data.train.rows, 150);
    assert.equal(report.data.eval.rows, 15);
    assert.ok(report.baseline.bm25 > 0 && report.before["cosine_ndcg@10"] > 0);
    assert.equal(report.evaluations.length > 0, true, "patience alone evaluates, by the metric that stands for all");
    const told = report.warnings.join("\n");
    for (const warning of [/warmup of 50 updates/, /2000 times the usual/]) assert.match(told, warning);
    const card = await Deno.readTextFile(join(folder, "multiple_negatives_ranking", "model", "README.md"));
    const page = await Deno.readTextFile(join(folder, "multiple_negatives_ranking", "report.html"));
    assert.match(card, /2000 times the usual/);
    assert.match(page, /2000 times the usual/);
    assert.match(page, /Hardest anchors/);
    assert.match(page, /Maps of anchors and positives[^]*found first \(\d+\)[^]*further down \(\d+\)/);
    assert.ok(!page.includes("NaN"));
  }));

Deno.test("NLI pairs of one's own are held out by the accuracy of the classifier that is trained with the model", () =>
  withFolder(async (folder) => {
    const rows = csv(
      ["premise", "hypothesis", "label"],
      ...nli.premise.map((text, row) => [
        text,
        nli.hypothesis[row],
        nli.label[row],
      ]),
    );
    const report = await train(folder, "softmax_nli", rows, "--keep-best", "auto", "--max-steps", "4");
    assert.equal(report.evaluation.metric, "accuracy");
    assert.deepEqual(Object.keys(report.metrics), ["accuracy"]);
    assert.ok(report.baseline.majority > 0.3);
    const best = Math.max(...report.evaluations.map(([, { accuracy }]: [number, { accuracy: number }]) => accuracy));
    assert.equal(report.metrics.accuracy, best, "the same head and model as on the way");
  }));

Deno.test("prompts for no column and a freezing of nothing are told before the model is measured", () =>
  withFolder(async (folder) => {
    const data = join(folder, "pairs.csv");
    await Deno.writeTextFile(data, csv(["anchor", "positive"], ...nli.premise.map((text, row) => [text, `${row}`])));
    for (const flags of [["--prompts", '{"question": "q: "}'], ["--freeze", "layers"]]) {
      const places = ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];
      const own = ["--model", await sampleBaseModel(), "--train", data];
      const { code, err } = await run("multiple_negatives_ranking", ...own, ...flags, ...places);
      assert.equal(code, 2, err);
      assert.match(err, /no column question|names no tensor/);
      assert.doesNotMatch(err, /evaluating|training\n/);
    }
  }));

Deno.test("few rows are not held out, and that is said; rows of --eval may be pairs with columns of their own", () =>
  withFolder(async (folder) => {
    const rows = nli.premise.slice(0, 12).map((text, row) => [text, nli.hypothesis[row], row % 6]);
    const scored = csv(["sentence1", "sentence2", "score"], ...rows.map(([a, b, score]) => [a, b, Number(score) / 5]));
    const few = await train(folder, "cosine_similarity", scored);
    assert.equal(few.evaluation, undefined);
    assert.deepEqual([few.before, few.metrics, few.data.eval], [{}, {}, undefined]);
    assert.match(few.warnings.join(), /no rows were held out of 12, which are fewer than 20/);
    const questions = join(folder, "questions.csv");
    await Deno.writeTextFile(questions, csv(["asked", "said"], ...rows.map((row) => row.slice(0, 2))));
    const flags = ["--eval", questions, "--eval-columns", "anchor=asked,positive=said", "--hold-out", "4"];
    const report = await train(folder, "cosine_similarity", scored, ...flags);
    assert.equal(report.evaluation.kind, "retrieval");
    assert.match(report.warnings.join(), /--eval has pairs of anchor and positive, the training data graded pairs/);
    assert.equal(report.tables[0].title, "Rows that were held out");
    assert.ok(report.data.train.rows >= 8 && report.data.train.rows < 12);
  }));

Deno.test("evaluate measures pairs without a score by retrieval", () =>
  withFolder(async (folder) => {
    const pairs = join(folder, "pairs.csv");
    await Deno.writeTextFile(pairs, csv(["question", "answer"], ...nli.premise.map((text) => [text, text])));
    const { code, out, err } = await run("evaluate", "--model", await sampleBaseModel(), "--eval", pairs, "--json");
    assert.equal(code, 0, err);
    const { task, metrics, max_seq_length: longest, prompts } = JSON.parse(out);
    assert.equal(task, "retrieval");
    assert.deepEqual([longest, prompts], [64, { query: null, document: null }]);
    assert.equal(metrics["cosine_accuracy@1"], 1);
  }));

Deno.test("the report names what was trained on, gold and unlabelled pairs as well", () =>
  withFolder(async (folder) => {
    const rows = nli.premise.map((text, row) => [text, nli.hypothesis[row], row % 2]);
    const [gold, unlabelled] = [join(folder, "gold.csv"), join(folder, "unlabelled.csv")];
    await Deno.writeTextFile(gold, csv(["sentence1", "sentence2", "score"], ...rows.slice(0, 60)));
    await Deno.writeTextFile(
      unlabelled,
      csv(["sentence1", "sentence2"], ...rows.slice(60).map((row) => row.slice(0, 2))),
    );
    const own = ["--model", await sampleBaseModel(), "--gold", gold, "--unlabelled", unlabelled];
    const flags = [...own, "--no-control", "--force-judge"];
    const places = ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];
    const { code, out, err } = await run(
      "augmented_sbert",
      ...flags,
      ...places,
      "--max-steps",
      "2",
      "--json",
      "--quiet",
    );
    assert.equal(code, 0, out + err);
    const report = JSON.parse(out);
    assert.equal(report.data.train.source, `${gold} + ${unlabelled}`);
    assert.deepEqual([report.evaluation.kind, report.data.eval.rows], ["similarity", 6]);
    // Of 60, 6 measure the product, and a fifth of the others the judge.
    const { gold_pairs, gold_pairs_held_out, silver_pairs } = report.details;
    assert.deepEqual([gold_pairs, gold_pairs_held_out, silver_pairs], [54, 10, 90]);
  }));

Deno.test("plain texts of one's own are not held out, and that is said", () =>
  withFolder(async (folder) => {
    const report = await train(folder, "tsdae", csv(["text"], ...nli.premise.slice(0, 30).map((text) => [text])));
    assert.match(report.warnings.join(), /plain texts say nothing of what is similar/);
    assert.deepEqual(report.metrics, {});
  }));

Deno.test("what a training on rows held out warns of stands on the model's card, and the card says how it is used", () =>
  withFolder(async (folder) => {
    const rate = ["--learning-rate", "0.01", "--max-steps", "1"];
    const scored = csv(
      ["sentence1", "sentence2", "score"],
      ...nli.premise.slice(0, 30).map((text, row) => [text, nli.hypothesis[row], row % 2]),
    );
    const texts = csv(["text"], ...nli.premise.slice(0, 30).map((text) => [text]));
    const judge = await train(folder, "cross_encoder", scored, ...rate);
    const language = await train(folder, "masked_language_model", texts, ...rate);
    const cards: readonly [{ warnings: string[]; model: string }, RegExp, RegExp][] = [
      [judge, /500 times the usual one/, /CrossEncoder\("path/],
      [language, /200 times the usual one/, /AutoModelForMaskedLM/],
    ];
    for (const [{ warnings, model }, rate, use] of cards) {
      const card = await Deno.readTextFile(join(model, "README.md"));
      for (const text of [rate, use, /1 update is not shorter/, /3 rows that were not trained on/]) {
        assert.match(card, text);
      }
      for (const warning of warnings) assert.ok(card.includes(`> **Warning:** ${warning}`), warning);
    }
  }));

Deno.test("which columns were read is told in the log, the report and the page, and rows of --eval that are trained on", () =>
  withFolder(async (folder) => {
    const file = join(folder, "questions.csv");
    const rows = nli.premise.slice(0, 30).map((text, row) => [row, text, nli.hypothesis[row], "x"]);
    await Deno.writeTextFile(file, csv(["id", "asked", "said", "url"], ...rows));
    const columns = "anchor=asked,positive=said";
    const { code, out, err } = await run(
      "multiple_negatives_ranking",
      ...["--model", await sampleBaseModel(), "--train", file, "--columns", columns, "--eval", file],
      ...["--eval-columns", columns, "--max-steps", "1", "--json", "--cache-dir", join(folder, "cache")],
      ...["--output", join(folder, "out")],
    );
    assert.equal(code, 0, err);
    const line = `${file}: anchor = asked, positive = said (of 4 columns)`;
    assert.equal(err.split("\n").filter((told) => told === line).length, 1, err);
    const report = JSON.parse(out);
    assert.deepEqual(report.columns, [{ source: file, columns: { anchor: "asked", positive: "said" }, of: 4 }]);
    const warning = /30 of 30 evaluation rows and \d+ of \d+ evaluation texts are in the training data/;
    assert.match(report.warnings.join(), warning);
    assert.match(await Deno.readTextFile(join(folder, "out", "model", "README.md")), warning);
    const page = await Deno.readTextFile(join(folder, "out", "report.html"));
    assert.match(page, /anchor = asked, positive = said \(of 4 columns\)/);
    assert.match(page, warning);
  }));

Deno.test("--prompts puts a text before each column, and says so where it cannot be read", () =>
  withFolder(async (folder) => {
    const pairs = csv(
      ["anchor", "positive"],
      ...nli.premise.slice(0, 60).map((text, row) => [text, nli.hypothesis[row]]),
    );
    const prompts = JSON.stringify({ anchor: "query: ", positive: "passage: " });
    const report = await train(folder, "multiple_negatives_ranking", pairs, "--prompts", prompts, "--max-steps", "1");
    assert.equal(report.runs.main.settings.prompts, prompts);
    assert.equal(report.runs.main.settings["max seq length"], 64);
    const card = await Deno.readTextFile(join(report.model, "README.md"));
    assert.match(card, /\| prompts \| query: "query: ", document: "passage: " \|/);
    assert.match(card, /\| longest text, in tokens \| 64 \|/);
    const config = JSON.parse(await Deno.readTextFile(join(report.model, "config_sentence_transformers.json")));
    assert.deepEqual([config.prompts.query, config.prompts.document], ["query: ", "passage: "]);
    for (const wrong of ["{anchor: query}", '{"anchor": 3}', "{}", '{"question": "q: "}']) {
      const flags = ["--preset", "test", "--prompts", wrong, "--json", "--quiet", "--cache-dir", join(folder, "cache")];
      const { code, out } = await run("multiple_negatives_ranking", ...flags, "--output", join(folder, "out"));
      assert.equal(code, 2, wrong + out);
    }
  }));
