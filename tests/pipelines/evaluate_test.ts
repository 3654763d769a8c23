import assert from "node:assert/strict";
import { join } from "node:path";
import { parquetSink } from "../../lib/data/parquet.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { readTable } from "../../lib/data/table.ts";
import { encodeTexts } from "../../lib/embed/encode.ts";
import { pairwiseSimilarities } from "../../lib/embed/pairwise.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { similarityMetrics } from "../../lib/evaluate/similarity.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { goldenPath } from "../golden/golden.ts";
import { run, withFolder } from "./user.ts";

const DATA = {
  similarity: ["sentence1,sentence2,score", "the boy eats,the boy eats,5", "a dog runs,the queen sleeps,0"],
  retrieval: ["question,answer", "the boy eats,the boy eats", "a dog runs,the queen sleeps"],
  triplet: ["anchor,positive,negative", "the boy eats,the boy eats,a dog runs", "a dog runs,a dog runs,=1"],
};

Deno.test("evaluate leaves every row's cosines as a table, and its metrics beside them", () =>
  withFolder(async (folder) => {
    const model = await sampleBaseModel();
    for (const [task, lines] of Object.entries(DATA)) {
      const data = join(folder, `${task}.csv`);
      await Deno.writeTextFile(data, lines.join("\n") + "\n");
      const output = join(folder, task);
      const columns = task === "retrieval" ? ["--columns", "anchor=question,positive=answer"] : [];
      const { code, out, err } = await run(
        "evaluate",
        ...["--model", model, "--eval", data, "--output", output, "--json", ...columns],
      );
      assert.equal(code, 0, err);
      assert.equal(JSON.parse(out).task, task);
      assert.deepEqual(JSON.parse(await Deno.readTextFile(join(output, "report.json"))), JSON.parse(out));
      const scores = await readTable(join(output, "scores.csv"), { header: true });
      assert.equal(scores.rows, 2);
      const cosine = scores.columns.get(task === "triplet" ? "positive_cosine" : "cosine")!.map(Number);
      assert.ok(Math.abs(cosine[0]! - 1) < 1e-6, "a text and itself");
      assert.ok(task === "triplet" || cosine[1]! < 0.999, "two others");
    }
    const refused = await run("evaluate", "--model", model, "--eval", join(folder, "triplet.csv"), "--output", folder);
    assert.equal(refused.code, 2, "a folder of others is not written into");
  }));

Deno.test("evaluate measures rows some at a time as it would all at once", () =>
  withFolder(async (folder) => {
    const words = ["boy", "girl", "dog", "cat", "king", "queen", "castle", "apple"];
    const text = (i: number) => `the ${words[i % 8]} sees the ${words[(i >> 3) % 8]} and the ${words[(i >> 6) % 8]}`;
    const first = Array.from({ length: 1200 }, (_, i) => text(i)); // several chunks
    const second = first.map((_, i) => text(7 * i + 3));
    const score = Float64Array.from(first, (_, i) => i * 37 % 11);
    const data = join(folder, "a.csv");
    const lines = first.map((a, i) => `${a},${second[i]},${score[i]}\n`);
    await Deno.writeTextFile(data, "sentence1,sentence2,score\n" + lines.join(""));
    const output = join(folder, "out");
    const model = await sampleBaseModel();
    const { code, out, err } = await run(
      "evaluate",
      ...["--model", model, "--eval", data, "--output", output, "--json", "--kernels", "wasm"],
    );
    assert.equal(code, 0, err);
    const engine = createCpuEngine({ threads: 1 });
    const encoder = await loadBiEncoder(engine, model);
    const [a, b] = [await encodeTexts(engine, encoder, first), await encodeTexts(engine, encoder, second)];
    assert.deepEqual(JSON.parse(out).metrics, similarityMetrics(a, b, score));
    assert.equal(JSON.parse(out).rows, 1200);
    const scores = await readTable(join(output, "scores.csv"));
    assert.deepEqual(scores.columns.get("cosine")!.map(Number), [...pairwiseSimilarities(a, b).cosine]);

    const cut = ["--model", model, "--eval", data, "--json", "--kernels", "wasm", "--truncate-dim", "8"];
    const short = JSON.parse((await run("evaluate", ...cut)).out);
    const shorter = { ...encoder, truncateDim: 8 };
    const [c, d] = [await encodeTexts(engine, shorter, first), await encodeTexts(engine, shorter, second)];
    assert.deepEqual([short.metrics, short.width], [similarityMetrics(c, d, score), 8]);
    assert.notDeepEqual([short.metrics, encoder.width], [JSON.parse(out).metrics, 8]);
    engine.close();

    // Of a Parquet file, columns under other names, and lists beside them.
    const parquet = join(folder, "a.parquet");
    const sink = await parquetSink(parquet, { vector: "vector", a: "text", b: "text", grade: "float64" });
    await sink.write({ vector: new Float32Array(2 * 1200), a: first, b: second, grade: score }, 1200);
    await sink.finish();
    const columns = "sentence1=a,sentence2=b,score=grade";
    const other = await run(
      "evaluate",
      ...["--model", model, "--eval", parquet, "--columns", columns, "--json", "--kernels", "wasm"],
    );
    assert.equal(other.code, 0, other.err);
    assert.deepEqual(JSON.parse(other.out).metrics, JSON.parse(out).metrics);
  }));

Deno.test("an evaluation that fails leaves no table and no folder", () =>
  withFolder(async (folder) => {
    const data = join(folder, "a.csv");
    await Deno.writeTextFile(data, "sentence1,sentence2,score\na,b,1\nc,d,1\n");
    const output = join(folder, "out");
    const { code, err } = await run("evaluate", "--model", await sampleBaseModel(), "--eval", data, "--output", output);
    assert.equal(code, 1);
    assert.match(err, /at least two different/);
    await assert.rejects(() => Deno.stat(output), Deno.errors.NotFound);
  }));

Deno.test("evaluate asks a cross-encoder for scores, classes and ranks, and a bi-encoder for ranks", () =>
  withFolder(async (folder) => {
    const judge = goldenPath("cross_encoder/bert_score");
    const file = async (name: string, lines: readonly string[]) => {
      await Deno.writeTextFile(join(folder, name), lines.join("\n") + "\n");
      return join(folder, name);
    };
    const lists = await file("lists.jsonl", [
      JSON.stringify({ query: "red bird", documents: ["blue sky", "red bird sings", "fish"], labels: [0, 2, 1] }),
      JSON.stringify({ query: "green tree", documents: ["tree grows", "fish"], labels: [1, 0] }),
    ]);
    const single = await file("rows.csv", [
      "query,document,label",
      ...["red bird,blue sky,0", "red bird,red bird sings,2", "red bird,fish,1"],
      ...["green tree,tree grows,1", "green tree,fish,0"],
    ]);
    const scored = await file("scored.csv", [
      "sentence1,sentence2,score",
      "red bird,bird,1",
      "fish,tree,0",
      "sky,sky,.4",
    ]);
    const classes = await file("classes.csv", ["premise,hypothesis,label", "red bird,bird,0", "fish,tree,2", "a,b,-1"]);
    const measured = async (model: string, data: string, output: string, ...more: string[]) => {
      const { code, out, err } = await run(
        "evaluate",
        ...["--model", model, "--eval", data, "--json", "--output", join(folder, output), ...more],
      );
      assert.equal(code, 0, err);
      const { task, rows, metrics } = JSON.parse(out);
      const scores = await readTable(join(folder, output, "scores.csv"), { header: true });
      assert.equal(scores.rows, rows);
      return { task, rows, metrics, names: scores.names };
    };
    const ranked = await measured(judge, lists, "1");
    assert.deepEqual([ranked.task, ranked.rows, Object.keys(ranked.metrics)], ["reranking", 5, [
      "map",
      "mrr@10",
      "ndcg@10",
    ]]);
    assert.deepEqual(ranked.names, ["query", "document", "relevance", "prediction"]);
    assert.deepEqual(
      await measured(judge, single, "2", "--task", "reranking"),
      ranked,
      "rows by query are the same lists",
    );
    assert.deepEqual(await measured(judge, single, "2b"), ranked, "what the names of the columns say");
    const pairs = await measured(judge, scored, "3");
    assert.deepEqual([pairs.task, Object.keys(pairs.metrics)], ["pair-scores", ["pearson", "spearman"]]);
    const labelled = await measured(goldenPath("cross_encoder/bert_classes"), classes, "4");
    assert.deepEqual([labelled.task, labelled.rows], ["pair-classes", 2], "a pair without a class is left out");
    assert.deepEqual(labelled.names.slice(3), ["prediction_0", "prediction_1", "prediction_2"]);
    const cosines = await measured(await sampleBaseModel(), lists, "5", "--relevant-from", "2");
    assert.deepEqual([cosines.task, cosines.names.at(-1)], ["reranking", "cosine"]);
    const byRows = await measured(await sampleBaseModel(), single, "6", "--relevant-from", "2");
    assert.deepEqual(byRows.metrics, cosines.metrics);
    const refused = await run("evaluate", "--model", judge, "--eval", scored, "--task", "similarity");
    assert.equal(refused.code, 2);
    assert.match(refused.err, /--task reranking/);
    const idle = await run("evaluate", "--model", judge, "--eval", scored, "--relevant-from", "1");
    assert.match(idle.err, /--relevant-from is for lists/);
  }));

Deno.test("evaluate --baselines puts averaged word vectors and an untuned encoder beside the model", () =>
  withFolder(async (folder) => {
    const [data, vectors] = [join(folder, "a.csv"), join(folder, "vectors.txt")];
    await Deno.writeTextFile(data, DATA.similarity.join("\n") + "\na boy runs,the boy eats,2\n");
    const words = ["boy", "eats", "dog", "runs", "queen", "sleeps"];
    await Deno.writeTextFile(vectors, words.map((word, i) => `${word} ${i} ${1 + i * i} 1\n`).join(""));
    const model = await sampleBaseModel();
    const asked = ["--model", model, "--eval", data, "--baselines", `${vectors}, ${model}:cls,${model}:mean`];
    const { code, out, err } = await run("evaluate", ...asked, "--json");
    assert.equal(code, 0, err);
    const { metrics, baselines } = JSON.parse(out);
    assert.deepEqual(Object.keys(baselines), [vectors, `${model}:cls`, `${model}:mean`]);
    assert.deepEqual(baselines[`${model}:mean`], metrics, "the folder's own pooling");
    assert.notEqual(baselines[`${model}:cls`].pearson_cosine, metrics.pearson_cosine);
    assert.match((await run("evaluate", ...asked)).out, /beside its baselines/);
    const wrong = await run("evaluate", "--model", model, "--eval", data, "--baselines", `${model}:median`);
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /no such pooling/);
  }));
