import assert from "node:assert/strict";
import { join } from "node:path";
import { openModel } from "../../lib/simple/open.ts";
import { similarityMetrics } from "../../lib/evaluate/similarity.ts";
import { command as ranking } from "../../pipelines/multiple_negatives_ranking.ts";
import { command as labels } from "../../pipelines/label_similarity.ts";
import { command as gpl } from "../../pipelines/gpl.ts";
import { command as augmented } from "../../pipelines/augmented_sbert.ts";
import { command as simcse } from "../../pipelines/simcse.ts";
import { runCommand } from "./in_process.ts";
import { run, withFolder } from "./user.ts";
import { sampleSts } from "../../lib/data/sample/mod.ts";

Deno.test("--matryoshka trains several lengths and measures each before and after, in the report, its page and the terminal", () =>
  withFolder(async (folder) => {
    const [out, cache] = [join(folder, "out"), join(folder, "cache")];
    const flags = ["--preset", "test", "--max-steps", "2", "--cache-dir", cache, "--output", out, "--kernels", "wasm"];
    const lengths = ["--matryoshka", "128,32,8", "--matryoshka-weights", "1,1,.5", "--matryoshka-per-step", "2"];
    const { code, out: printed, err } = await run("multiple_negatives_ranking", ...flags, ...lengths);
    assert.equal(code, 0, err);
    assert.match(printed, /cut to their first numbers: spearman_cosine\n +numbers +before +after +change\n +128 /);
    const report = JSON.parse(await Deno.readTextFile(join(out, "report.json")));
    assert.deepEqual(report.dimensions.map(({ dimensions }: { dimensions: number }) => dimensions), [128, 32, 8]);
    assert.deepEqual(report.dimensions[0], { dimensions: 128, before: report.before, metrics: report.metrics });
    const { loss, weights, "dimensions per step": perStep } = report.runs.main.settings;
    assert.deepEqual([loss, weights, perStep], ["matryoshka", "[1,1,0.5]", 2]);
    assert.match(await Deno.readTextFile(join(out, "model", "README.md")), /may be cut to.*128, 32, 8 numbers/);
    assert.match(await Deno.readTextFile(join(out, "report.html")), /spearman_cosine by length/);
    // The numbers are those of a model that is opened with so few features.
    const { sentence1, sentence2, score } = sampleSts({ rows: 200 }).columns;
    await using short = await openModel(report.model, { truncateDim: 8 });
    const [a, b] = [await short.encode(sentence1), await short.encode(sentence2)];
    const { spearman_cosine } = similarityMetrics(a, b, score);
    assert.ok(Math.abs(spearman_cosine - report.dimensions[2].metrics.spearman_cosine) < 1e-9);
    assert.notEqual(spearman_cosine, report.metrics.spearman_cosine);
  }));

Deno.test("--matryoshka is there for texts with a label, corpora, plain texts and Augmented SBERT", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "1", "--output", join(folder, "out"), "--force"];
    const few = [[labels, []], [gpl, ["--limit", "60"]], [simcse, []], [augmented, ["--gold-size", "60"]]] as const;
    for (const [command, own] of few) {
      const { dimensions, metrics, tables, model } = await runCommand(
        command,
        join(folder, "cache"),
        ...common,
        ...own,
        "--matryoshka",
        "16,128",
      );
      assert.deepEqual(dimensions[1].metrics, metrics, command.name);
      assert.notDeepEqual(dimensions[0].metrics, metrics, command.name);
      assert.match(tables[0].title, /cut to their first numbers/);
      assert.match(await Deno.readTextFile(join(model, "..", "report.html")), /by length/);
    }
  }));

Deno.test("--matryoshka refuses lengths that cannot be, before anything is measured", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(ranking, join(folder, "cache"), ...common, ...flags);
    await assert.rejects(go("--matryoshka-per-step", "1"), /none are given/);
    await assert.rejects(go("--matryoshka", "256"), /at most 128|have not/);
    await assert.rejects(go("--matryoshka", "64,64"), /one twice/);
    await assert.rejects(go("--matryoshka", "64,x"), /--matryoshka cannot be read[^]*64,x/);
    await assert.rejects(go("--matryoshka", "64,32", "--matryoshka-weights", "1"), /one weight for each/);
    await assert.rejects(go("--matryoshka", "64,32", "--matryoshka-per-step", "3"), /so many lengths/);
    await assert.rejects(Deno.stat(join(folder, "out", "report.json")));
  }));
