import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { command } from "../../pipelines/distillation.ts";
import { datasetOf } from "../../lib/data/mod.ts";
import { reduceWidth } from "../../lib/pipeline/mod.ts";
import { distillEncoder, encode } from "../../lib/simple/mod.ts";
import { model, runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { goldenPath } from "../golden/golden.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

Deno.test("distillation trains a student of some layers beside its teacher, on texts and on translations", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(command, join(folder, "cache"), ...common, ...flags);
    const { tables: [table], training, model } = await go();
    assert.equal(training.steps, 2);
    assert.deepEqual(table.columns, ["metric", "student before", "student", "teacher"]);
    assert.equal(table.rows.length, 10);
    const reader = await openTensors(model);
    const layers = [...reader.tensors.keys()].flatMap((name) => /layer\.(\d+)\./.exec(name)?.[1] ?? []);
    reader.close();
    assert.deepEqual([...new Set(layers)], ["0"]);
    assert.equal(JSON.parse(await Deno.readTextFile(join(model, "config.json"))).num_hidden_layers, 1);

    await assert.rejects(go("--parallel", "--force"), /no translations/);
    await assert.rejects(go("--between", "pca", "--teacher", goldenPath("distillation/bert"), "--force"), /narrower/);
    await assert.rejects(go("--layers", "0,x", "--force"), /--layers cannot be read[^]*0,x/);
    const texts = join(folder, "texts.csv");
    await Deno.writeTextFile(texts, "text\nred bird\n");
    await assert.rejects(
      go("--train", texts, "--teacher", goldenPath("training/model"), "--force"),
      /knows only the sample's words[^]*--model/,
      "a teacher is not what the student is made of",
    );
  }));

Deno.test("distillation of translations and of plain texts is measured by those that are held out, on the way as well", () =>
  withFolder(async (folder) => {
    const common = ["--max-steps", "4", "--eval-steps", "2", "--output", join(folder, "out"), "--force"];
    const go = (...flags: string[]) => runCommand(command, join(folder, "cache"), ...common, ...flags);
    const rows = Array.from({ length: 40 }, (_, i) => [`red bird ${i}`, `${i} fish green`]);
    const [parallel, plain] = [join(folder, "parallel.csv"), join(folder, "plain.csv")];
    await Deno.writeTextFile(parallel, ["anchor,positive", ...rows.map(String)].join("\n"));
    await Deno.writeTextFile(plain, ["text", ...rows.flat()].join("\n"));
    const settings = ["--learning-rate", "1e-2", "--hold-out", "8"];
    const student = ["--model", goldenPath("training/model"), ...settings];
    // The teacher's embeddings have 12 features, the student's 16: they have no distance, but translations can be found.
    const wide = ["--model", goldenPath("distillation/bert"), "--teacher", goldenPath("training/model"), ...settings];
    const { evaluation, metrics, evaluations, tables } = await go(
      "--train",
      parallel,
      "--parallel",
      ...wide,
    );
    assert.equal(evaluation.kind, "translation");
    assert.deepEqual(Object.keys(metrics), ["src2trg_accuracy", "trg2src_accuracy", "mean_accuracy"]);
    assert.deepEqual(Object.keys(evaluations[0][1]), Object.keys(metrics));
    assert.equal(tables[0].rows.length, 3);
    const blind = await go("--train", plain, ...wide);
    assert.match(blind.warnings.join(), /different widths/);
    assert.deepEqual(blind.metrics, {});

    const same = await go("--train", parallel, "--parallel", ...student, "--layers", "0");
    assert.ok(same.metrics["negative_mse"] > same.before["negative_mse"], JSON.stringify([same.before, same.metrics]));
    assert.equal(same.tables[0].rows.find(([key]: [string]) => key === "negative_mse").length, 4);

    const texts = await go(
      "--train",
      plain,
      ...student,
      "--layers",
      "0",
      "--matryoshka",
      "12,4",
      "--keep-best",
      "auto",
    );
    assert.equal(texts.evaluation.kind, "imitation");
    assert.ok(texts.metrics["negative_mse"] > texts.before["negative_mse"]);
    const [[, before, , teacher]] = texts.tables.at(-1).rows.map((row: unknown[]) => row);
    assert.deepEqual([before, teacher], [texts.before["negative_mse"], 0], "the teacher is as it is itself");
    assert.ok(texts.dimensions[1].metrics["negative_mse"] < 0);
    assert.match(await Deno.readTextFile(join(folder, "out", "report.html")), /negative_mse/);
    // Beside rows of one's own to measure by, those held out stand in a table.
    const graded = join(folder, "graded.csv");
    const pairs = rows.slice(0, 5).map(([one, two], i) => `${one},${two},${i}`);
    await Deno.writeTextFile(graded, ["sentence1,sentence2,score", ...pairs].join("\n"));
    const both = await go("--train", plain, "--eval", graded, ...student, "--layers", "0");
    assert.equal(both.evaluation.kind, "similarity");
    assert.deepEqual([both.tables[1].title, both.tables[1].rows[0][0]], ["Rows that were held out", "negative_mse"]);
    await assert.rejects(go("--train", plain, ...student), /would be its teacher/);
    await assert.rejects(go("--train", plain, ...student, "--layers", "2"), /cannot be kept/);
  }));

Deno.test("a wider teacher gets its principal components, as scikit-learn and sentence-transformers reduce it", () =>
  withFolder(async (cacheDir) => {
    const { texts, width, products } = JSON.parse(await Deno.readTextFile(goldenPath("reduce_width.json")));
    const folder = await runStages(
      Effect.gen(function* () {
        const reduced = yield* reduceWidth({
          model: yield* model(goldenPath("training/model")),
          texts: yield* given(datasetOf({ text: texts })),
        }, { width });
        return (yield* valueOf(reduced)).folder;
      }),
      { cacheDir },
    );
    const { data, width: found } = await encode(folder, texts);
    assert.equal(found, width);
    for (const [i, expected] of products.entries()) {
      const [a, b] = [Math.floor(i / texts.length), i % texts.length];
      let sum = 0;
      for (let j = 0; j < width; j++) sum += data[a * width + j]! * data[b * width + j]!;
      assert.ok(Math.abs(sum - expected) < 1e-5, `${a}, ${b}: ${sum}, not ${expected}`);
    }
  }));

Deno.test("distillEncoder() makes students of texts and of translations, also of a wider teacher", () =>
  withFolder(async (folder) => {
    const common = { output: join(folder, "student"), cacheDir: join(folder, "cache"), maxSteps: 3, holdOut: 6 };
    const texts = Array.from({ length: 40 }, (_, i) => `red bird ${i}`);
    // The teacher's embeddings have 16 features, the student's 12.
    const { before, metrics } = await distillEncoder({
      ...common,
      teacher: goldenPath("distillation/bert"),
      model: goldenPath("training/model"),
      learningRate: 1e-2,
      texts,
    });
    assert.ok(metrics["negative_mse"]! > before["negative_mse"]!);
    const other = await distillEncoder({
      ...common,
      teacher: goldenPath("training/model"),
      layers: [1],
      source: texts,
      translation: texts.map((text) => text.replace("red bird", "green fish")),
    });
    assert.ok(other.metrics["mean_accuracy"]! >= 0 && other.metrics["negative_mse"]! < 0);
    const teacher = goldenPath("training/model");
    await assert.rejects(distillEncoder({ ...common, teacher, texts }), /would be its teacher/);
    await assert.rejects(distillEncoder({ ...common, teacher } as never), /found: neither|learns from texts/);
  }));
