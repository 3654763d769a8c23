import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { runWith, withFolder } from "./user.ts";

const offline = { HF_HUB_OFFLINE: "1" };
const run = (...args: string[]) => runWith(offline, "mteb", ...args);
const runIn = (env: Record<string, string>, ...args: string[]) => runWith({ ...offline, ...env }, "mteb", ...args);

const model = await sampleBaseModel();
const places = (folder: string) => ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out")];
const own = {
  name: "Mine",
  type: "STS",
  eval_splits: ["test"],
  files: { test: "mine.csv" },
};
const rows = "sentence1,sentence2,score\nthe boy runs,the lad runs,5\na cat,the bridge,0\nthe dog,a hound,4\n";

Deno.test("mteb scores the sample's tasks, and finds every one of them the second time", () =>
  withFolder(async (folder) => {
    const first = await run("--preset", "test", "--json", ...places(folder));
    assert.equal(first.code, 0, first.err);
    const report = JSON.parse(first.out);
    assert.deepEqual(report.tasks.map(({ name }: { name: string }) => name), ["SampleClassification", "SampleSTS"]);
    assert.deepEqual(report.reading, { max_seq_length: 64, prompts: {}, default_prompt: null });
    assert.match(await Deno.readTextFile(join(folder, "out", "report.html")), /longest text, in tokens/);
    const files = await Array.fromAsync(Deno.readDir(join(folder, "out")), ({ name }) => name);
    assert.deepEqual(files.sort(), ["SampleClassification.json", "SampleSTS.json", "report.html", "report.json"]);
    const result = JSON.parse(await Deno.readTextFile(join(folder, "out", "SampleClassification.json")));
    const [scores] = result.scores.test;
    assert.equal(scores.scores_per_experiment.length, 10);
    assert.equal(scores.main_score, scores.accuracy);
    assert.ok(Math.abs(scores.main_score - report.tasks[0].value) < 1e-6);

    const again = JSON.parse((await run("--preset", "test", "--json", "--format", "1.1", ...places(folder))).out);
    assert.ok(again.tasks.every(({ cached }: { cached: boolean }) => cached));
    const old = JSON.parse(await Deno.readTextFile(join(folder, "out", "SampleClassification.json")));
    assert.equal(old.mteb_dataset_name, "SampleClassification");
    assert.ok(old.test.accuracy_stderr > 0 && old.test.f1_stderr > 0 && old.test.evaluation_time > 0);
  }));

Deno.test("mteb scores a task of one's own, and does it again when its data change", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "mine.csv"), rows);
    const file = join(folder, "mine.yaml");
    await Deno.writeTextFile(file, `${JSON.stringify(own).slice(0, -1)},}  # mine`);
    const args = ["--model", model, "--task-file", file, "--json", ...places(folder)];
    const first = await run(...args);
    assert.equal(first.code, 0, first.err);
    const [task] = JSON.parse(first.out).tasks;
    assert.deepEqual([task.name, task.score, task.cached], ["Mine", "cosine_spearman", false]);
    assert.equal(JSON.parse((await run(...args)).out).tasks[0].cached, true);
    await Deno.writeTextFile(join(folder, "mine.csv"), rows.replace(",4", ",1"));
    assert.equal(JSON.parse((await run(...args)).out).tasks[0].cached, false);
  }));

Deno.test("mteb takes a task's data from the hub's cache, packed as the hub has them, and files their commit", () =>
  withFolder(async (folder) => {
    const commit = "b0fddb56ed78048fa8b90373c8a3cfc37b684831";
    const snapshot = join(folder, "hf/hub/datasets--mteb--stsbenchmark-sts/snapshots", commit);
    await Deno.mkdir(snapshot, { recursive: true });
    const [, ...lines] = rows.trim().split("\n").map((line) => line.split(","));
    const text = lines.map(([sentence1, sentence2, score]) =>
      JSON.stringify({ sentence1, sentence2, score: Number(score) }) + "\n"
    ).join("");
    const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(join(snapshot, "test.jsonl.gz"), packed);
    const args = ["--model", model, "--tasks", "STSBenchmark", "--json", ...places(folder)];
    const { code, out, err } = await runIn({ HF_HOME: join(folder, "hf") }, ...args);
    assert.equal(code, 0, err);
    const [{ file, value }] = JSON.parse(out).tasks;
    const result = JSON.parse(await Deno.readTextFile(file));
    assert.equal(result.dataset_revision, commit);
    assert.ok(Math.abs(result.scores.test[0].cosine_spearman - value) < 1e-6);
  }));

Deno.test("what is asked wrongly is refused before anything is computed", () =>
  withFolder(async (folder) => {
    const file = join(folder, "mine.json");
    const refused = async (args: string[], message: RegExp, code = 2) => {
      const { code: found, out } = await run("--json", ...args, ...places(folder));
      assert.equal(found, code, out);
      const { error } = JSON.parse(out);
      assert.match(JSON.stringify(error), message);
    };
    await refused(["--model", model, "--tasks", "Banking7Classification"], /did you mean Banking77Classification/);
    await refused(["--tasks", "STSBenchmark"], /--model is required/);
    await refused(["--data", folder], /need a task/);
    await refused(["--model", model, "--task-file", file], /--task-file does not exist/);
    await Deno.writeTextFile(file, "{name: 'Mine'");
    await refused(["--model", model, "--task-file", file], /neither JSON nor YAML/);
    await Deno.writeTextFile(file, JSON.stringify({ ...own, files: undefined }));
    await refused(["--model", model, "--task-file", file], /Mine has no data/);
    await Deno.writeTextFile(file, JSON.stringify(own));
    await refused(["--model", model, "--task-file", file], /a file of Mine is not there/);
    await refused(["--model", model, "--tasks", "STSBenchmark", "--data", join(folder, "none")], /no such folder/, 1);
    await refused(["--model", model, "--tasks", "STSBenchmark"], /stsbenchmark-sts@b0fddb5.* is not in the cache/, 1);
  }));
