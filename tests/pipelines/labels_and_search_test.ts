import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { goldenPath } from "../golden/golden.ts";
import * as user from "./user.ts";

/** Runs a pipeline as a user would, and reads what it prints. */
async function run(pipeline: string, ...args: string[]) {
  const { code, out, err } = await user.run(pipeline, "--json", "--quiet", ...args);
  return { code, report: JSON.parse(out), err };
}

const withFolder = (body: (folder: string, cache: readonly string[]) => Promise<void>) =>
  user.withFolder((folder) => body(folder, ["--cache-dir", join(folder, "cache")]));

const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row) + "\n").join("");

Deno.test("label_similarity trains on the sample, reports both maps, and comes from the cache the second time", () =>
  withFolder(async (folder, cache) => {
    const prompted = ["--max-seq-length", "40", "--prompts", "tone: "];
    const args = ["--preset", "test", ...cache, "--output", join(folder, "out"), ...prompted];
    const { code, report, err } = await run("label_similarity", ...args);
    assert.equal(code, 0, err);
    assert.deepEqual([report.settings["max seq length"], report.settings.prompts], [40, "tone: "]);
    const card = await Deno.readTextFile(join(folder, "out", "model", "README.md"));
    assert.match(card, /\| longest text, in tokens \| 40 \|\n.*\n\| prompts \| query \(before every text\): "tone: "/);
    assert.equal(report.schema, "kindred-labels/1");
    assert.deepEqual(report.labels, ["unkind", "neutral", "kind"]);
    assert.equal(report.training.steps, 8);
    assert.deepEqual(Object.keys(report.metrics), ["silhouette_cosine", "knn_accuracy_cosine"]);
    assert.ok(Math.abs(report.baseline.majority - 1 / 3) < 1e-9);
    const page = await Deno.readTextFile(join(folder, "out", "report.html"));
    assert.equal(page.match(/<path fill="[^"]*" d="[^"]*"><title>/g)?.length, 300); // 150 texts, twice
    assert.ok(page.includes("unkind") && !page.includes("NaN"));
    const again = (await run("label_similarity", ...args)).report;
    assert.ok(again.stages.every(({ cached }: { cached: boolean }) => cached));
    assert.deepEqual(again.metrics, report.metrics);
  }));

Deno.test("label_similarity takes own texts with words as labels, under any of its losses", () =>
  withFolder(async (folder, cache) => {
    const words = { fruit: ["apple", "orange", "banana"], tool: ["hammer", "saw", "wrench"] };
    const rows = Object.entries(words).flatMap(([label, nouns]) =>
      nouns.flatMap((noun) =>
        ["boy", "girl", "queen", "king"].map((who) => ({ text: `the ${who} finds the ${noun}`, label }))
      )
    );
    const train = join(folder, "train.jsonl");
    await Deno.writeTextFile(train, lines(rows));
    const own = [
      "--preset",
      "test",
      "--model",
      await sampleBaseModel(),
      "--train",
      train,
      "--max-steps",
      "2",
      ...cache,
    ];
    const share = ["--hold-out", "0.2"];
    for (const [loss, columns] of [["batch-hard", 1], ["contrastive", 2], ["triplet", 1]] as const) {
      const { code, report, err } = await run(
        "label_similarity",
        ...own,
        ...share,
        "--loss",
        loss,
        "--output",
        join(folder, loss),
      );
      assert.equal(code, 0, err);
      assert.deepEqual(report.labels, ["fruit", "tool"]);
      assert.equal(report.data.eval.rows, 5); // a fifth of 24, rounded
      assert.equal(report.data.train.rows, 19 * columns);
    }
    // A file to evaluate on may know labels of its own.
    const held = join(folder, "eval.jsonl");
    await Deno.writeTextFile(
      held,
      lines([...rows.slice(0, 4), { text: "the dog", label: "animal" }, ...rows.slice(-4)]),
    );
    const { report } = await run("label_similarity", ...own, "--eval", held, "--output", join(folder, "eval"));
    assert.deepEqual(report.labels, ["fruit", "tool", "animal"]);
    assert.deepEqual(report.tables[0].rows.map(([label, count]: [string, number]) => [label, count]), [
      ["fruit", 4],
      ["tool", 4],
      ["animal", 1],
    ]);
  }));

Deno.test("label_similarity says what is wrong with labels and flags", () =>
  withFolder(async (folder, cache) => {
    const train = join(folder, "train.jsonl");
    await Deno.writeTextFile(
      train,
      lines(Array.from({ length: 20 }, (_, i) => ({ text: `text ${i}`, label: `l${i}` }))),
    );
    const own = ["--model", await sampleBaseModel(), "--train", train, ...cache, "--output", join(folder, "out")];
    const alone = await run("label_similarity", ...own, "--loss", "triplet");
    assert.deepEqual([alone.code, alone.report.error.tag], [1, "DatasetError"]);
    const heldOut = join(folder, "eval.jsonl");
    await Deno.writeTextFile(heldOut, lines([0, 1, 0, 1].map((label, i) => ({ text: `other ${i}`, label }))));
    const few = await run("label_similarity", ...own, "--eval", heldOut);
    assert.deepEqual([few.code, few.report.error.tag], [1, "TrainingError"]);
    assert.match(few.report.error.message, /two classes with two rows each/);
    for (
      const flags of [
        ["--loss", "batch-hard-soft-margin", "--margin", "1"],
        ["--loss", "batch-all", "--distance", "manhattan"],
        ["--eval", heldOut],
      ]
    ) {
      const { code, report } = await run("label_similarity", "--preset", "test", ...flags, ...cache);
      assert.deepEqual([code, report.error.tag], [2, "UsageError"], flags.join(" "));
    }
  }));

Deno.test("what a search finds can be had as files, and no folder of others is written into", () =>
  withFolder(async (folder, cache) => {
    const corpus = join(folder, "corpus.jsonl");
    const texts = ["the boy eats", "the queen sleeps", "=the lad eats", "<b>a hammer</b>"];
    await Deno.writeTextFile(corpus, lines(texts.map((text) => ({ text }))));
    const output = join(folder, "found");
    const own = ["--model", await sampleBaseModel(), "--corpus", corpus, ...cache, "--output", output];
    const { code, err } = await run("search", ...own, "--closest", "2", "--query", "the boy", "--top-k", "4");
    assert.equal(code, 0, err);
    const answers = (await Deno.readTextFile(join(output, "answers.csv"))).trim().split(/\r?\n/);
    assert.equal(answers[0], "query,rank,row,text,similarity,score");
    assert.equal(answers.length, 5);
    const pairs = await Deno.readTextFile(join(output, "pairs.csv"));
    assert.equal(pairs.trim().split(/\r?\n/).length, 3);
    assert.ok(!/(^|,)=/m.test(pairs), "a spreadsheet finds no formula");
    const report = JSON.parse(await Deno.readTextFile(join(output, "report.json")));
    assert.equal(report.schema, "kindred-search/1");
    assert.deepEqual(
      report.files.map((path: string) => basename(path)),
      ["pairs.csv", "answers.csv", "report.json", "report.html"],
    );
    const page = await Deno.readTextFile(join(output, "report.html"));
    for (
      const part of ["Answers to queries", "the boy", "Closest pairs", "&lt;b&gt;a hammer&lt;/b&gt;", "What it takes"]
    ) {
      assert.ok(page.includes(part), part);
    }
    assert.ok(!/<b>|<script|NaN|undefined/.test(page));
    await Deno.writeTextFile(join(folder, "mine.txt"), "mine");
    const refused = await run("search", ...own.slice(0, -1), folder);
    assert.equal(refused.code, 2, refused.err);
    assert.equal(await Deno.readTextFile(join(folder, "mine.txt")), "mine");
  }));

Deno.test("search finds pairs and answers, judges them again, and embeds a corpus once", () =>
  withFolder(async (folder, cache) => {
    const corpus = join(folder, "corpus.jsonl");
    const texts = ["the boy eats", "the queen sleeps", "the boy eats", "the lad eats", "a hammer"];
    await Deno.writeTextFile(corpus, lines(texts.map((said) => ({ said }))));
    const own = ["--model", await sampleBaseModel(), "--corpus", corpus, "--column", "said", ...cache];
    const first = await run(
      "search",
      ...own,
      "--closest",
      "100",
      "--query",
      "the boy",
      "--query",
      "a saw",
      "--top-k",
      "50",
    );
    assert.equal(first.code, 0, first.err);
    const { report } = first;
    assert.equal(report.schema, "kindred-search/1");
    assert.equal(report.preset, "own");
    assert.deepEqual(report.corpus, { source: corpus, texts: 5, distinct: 4 });
    assert.equal(report.pairs.length, 6); // of four different texts
    assert.deepEqual([report.pairs[0].first.row, report.pairs[0].second.row], [0, 3]);
    assert.deepEqual(report.queries.map(({ query }: { query: string }) => query), ["the boy", "a saw"]);
    assert.equal(report.queries[0].hits.length, 4);
    assert.equal(report.queries[1].hits[0].text, "a hammer");
    assert.deepEqual([report.cost.pairs, report.cost.biEncoder.inferences, report.cost.allPairs], [6, 4, undefined]);
    assert.ok(report.cost.biEncoder.seconds > 0);

    const queries = join(folder, "queries.csv");
    await Deno.writeTextFile(queries, "text\nthe queen\n");
    const judge = ["--cross-encoder", goldenPath("cross_encoder/bert_score"), "--closest", "3"];
    const judged = (await run("search", ...own, "--queries", queries, ...judge)).report;
    assert.deepEqual(judged.stages.map(({ cached }: { cached: boolean }) => cached).slice(0, 1), [true]);
    assert.ok(judged.stages.find(({ name }: { name: string }) => name === "embed").cached);
    const scores = judged.pairs.map(({ score }: { score: number }) => score);
    assert.deepEqual(scores, [...scores].sort((a, b) => b - a));
    assert.equal(judged.cost.crossEncoder.inferences, 3);
    assert.equal(judged.cost.allPairs.inferences, 6);
    assert.equal(judged.query_cost.crossEncoder.inferences, 4);
    assert.equal(judged.query_cost.allPairs.inferences, 4);
    assert.equal(judged.queries.length, 1);
  }));

Deno.test("search says what is wrong with its input", () =>
  withFolder(async (folder, cache) => {
    const [one, none] = [join(folder, "one.csv"), join(folder, "none.csv")];
    await Deno.writeTextFile(one, "text\nthe boy eats\n");
    await Deno.writeTextFile(none, "text\n");
    const base = await sampleBaseModel();
    const own = (corpus: string) => ["--model", base, "--corpus", corpus, ...cache];
    const single = await run("search", ...own(one));
    assert.deepEqual([single.code, single.report.error.message], [1, "a single text makes no pair"]);
    const answered = await run("search", ...own(one), "--query", "the girl"); // queries alone want no pairs
    assert.equal(answered.code, 0, answered.err);
    assert.deepEqual([answered.report.pairs.length, answered.report.queries[0].hits.length], [0, 1]);
    const short = await run("search", ...own(one), "--query", "the girl", "--truncate-dim", "8");
    assert.equal(short.report.width, 8);
    const similarity = (found: typeof short) => found.report.queries[0].hits[0].similarity;
    assert.notEqual(similarity(short), similarity(answered));
    const silent = await run("search", ...own(one), "--query", " ");
    assert.deepEqual([silent.code, silent.report.error.message], [2, "--query is empty"]);
    const empty = await run("search", ...own(none));
    assert.deepEqual([empty.code, empty.report.error.tag], [1, "DatasetError"]);
    const wrong = await run("search", ...own(one), "--cross-encoder", await sampleBaseModel());
    assert.deepEqual([wrong.code, wrong.report.error.message], [2, "the model is not a cross-encoder"]);
    const unknown = await run("search", "--corpus", one, ...cache);
    assert.deepEqual([unknown.code, unknown.report.error.tag], [2, "UsageError"]);
  }));
