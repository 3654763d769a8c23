import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleGraded, sampleNli } from "../../lib/data/sample/mod.ts";
import type { KindredError } from "../../lib/error.ts";
import { encode } from "../../lib/simple/mod.ts";
import { command as multiDataset } from "../../pipelines/multi_dataset.ts";
import { runCommand } from "./in_process.ts";
import { places, run, withFolder } from "./user.ts";

const nli = sampleNli({ rows: 900 }).columns;
const graded = sampleGraded({ rows: 300 }).columns;

const lines = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join("\n") + "\n";

/** Files of a user, in three forms: pairs, graded pairs, NLI pairs. */
async function userFiles(folder: string) {
  const files = { qa: join(folder, "qa.jsonl"), graded: join(folder, "graded.jsonl"), nli: join(folder, "nli.jsonl") };
  const pairs = [...nli.label.keys()].filter((row) => nli.label[row] === 0);
  await Deno.writeTextFile(
    files.qa,
    lines(pairs.map((row) => ({ frage: nli.premise[row], antwort: nli.hypothesis[row] }))),
  );
  await Deno.writeTextFile(
    files.graded,
    lines(Array.from(graded.score, (score, row) => ({
      sentence1: graded.sentence1[row],
      sentence2: graded.sentence2[row],
      score,
    }))),
  );
  await Deno.writeTextFile(
    files.nli,
    lines(
      Array.from(nli.label, (label, row) => ({ premise: nli.premise[row], hypothesis: nli.hypothesis[row], label })),
    ),
  );
  return files;
}

/** Runs the command on these sets, with a model of one's own. */
async function runSets(folder: string, sets: readonly object[], ...flags: string[]) {
  const path = join(folder, "sets.json");
  await Deno.writeTextFile(path, JSON.stringify(sets));
  const common = ["--datasets", path, "--model", await sampleBaseModel(), "--output", join(folder, "out")];
  return await runCommand(multiDataset, join(folder, "cache"), ...common, "--max-steps", "6", ...flags);
}

Deno.test("multi_dataset trains on two sets of the sample, tells each by itself, and comes from the cache", () =>
  withFolder(async (folder) => {
    const flags = ["--preset", "test", "--eval-steps", "4", "--output", join(folder, "out")];
    const report = await runCommand(multiDataset, join(folder, "cache"), ...flags);
    const { sets, training, evaluations } = report;
    assert.deepEqual(Object.keys(sets), ["nli", "graded"]);
    assert.equal(sets.nli.batches + sets.graded.batches, training.steps);
    assert.equal(sets.nli.samples + sets.graded.samples, training.samples);
    assert.equal(sets.nli.evaluation.metric, "cosine_ndcg@10");
    assert.equal(sets.graded.evaluation.metric, "spearman_cosine");
    for (const set of [sets.nli, sets.graded]) {
      assert.ok(set.evaluation.held_out && set.data.eval.rows > 0 && set.loss.length > 1);
      assert.ok(set.metrics[set.evaluation.metric] !== undefined && set.before[set.evaluation.metric] !== undefined);
    }
    const [step, values] = evaluations[0];
    assert.equal(step, 4);
    assert.equal(values.mean_of_sets, (values["nli_cosine_ndcg@10"] + values.graded_spearman_cosine) / 2);
    const lines = (await Deno.readTextFile(join(folder, "out", "metrics.jsonl"))).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    assert.ok(lines.some(({ losses }) => losses?.nli > 0) && lines.some(({ losses }) => losses?.graded > 0));
    const page = await Deno.readTextFile(join(folder, "out", "report.html"));
    for (
      const text of ["nli: multiple_negatives_ranking", "graded: cosent", "Hardest anchors: nli", "Leak check: graded"]
    ) {
      assert.ok(page.includes(text), text);
    }
    const card = await Deno.readTextFile(join(folder, "out", "model", "README.md"));
    assert.match(card, /data set graded \| .*cosent/);
    assert.match(card, /nli: cosine_ndcg@10/);
    assert.match(multiDataset.print(report as never), /graded \(cosent\)[^]*spearman_cosine/);
    const again = await runCommand(multiDataset, join(folder, "cache"), ...flags);
    assert.equal(again.training.cached, true);
    assert.deepEqual(again.sets, sets);
  }));

Deno.test("sets of one's own: losses, columns, prompts, weights, batch sizes, a classifier for one of them, short embeddings", () =>
  withFolder(async (folder) => {
    const files = await userFiles(folder);
    const sets = [
      { name: "qa", train: files.qa, loss: "multiple-negatives-ranking", lossOptions: { scale: 30 }, weight: 2 },
      { name: "graded", train: files.graded, loss: "cosine_similarity", holdOut: 50, batchSize: 8 },
      { name: "nli", train: files.nli, loss: "softmax", holdOut: 100 },
    ];
    const mapped = [{ ...sets[0]!, columns: { anchor: "frage", positive: "antwort" } }, ...sets.slice(1)];
    const prompts = { qa: { anchor: "find: ", positive: "found: " }, nli: "nli: " };
    const flags = ["--mixing", "temperature", "--temperature", "5", "--prompts", JSON.stringify(prompts)];
    const report = await runSets(folder, mapped, ...flags, "--accumulate", "2");
    const { qa, graded, nli } = report.sets;
    assert.equal(qa.batches + graded.batches + nli.batches, 12, "two batches an update");
    assert.equal(graded.samples, 8 * graded.batches);
    assert.equal(qa.settings.weight, 2);
    assert.equal(qa.settings.scale, 30);
    assert.equal(graded.settings.prompts, undefined);
    assert.equal(nli.evaluation.metric, "accuracy");
    assert.notEqual(nli.metrics.accuracy, undefined);
    assert.ok(nli.data.eval.rows > 80 && nli.data.eval.rows <= 100);
    const model = join(folder, "out", "model");
    const { prompts: saved } = JSON.parse(await Deno.readTextFile(join(model, "config_sentence_transformers.json")));
    assert.deepEqual(saved, {
      "qa-query": "find: ",
      "nli-query": "nli: ",
      "qa-document": "found: ",
      "nli-document": "nli: ",
    });
    assert.equal((await encode(model, ["a boy"], { promptName: "qa-query" })).rows, 1);
    // The classifier of one set is not that of another, nor the one it began with.
    const entry = report.stages.find(({ name }: { name: string }) => name === "train-sets").key;
    const head = join(folder, "cache", entry.slice(0, 2), entry, "head.safetensors");
    assert.match(new TextDecoder().decode(await Deno.readFile(head)), /nli\/classifier.weight/);
    // NLI rows are the very pairs of qa: held out there, trained on here.
    assert.match(report.warnings.join("\n"), /nli: \d+ of \d+ evaluation rows .* in the training data of qa/);
    assert.ok(nli.leaks.qa.rows > 0 && nli.leaks.graded.rows === 0);

    const short = await runSets(folder, mapped.slice(0, 2), "--matryoshka", "128,32");
    assert.deepEqual(short.sets.graded.dimensions.map(({ dimensions }: { dimensions: number }) => dimensions), [
      128,
      32,
    ]);
    await assert.rejects(runSets(folder, mapped, "--matryoshka", "128,32"), said(/around softmax/, /data set nli/));
    const tuned = await runSets(
      folder,
      mapped.slice(1),
      "--lora-rank",
      "2",
      "--mixing",
      "round-robin",
      "--keep-best",
      "auto",
    );
    assert.ok(tuned.training.trained_parameters < tuned.training.parameters / 10);
    assert.match(tuned.settings["keep best"], /mean_of_sets/);
  }));

/** Whether an error says this, there. */
const said = (what: RegExp, where = /./) => (error: unknown) => {
  const { summary, where: place = "", hint = "", expected = "", found = "" } = error as KindredError;
  assert.match(`${summary}; ${expected}; ${found}; ${hint}`, what);
  assert.match(`${summary}; ${place}`, where);
  return true;
};

Deno.test("what is wrong with one of several sets is said by its name", () =>
  withFolder(async (folder) => {
    const { qa: pairs, graded, nli } = await userFiles(folder);
    const qa = {
      name: "qa",
      train: pairs,
      columns: "anchor=frage,positive=antwort",
      loss: "multiple_negatives_ranking",
    };
    const other = { name: "sts", train: graded, loss: "cosent" };
    await Deno.writeTextFile(join(folder, "plain.jsonl"), lines(Array(40).fill({ text: "red", label: "a" })));
    const cases: readonly [sets: readonly object[], what: RegExp, where: RegExp, ...flags: string[]][] = [
      [[qa, { ...other, loss: "cosnet" }], /no loss of this name.*did you mean cosent/, /data set sts/],
      [[qa, { ...other, loss: "matryoshka" }], /put around another loss/, /data set sts/],
      [[qa, { ...other, columns: { frage: "anchor" } }], /the wrong way round.*anchor=frage/, /data set sts/],
      [[qa, { ...qa, name: "sts", loss: "cosent" }], /cosent does not fit the data/, /data set sts/],
      [[qa, { ...other, train: join(folder, "plain.jsonl") }], /cosent does not fit/, /data set sts/],
      [[qa, { ...other, loss: undefined }], /must be the name of a loss, such as/, /data set sts/],
      [[qa, { ...other, lossOptions: { margin: 1 } }], /no option margin/, /data set sts/],
      [[qa, { ...other, lss: "cosent" }], /there is no setting/, /sts/],
      [[qa, { train: graded, loss: "cosent" }], /must be a text/, /number 2/],
      [[qa, { ...other, name: "qa" }], /same name/, /./],
      [[qa, { ...other, weight: 0 }], /above 0/, /sts/],
      [[{ ...qa, columns: undefined }, other], /"columns" of the set: anchor=NAME/, /data set qa/],
      [[qa, { ...other, loss: "softmax" }], /label/, /data set sts/],
      [[{ ...qa, loss: "triplet" }, other], /triplet does not fit/, /data set qa/],
      [[qa, { ...other, batchSize: 280 }], /fewer rows than a batch.*270 at most/, /data set sts/],
      [[qa, { ...other, limit: 24, holdOut: 0 }], /fewer rows than a batch/, /data set sts/],
      [[qa, { ...other, prompts: { anchor: "q: " } }], /no column anchor/, /data set sts/],
      [[qa, { ...other, loss: "gist_embed" }], /learns from another model|no use for/, /data set sts/],
      [[qa, { ...other, holdOut: 5000 }], /cannot be held out/, /data set sts/],
      [[qa, { ...other, train: join(folder, "none.jsonl") }], /./, /data set sts/],
      [[{ ...qa, weight: 2 }, other], /qa has a weight/, /./, "--mixing", "round-robin"],
      [[qa, other], /a temperature is for/, /./, "--temperature", "3"],
      [[qa, other], /--prompts cannot be read/, /./, "--prompts", '{"qa": 3}'],
      [[qa, other], /--prompts cannot be read.*sets: qa, sts/, /./, "--prompts", '{"stss": "text: "}'],
    ];
    for (const [sets, what, where, ...flags] of cases) {
      await assert.rejects(runSets(folder, sets, ...flags), said(what, where), JSON.stringify(sets));
    }
    const raw = join(folder, "raw.jsonl");
    await Deno.writeTextFile(raw, (await Deno.readTextFile(graded)).replaceAll(/"score":([\d.]+)/g, '"score":5'));
    await assert.rejects(
      runSets(folder, [qa, { name: "raw", train: raw, loss: "cosine_similarity", holdOut: 0 }]),
      said(/cosent, which only asks/, /data set raw: row 1/),
    );
    await Deno.writeTextFile(join(folder, "empty.jsonl"), "");
    await assert.rejects(
      runSets(folder, [qa, { ...other, train: join(folder, "empty.jsonl") }]),
      said(/./, /data set sts/),
    );
    const classes = { name: "nli", train: nli, loss: "softmax", eval: graded };
    await assert.rejects(runSets(folder, [qa, classes], "--limit", "10"), said(/fewer rows/, /data set qa/));
    await Deno.writeTextFile(join(folder, "odd.json"), "{");
    const odd = ["--datasets", join(folder, "odd.json"), "--model", await sampleBaseModel()];
    await assert.rejects(runCommand(multiDataset, folder, ...odd), said(/not JSON/));
    odd[1] = folder;
    await assert.rejects(runCommand(multiDataset, folder, ...odd), said(/no such file of data sets/));
    await assert.rejects(
      runCommand(multiDataset, folder, "--datasets", pairs),
      said(/sample's words|own model|--model/),
    );
  }));

Deno.test("paths in a file of data sets are relative to its folder, wherever the command runs", () =>
  withFolder(async (folder) => {
    await userFiles(folder);
    const qa = { name: "qa", loss: "multiple_negatives_ranking", columns: "anchor=frage,positive=antwort" };
    await Deno.mkdir(join(folder, "lists"));
    const path = join(folder, "lists", "sets.json");
    const trained = async (train: string, more: object = {}) => {
      const sets = [{ ...qa, train, ...more }, { name: "sts", train: join(folder, "graded.jsonl"), loss: "cosent" }];
      await Deno.writeTextFile(path, JSON.stringify(sets));
      const flags = ["--datasets", path, "--model", await sampleBaseModel(), "--max-steps", "2"];
      return await runCommand(multiDataset, join(folder, "cache"), ...flags, "--output", join(folder, "out"));
    };
    const report = await trained("../qa.jsonl", { eval: "./../graded.jsonl" });
    assert.equal(report.sets.qa.data.train.source, join(folder, "qa.jsonl"));
    assert.equal(report.sets.qa.data.eval.source, join(folder, "graded.jsonl"));
    // There from where the command runs, and not beside the file: it is said how it would be written.
    await assert.rejects(
      trained("README.md"),
      said(/relative to the folder.*README.md, where the command/, /data set qa/),
    );
    await assert.rejects(trained("qa.jsonl"), said(/no such data.*lists.qa\.jsonl/, /data set qa/));
  }));

Deno.test("a run over several sets that is killed goes on to the very same model", () =>
  withFolder(async (folder) => {
    const flags = ["--preset", "test", "--max-steps", "24", "--save-steps", "2", "--mixing", "temperature", "--json"];
    const whole = await run("multi_dataset", ...flags, ...places(join(folder, "whole")));
    assert.equal(whole.code, 0, whole.err);
    const other = places(join(folder, "killed"));
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "pipelines/multi_dataset.ts", ...flags, ...other],
      cwd: new URL("../..", import.meta.url),
      stdout: "null",
      stderr: "null",
    }).spawn();
    const saved = async () => {
      for await (const path of walk(join(folder, "killed"))) if (path.endsWith("checkpoint.safetensors")) return true;
      return false;
    };
    let killed = false;
    for (let i = 0; i < 2000 && !killed; i++) {
      await new Promise((done) => setTimeout(done, 20));
      killed = await saved();
    }
    child.kill("SIGKILL");
    await child.status;
    assert.ok(killed, "a checkpoint was written");
    const resumed = await run("multi_dataset", ...flags, ...other);
    assert.equal(resumed.code, 0, resumed.err);
    assert.match(resumed.err, /^training.*\n(.*\n)?going on from the checkpoint of step \d+ of 24$/m);
    assert.doesNotMatch(whole.err, /going on/);
    const [a, b] = [JSON.parse(whole.out), JSON.parse(resumed.out)];
    assert.equal(b.training.cached, undefined);
    assert.deepEqual(b.sets, a.sets);
    const weights = (report: { readonly model: string }) => Deno.readFile(join(report.model, "model.safetensors"));
    assert.deepEqual(await weights(b), await weights(a));
  }));

async function* walk(folder: string): AsyncGenerator<string> {
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name, isDirectory } of entries) {
    if (isDirectory) yield* walk(join(folder, name));
    else yield join(folder, name);
  }
}
