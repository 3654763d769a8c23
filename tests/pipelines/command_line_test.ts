import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { openParquet } from "../../lib/data/parquet_file.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { places, run, withFolder } from "./user.ts";

const TRAININGS = [
  "multiple_negatives_ranking",
  "cosine_similarity",
  "softmax_nli",
  "supervised_finetune",
  "augmented_sbert",
  "tsdae",
  "simcse",
  "contrastive_tension",
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

Deno.test("masked_language_model, evaluate and encode work on each other's results", () =>
  withFolder(async (folder) => {
    const trained = await run(
      "masked_language_model",
      "--preset",
      "test",
      "--json",
      "--max-seq-length",
      "48",
      ...places(folder),
    );
    assert.equal(trained.code, 0, trained.err);
    const { model, training, before, metrics, settings } = JSON.parse(trained.out);
    assert.equal(settings["max seq length"], 48);
    assert.match(await Deno.readTextFile(join(model, "README.md")), /\| longest text, in tokens \| 48 \|/);
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
    }
    const npy = await Deno.readFile(join(folder, "e.npy"));
    assert.match(new TextDecoder("latin1").decode(npy.subarray(0, 128)), /NUMPY.*'shape': \(3, 128\), } *\n$/);
    const matrix = new Float32Array(npy.buffer, 128);
    const tensors = await openTensors(join(folder, "e.safetensors"));
    assert.deepEqual(await tensors.readF32("embeddings"), matrix);
    tensors.close();
    const rows = await openParquet(join(folder, "e.parquet"));
    assert.deepEqual(rows.names, ["id", "text", "embedding"]);
    assert.deepEqual([...await rows.column("id", 0, 3)], [0, 1, 2]);
    assert.deepEqual(await rows.column("text", 0, 3), ["the dog", "", "the cat sleeps"]);
    assert.deepEqual((await rows.cells("embedding", 2, 3))[0], [...matrix.subarray(256)]);
    rows.close();
    const wrong = await run("encode", "--model", model, "--input", texts, "--output", "e.txt", "--json");
    assert.equal(wrong.code, 2);
    await Deno.writeTextFile(texts, '{"text":"the dog"}\n{"text":null}\n');
    for (const kind of ["npy", "parquet"]) {
      const output = join(folder, "none", `e.${kind}`);
      await Deno.mkdir(join(folder, "none"), { recursive: true });
      const failed = await run("encode", "--model", model, "--input", texts, "--output", output, "--json");
      assert.match(JSON.parse(failed.out).error.where, /:2$/);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(join(folder, "none"))), []);
    }
  }));

Deno.test("wrong usage has exit code 2 and one JSON document", () =>
  withFolder(async (folder) => {
    const cases: [string[], RegExp][] = [
      [["--batch-sise", "3"], /unknown flag --batch-sise/],
      [["--batch-size", "-3"], /--batch-size/],
      [["--seed", "many"], /--seed/],
      [["--preset", "huge"], /--preset/],
      [["--preset", "chaptr"], /--preset[^]*did you mean chapter\?/],
      [["--engine", "gpu"], /--engine[^]*did you mean webgpu\?/],
      [["my pairs.csv"], /takes flags only[^]*--train 'my pairs.csv'/],
      [["--train", "x.csv"], /sample's base model/],
      [["--model", "/nowhere"], /no such model/],
      [["--normalize"], /unknown flag --normalize/],
      [["--max-score", "0.5"], /--max-score is for mined negatives/],
    ];
    for (const [args, message] of cases) {
      const { code, out } = await run("multiple_negatives_ranking", "--json", ...args, ...places(folder));
      assert.equal(code, 2, `${args}: ${out}`);
      const { message: said, hint } = JSON.parse(out).error;
      assert.match(`${said} ${hint}`, message);
    }
    const pairs = join(folder, "pairs.csv");
    await Deno.writeTextFile(pairs, "anchor,positive\nwho?,me\nwhen?,now\n");
    const own = ["--model", await sampleBaseModel(), "--train", pairs, "--negatives", "easy"];
    const idle = await run("multiple_negatives_ranking", "--json", ...own, ...places(folder));
    assert.equal(idle.code, 2);
    assert.match(JSON.parse(idle.out).error.message, /--negatives easy is for labelled pairs/);
    const help = await run("multiple_negatives_ranking", "--help", "--preset", "chapter");
    assert.equal(help.code, 0);
    assert.match(help.out, /--learning-rate N .*\[0\.00005\]/);
  }));

Deno.test("what an error says of columns is what the command takes, for each source", () =>
  withFolder(async (folder) => {
    const model = await sampleBaseModel();
    const [pairs, foreign] = [join(folder, "pairs.csv"), join(folder, "foreign.csv")];
    await Deno.writeTextFile(pairs, "anchor,positive\nwho?,me\nwhen?,now\n");
    await Deno.writeTextFile(foreign, "frage,antwort\nwer?,ich\n");
    const hintOf = async (pipeline: string, ...args: string[]) => {
      const { out, err } = await run(pipeline, "--model", model, ...args, "--json");
      assert.ok(!/text = text/.test(err), "a column that is not there was not read");
      return JSON.parse(out).error.hint;
    };
    const encoding = ["--input", foreign, "--output", join(folder, "e.npy")];
    assert.equal(await hintOf("encode", ...encoding), "map one with --columns text=NAME");
    assert.equal(await hintOf("search", "--corpus", foreign, "--query", "a"), "map one with --columns text=NAME");
    const evaluation = ["--train", pairs, "--eval", foreign, ...places(folder)];
    assert.equal(
      await hintOf("multiple_negatives_ranking", ...evaluation),
      "map one with --eval-columns anchor=NAME",
    );
    const sentences = ["--columns", "sentence1=frage,sentence2=antwort"];
    assert.equal(
      await hintOf("cosine_similarity", "--train", foreign, ...sentences, ...places(folder)),
      "map one with --columns score=NAME",
    );
    const labelled = join(folder, "labelled.jsonl");
    await Deno.writeTextFile(labelled, '{"title":"a","label":"b"}\n');
    assert.equal(
      await hintOf("multiple_negatives_ranking", "--train", labelled, ...places(folder)),
      "map one with --columns anchor=NAME",
    );
    assert.equal(
      await hintOf("label_similarity", "--train", labelled, "--eval", foreign, ...places(folder)),
      "map one with --eval-columns text=NAME",
    );
    const encoded = await run("encode", "--model", model, ...encoding, "--columns", "text=frage", "--json");
    assert.equal(JSON.parse(encoded.out).rows, 1, encoded.err);
  }));

Deno.test("the help of a command says of a flag what it does there", async () => {
  const cases: [string, RegExp, RegExp][] = [
    ["encode", /--output TEXT +file of the embeddings/, /folder of the results|start from/],
    ["search", /--limit N +search in no more texts/, /training data|start from/],
    ["mteb", /--columns TEXT +names of columns, by those of the task/, /anchor=question|start from/],
    ["label_similarity", /--eval TEXT +texts with a label/, /pairs with a similarity/],
    ["cross_encoder", /--eval TEXT +pairs with a score/, /pairs of anchor/],
    ["multiple_negatives_ranking", /default: a tenth/, /^$/],
  ];
  for (const [pipeline, says, not] of cases) {
    const { out } = await run(pipeline, "--help");
    assert.match(out, says);
    assert.doesNotMatch(out, not);
  }
});

Deno.test("an output folder with other files in it is left alone", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "out"));
    await Deno.writeTextFile(join(folder, "out", "thesis.txt"), "mine");
    await Deno.writeTextFile(join(folder, "out", "report.json"), '{"schema":"another program"}');
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
