import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { UsageError } from "../../lib/error.ts";
import { command as domainAdaptation } from "../../pipelines/domain_adaptation.ts";
import { command as simcse } from "../../pipelines/simcse.ts";
import { command as word2vec } from "../../pipelines/word2vec.ts";
import { readWordVectorFolder, readWordVectors } from "../../lib/checkpoint/word_vectors.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

Deno.test("domain_adaptation --methods has each way on the same texts, in one table, and keeps the best", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--adapt-limit", "60", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(domainAdaptation, join(folder, "cache"), ...common, ...flags);
    const { tables: [table], runs, details, metrics, warnings, model } = await go("--methods", "simcse, mlm");
    assert.deepEqual(table.columns.slice(0, 5), [
      "adaptation",
      "updates",
      "seconds",
      "target pearson_cosine",
      "target pearson_cosine, trained",
    ]);
    assert.deepEqual(table.rows.map(([name, updates]: [string, number]) => [name, updates]), [
      ["none", 0],
      ["simcse", 4], // 60 texts, 16 a batch
      ["mlm", 4],
    ]);
    const column = table.columns.indexOf("target spearman_cosine, trained");
    const trained = table.rows.slice(1).map((row: number[]) => row[column]);
    assert.equal(metrics.spearman_cosine, Math.max(...trained));
    const best = table.rows[1 + trained.indexOf(metrics.spearman_cosine)][0];
    assert.equal(details["the model is adapted by"], best);
    const expected = ["simcse", "mlm"].flatMap((by) => by === best ? [by] : [by, `${by}, then trained`]);
    assert.deepEqual(Object.keys(runs).sort(), ["control", "main", ...expected].sort());
    // Each way that ends below the training without it says so.
    for (const [name, value] of [["simcse", trained[0]], ["mlm", trained[1]]]) {
      const said = warnings.filter((warning: string) => warning.startsWith(`adaptation by ${name} did not help`));
      assert.equal(said.length, value < table.rows[0][column] ? 1 : 0, `${name}: ${value}`);
    }
    assert.match(warnings.join(), /way of adaptation was chosen on the same rows/);
    assert.match(await Deno.readTextFile(join(model, "README.md")), new RegExp(`${best}, the best of simcse, mlm`));
    await assert.rejects(go("--methods", "simcse,gold"), /no way of adaptation/);
    await assert.rejects(go("--methods", "ct", "--adapt", "mlm"), /both say how/);
  }));

Deno.test("gpl is a way of adaptation, with negatives and queries of its own", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--adapt-limit", "40", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(domainAdaptation, join(folder, "cache"), ...common, ...flags);
    const { tables: [table], stages } = await go("--methods", "gpl,mlm", "--num-negatives", "2", "--adapt-steps", "3");
    assert.deepEqual(table.rows.map(([name, updates]: [string, number]) => [name, updates]), [
      ["none", 0],
      ["gpl", 3],
      ["mlm", 3],
    ]);
    const names = stages.map(({ name }: { name: string }) => name);
    for (const name of ["queries", "candidates", "margins"]) assert.ok(names.includes(name), name);
    const { details, facts, runs } = await go("--adapt", "gpl", "--adapt-steps", "3", "--no-control");
    assert.ok(runs.adaptation.training.steps === 3, JSON.stringify([details, facts]));
  }));

Deno.test("supervised SimCSE takes contradictions for negatives; plain texts are not held out", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(simcse, join(folder, "cache"), ...common, ...flags);
    const { data, evaluations, runs, model } = await go("--supervised", "--eval-steps", "1", "--scale", "30");
    assert.ok(data.train.counts.contradiction > 0, "contradictions were found");
    assert.equal(evaluations.length, 2);
    assert.equal(runs.main.settings.scale, 30);
    assert.match(await Deno.readTextFile(join(model, "README.md")), /supervised SimCSE/);
    await assert.rejects(go("--hold-out", "9"), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.hint!, /with --supervised/);
      return true;
    });
  }));

Deno.test("word2vec writes vectors and a model, beside an encoder that was not tuned, and finds them again", () =>
  withFolder(async (folder) => {
    const output = join(folder, "out");
    const go = (...flags: string[]) =>
      runCommand(word2vec, join(folder, "cache"), "--preset", "test", "--output", output, ...flags);
    const { tables, metrics, model, training } = await go("--vector-format", "glove");
    assert.ok(training.steps >= 1);
    assert.deepEqual(tables.map(({ title }: { title: string }) => title), [
      "nearest words",
      "beside an encoder that was not tuned",
    ]);
    assert.equal(tables[1].rows.length, 3);
    const { words, rows } = await readWordVectors(join(output, "vectors.txt"));
    const saved = await readWordVectorFolder(model);
    assert.deepEqual(words, saved.words);
    assert.deepEqual(rows, saved.rows, "every number is read as the one that was written");
    const again = await go();
    assert.equal(again.training.cached, true);
    assert.deepEqual(again.metrics, metrics);
    assert.match(await Deno.readTextFile(join(output, "vectors.txt")), /^\d+ 16\n/);
    await assert.rejects(go("--min-count", "1000000"), /no word occurs often enough/);
  }));

Deno.test("word2vec learns from texts of one's own with gensim's settings, and wants no encoder beside them", () =>
  withFolder(async (folder) => {
    const [texts, scored] = [join(folder, "texts.csv"), join(folder, "scored.csv")];
    await Deno.writeTextFile(texts, "text\n" + "the queen eats an apple\na boy eats the bread\n".repeat(10));
    await Deno.writeTextFile(
      scored,
      "sentence1,sentence2,score\na queen,the queen,1\na boy,bread,0.1\nan apple,the apple,.9\n",
    );
    const go = (...flags: string[]) =>
      runCommand(
        word2vec,
        join(folder, "cache"),
        "--train",
        texts,
        "--min-count",
        "1",
        "--output",
        join(folder, "out"),
        ...flags,
      );
    const blind = await go();
    assert.equal(blind.preset, "own");
    assert.match(blind.warnings.join(), /no --eval/);
    const { words, rows } = await readWordVectors(join(folder, "out/vectors.txt"));
    assert.deepEqual([words.length, rows.length], [9, 900], "eight words, and padding");
    const { tables } = await go("--eval", scored);
    assert.equal(tables, undefined, "eight words have no neighbours to show");
    const beside = await go("--eval", scored, "--baseline", await sampleBaseModel());
    assert.equal(beside.tables[0].rows.length, 3);
  }));
