import assert from "node:assert/strict";
import { join } from "node:path";

/** Runs a pipeline as a user would. */
async function run(pipeline: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `pipelines/${pipeline}.ts`, ...args],
    cwd: new URL("../..", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const places = (folder: string) => ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];

const TRAININGS = [
  "multiple_negatives_ranking",
  "cosine_similarity",
  "softmax_nli",
  "supervised_finetune",
  "augmented_sbert",
  "tsdae",
  "domain_adaptation",
];
for (const pipeline of TRAININGS) {
  Deno.test(`${pipeline} trains, reports and comes from the cache the second time`, () =>
    withFolder(async (folder) => {
      const first = await run(pipeline, "--preset", "test", "--json", ...places(folder));
      assert.equal(first.code, 0, first.err);
      const report = JSON.parse(first.out);
      assert.equal(report.schema, "kindred-report/1");
      assert.equal(report.training.steps, 8);
      assert.equal(Object.keys(report.metrics).length, 10);
      assert.ok(report.stages.every(({ cached }: { cached: boolean }) => !cached));
      const files = await Array.fromAsync(Deno.readDir(join(folder, "out")), ({ name }) => name);
      assert.deepEqual(files.sort(), ["metrics.jsonl", "model", "report.html", "report.json"]);

      const second = await run(pipeline, "--preset", "test", "--json", ...places(folder));
      const again = JSON.parse(second.out);
      assert.ok(again.stages.every(({ cached }: { cached: boolean }) => cached));
      assert.deepEqual(again.metrics, report.metrics);
      assert.equal(again.training.cached, true);

      // Another seed changes what is drawn, not what was loaded.
      const third = JSON.parse(
        (await run(pipeline, "--preset", "test", "--json", "--seed", "7", ...places(folder))).out,
      );
      const cached = Object.fromEntries(
        third.stages.map((stage: { name: string; cached: boolean }) => [stage.name, stage.cached]),
      );
      assert.equal(cached["train"], false);
      // The sample's fine-tuning starts from a model that was trained with the same seed.
      assert.equal(cached["evaluate-before"], pipeline !== "supervised_finetune");
    }));
}

Deno.test("augmented_sbert has two controls, and says how good its judge is", () =>
  withFolder(async (folder) => {
    const { code, out, err } = await run("augmented_sbert", "--preset", "test", "--json", ...places(folder));
    assert.equal(code, 0, err);
    const report = JSON.parse(out);
    assert.deepEqual(Object.keys(report.runs).sort(), ["control", "control_equal_steps", "main"]);
    assert.equal(report.control_equal_steps.training.steps, report.training.steps);
    const { spearman_cosine } = report.difference;
    assert.equal(spearman_cosine, report.metrics.spearman_cosine - report.control.metrics.spearman_cosine);
    const { gold_pairs, silver_pairs, silver_agreement, cross_encoder_accuracy } = report.details;
    assert.deepEqual([gold_pairs, silver_pairs], [100, 200]);
    assert.ok(silver_agreement > 0 && cross_encoder_accuracy === silver_agreement);
    for (const pairs of ["recombine", "bm25", "semantic"]) {
      const other = await run("augmented_sbert", "--preset", "test", "--json", "--pairs", pairs, ...places(folder));
      assert.equal(other.code, 0, other.err);
      assert.ok(JSON.parse(other.out).details.silver_pairs > 50);
      assert.equal(JSON.parse(other.out).details.silver_agreement, null);
    }
    const none = await run("augmented_sbert", "--preset", "test", "--json", "--gold-size", "300", ...places(folder));
    assert.equal(none.code, 2);
    assert.match(JSON.parse(none.out).error.message, /no pairs to label/);
  }));

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

Deno.test("cross_encoder trains a judge that search and hard_negatives take", () =>
  withFolder(async (folder) => {
    const trained = await run("cross_encoder", "--preset", "test", "--json", ...places(folder));
    assert.equal(trained.code, 0, trained.err);
    const { metrics, model, data } = JSON.parse(trained.out);
    assert.ok(metrics.average_precision > 0 && data.eval.rows > 40 && data.train.rows > 400);
    const again = await run("cross_encoder", "--preset", "test", "--json", ...places(folder));
    assert.ok(JSON.parse(again.out).stages.every(({ cached }: { cached: boolean }) => cached));
    const judged = await run(
      ...["hard_negatives", "--preset", "test", "--json", "--negatives", "hard", "--cross-encoder", model] as const,
      ...["--cache-dir", join(folder, "cache"), "--output", join(folder, "negatives")],
    );
    assert.equal(judged.code, 0, judged.err);
    const classes = await run("cross_encoder", "--preset", "test", "--json", "--head", "classes", ...places(folder));
    assert.ok(JSON.parse(classes.out).metrics.f1_macro > 0, classes.err);
  }));

Deno.test("masked_language_model, evaluate and encode work on each other's results", () =>
  withFolder(async (folder) => {
    const trained = await run("masked_language_model", "--preset", "test", "--json", ...places(folder));
    assert.equal(trained.code, 0, trained.err);
    const { model, training, before, metrics } = JSON.parse(trained.out);
    assert.equal(training.steps, 5);
    assert.ok(metrics.masked_loss < before.masked_loss && metrics.perplexity > 1);
    const pairs = join(folder, "pairs.csv");
    await Deno.writeTextFile(
      pairs,
      "sentence1,sentence2,score\nthe boy runs,the lad runs,5\na cat,the bridge,0\nthe dog,a hound,4\n",
    );
    const evaluated = await run("evaluate", "--model", model, "--eval", pairs, "--json");
    assert.equal(evaluated.code, 0, evaluated.err);
    assert.equal(Object.keys(JSON.parse(evaluated.out).metrics).length, 10);
    const texts = join(folder, "texts.jsonl");
    await Deno.writeTextFile(texts, '{"text":"the dog"}\n{"text":""}\n{"text":"the cat sleeps"}\n');
    for (const kind of ["npy", "safetensors", "parquet"]) {
      const output = join(folder, `e.${kind}`);
      const encoded = await run("encode", "--model", model, "--input", texts, "--output", output, "--json");
      assert.equal(encoded.code, 0, encoded.err);
      assert.deepEqual([JSON.parse(encoded.out).rows, JSON.parse(encoded.out).width], [3, 128]);
      assert.ok((await Deno.stat(output)).size > 0);
    }
  }));

Deno.test("wrong usage has exit code 2 and one JSON document", () =>
  withFolder(async (folder) => {
    const cases: [string[], RegExp][] = [
      [["--batch-sise", "3"], /unknown flag --batch-sise/],
      [["--batch-size", "-3"], /--batch-size/],
      [["--seed", "many"], /--seed/],
      [["--preset", "huge"], /--preset/],
      [["--train", "x.csv"], /sample's base model/],
      [["--model", "/nowhere"], /no such model/],
      [["--normalize"], /unknown flag --normalize/],
    ];
    for (const [args, message] of cases) {
      const { code, out } = await run("multiple_negatives_ranking", "--json", ...args, ...places(folder));
      assert.equal(code, 2, `${args}: ${out}`);
      assert.match(JSON.parse(out).error.message, message);
    }
    const help = await run("multiple_negatives_ranking", "--help", "--preset", "chapter");
    assert.equal(help.code, 0);
    assert.match(help.out, /--learning-rate N .*\[0\.00005\]/);
  }));

Deno.test("an output folder with other files in it is left alone", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "out"));
    await Deno.writeTextFile(join(folder, "out", "thesis.txt"), "mine");
    const { code, err } = await run("cosine_similarity", "--preset", "test", ...places(folder));
    assert.equal(code, 2);
    assert.match(err, /not empty, and not ours/);
    assert.equal(await Deno.readTextFile(join(folder, "out", "thesis.txt")), "mine");
  }));

Deno.test("a damaged cache entry is made anew, with a warning", () =>
  withFolder(async (folder) => {
    const first = JSON.parse((await run("cosine_similarity", "--preset", "test", "--json", ...places(folder))).out);
    const { key } = first.stages.find(({ name }: { name: string }) => name === "train");
    const weights = join(folder, "cache", key.slice(0, 2), key, "model", "model.safetensors");
    await Deno.truncate(weights, 1000);
    const second = await run("cosine_similarity", "--preset", "test", "--json", ...places(folder));
    assert.equal(second.code, 0, second.err);
    assert.match(second.err, /damaged and will be made anew/);
    assert.deepEqual(JSON.parse(second.out).metrics, first.metrics);
  }));

Deno.test("two processes with one key: one trains, the other waits and finds it", () =>
  withFolder(async (folder) => {
    const both = await Promise.all(["a", "b"].map((name) =>
      run(
        "cosine_similarity",
        "--preset",
        "test",
        "--json",
        "--cache-dir",
        join(folder, "cache"),
        "--output",
        join(folder, name),
      )
    ));
    const trained = both.map(({ out }) =>
      JSON.parse(out).stages.find(({ name }: { name: string }) => name === "train").cached
    );
    assert.deepEqual(trained.sort(), [false, true]);
  }));
