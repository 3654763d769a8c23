import assert from "node:assert/strict";
import { join } from "node:path";
import { distill, encode, prune, randomVectors } from "../../lib/simple/mod.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { goldenPath } from "../golden/golden.ts";
import { places, run, withFolder } from "./user.ts";

Deno.test("static_embedding distils, trains, and stands beside its teacher and word overlap", () =>
  withFolder(async (folder) => {
    const { code, out, err } = await run("static_embedding", "--json", ...places(folder));
    assert.equal(code, 0, err);
    const { metrics, baseline, tables: [table], stages, model, runs } = JSON.parse(out);
    assert.deepEqual(table.rows.slice(0, 3).map(([name]: [string]) => name), ["teacher", "distilled", "trained"]);
    assert.ok(metrics.spearman_cosine > baseline.tfidf + 0.2, `${metrics.spearman_cosine} beside ${baseline.tfidf}`);
    assert.equal(table.rows[2][1], metrics.spearman_cosine);
    assert.ok(table.rows[2][4] > table.rows[0][4], "faster than the teacher");
    assert.equal(runs.main.settings["learning rate"], 0.01);
    assert.ok(stages.some(({ name }: { name: string }) => name === "distil"));
    const card = await Deno.readTextFile(join(model, "README.md"));
    assert.match(card, /distilled from the sample's base model/);
    assert.match(card, /texts per second, trained/);
  }));

Deno.test("static_embedding without a training distils, or prunes to a corpus; word vectors are a model to start from", () =>
  withFolder(async (folder) => {
    const texts = join(folder, "texts.csv");
    await Deno.writeTextFile(texts, "text\nthe boy opens the door\nthe cook slices the bread\n");
    const teacher = await sampleBaseModel();
    const flags = ["--teacher", teacher, "--prune-texts", texts, "--json", ...places(folder)];
    const { code, out, err } = await run("static_embedding", ...flags);
    assert.equal(code, 0, err);
    const { schema, facts, warnings, model } = JSON.parse(out);
    assert.equal(schema, "kindred-static/1");
    assert.match(facts["tokens kept"], /^\d+ of \d+$/);
    assert.match(warnings.join(), /there is no --eval/);
    const whole = join(folder, "whole");
    await distill({ teacher, output: whole, cacheDir: join(folder, "cache"), engine: { engine: "cpu" } });
    const sentences = ["the cook opens the door"];
    const [one, other] = [await encode(model, sentences), await encode(whole, sentences)];
    assert.deepEqual(one.data, other.data, "tokens of the corpus have the same rows");

    const words = goldenPath("word_embeddings/glove.txt");
    const started = await run("static_embedding", "--model", words, "--preset", "test", "--json", ...places(folder));
    assert.equal(started.code, 0, started.err);
    assert.deepEqual(JSON.parse(started.out).tables[0].rows.slice(0, 2).map(([name]: [string]) => name), [
      "given",
      "trained",
    ]);
    const alone = await run("static_embedding", "--model", words, "--json", ...places(folder));
    assert.doesNotMatch(JSON.parse(alone.out).warnings.join(), /trained on the sample/, "nothing is trained");
    for (
      const [flags, message] of [
        [["--model", words, "--start", "random"], /vectors that are not used/],
        [["--model", teacher], /the model is no static one/],
        [["--start", "random", "--pca-dims", "8"], /--pca-dims is for vectors that are distilled/],
        [["--min-count", "2"], /--min-count is of the texts/],
        [["--prune-texts", texts], /the sample's base model knows only the sample's words/],
      ] as const
    ) {
      const wrong = await run("static_embedding", ...flags, "--json", ...places(folder));
      assert.match(JSON.parse(wrong.out).error.message, message);
    }
  }));

Deno.test("vectors at random are a model, and are pruned", () =>
  withFolder(async (folder) => {
    const [output, cacheDir, engine] = [join(folder, "model"), join(folder, "cache"), { engine: "cpu" as const }];
    const tokenizer = await sampleBaseModel();
    const { tokens } = await randomVectors({ tokenizer, width: 8, output, cacheDir, engine });
    const texts = ["the boy opens the door"];
    const before = await encode(output, texts);
    const pruned = await prune({ model: output, pruneTexts: texts, output: join(folder, "small"), cacheDir, engine });
    assert.ok(pruned.tokens < 12 && pruned.of === tokens && pruned.width === 8);
    assert.deepEqual((await encode(join(folder, "small"), texts)).data, before.data);
    await assert.rejects(randomVectors({ tokenizer, wide: 8, output, cacheDir } as never), /wide/);
  }));
