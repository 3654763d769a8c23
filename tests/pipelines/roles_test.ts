/** One rule of roles: every command puts the same prompt before the same text. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { readTable } from "../../lib/data/table.ts";
import { encodeTexts, type Role } from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { embedderOf } from "../../lib/evaluate/mteb/embedder.ts";
import { loadBiEncoder, saveBiEncoder } from "../../lib/model/mod.ts";
import { roleEncoder } from "../../lib/embed/roles.ts";
import { evaluateRows } from "../../lib/pipeline/stages/evaluate_rows.ts";
import { readEmbeddings } from "../../lib/pipeline/embedding_reader.ts";
import { openModel } from "../../lib/simple/mod.ts";
import { command as encodeCommand } from "../../pipelines/encode.ts";
import { command as mineCommand } from "../../pipelines/hard_negatives.ts";
import { command as searchCommand } from "../../pipelines/search.ts";
import { command as trainCommand } from "../../pipelines/multiple_negatives_ranking.ts";
import { withFolder } from "../folder.ts";
import { assertNear } from "../golden/golden.ts";
import { runCommand } from "./in_process.ts";

const anchors = ["the boy eats", "the queen sleeps", "a dog runs"];
const positives = ["a child has a meal", "a woman rests", "an animal is fast"];
const STILL = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 };
const PROMPTS = { query: "the girl ", passage: "the king " };

Deno.test("encode, search, evaluate, train, mine and mteb embed queries and documents alike", () =>
  withFolder(async (folder) => {
    const engine = createCpuEngine({ threads: 1 });
    const base = await loadBiEncoder(engine, await sampleBaseModel());
    const path = join(folder, "model");
    // Prompts are no part of the pooled text, so that this is seen as well.
    const modules = base.modules.map((spec) => spec.type === "pooling" ? { ...spec, includePrompt: false } : spec);
    await saveBiEncoder(
      engine,
      { ...base, config: { ...base.config, ...STILL }, modules, prompts: PROMPTS },
      path,
      "# A model\n",
    );
    const model = await loadBiEncoder(engine, path);
    const of = async (texts: readonly string[], promptName: string) =>
      (await encodeTexts(engine, model, texts, { promptName })).data;
    const expected = { query: await of(anchors, "query"), document: await of(positives, "passage") };
    const roles = [["query", anchors, "query"], ["document", positives, "passage"]] as const;
    const { width } = model;
    const cosines = anchors.map((_, i) =>
      positives.map((_, j) => {
        const [a, b] = [expected.query, expected.document].map((data, k) => {
          const row = [i, j][k]!;
          return data.subarray(row * width, (row + 1) * width);
        });
        const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
        return dot(a!, b!) / Math.sqrt(dot(a!, a!) * dot(b!, b!));
      })
    );

    const opened = await openModel(path, { engine: { engine: "cpu", kernels: "wasm", threads: 1 } });
    for (const [role, texts, promptName] of roles) {
      const { data } = await roleEncoder(engine, model)(texts, role);
      assert.deepEqual(data, expected[role], `roleEncoder, ${role}`);
      const asked = await (role === "query" ? opened.encodeQuery(texts) : opened.encodeDocument(texts));
      assertNear(`openModel, ${role}`, asked.data, expected[role], 1e-6);
      const embedder = embedderOf(engine, model, { name: "NFCorpus", type: "Retrieval" });
      assert.deepEqual((await embedder.embed(texts, role as Role)).data, expected[role], `mteb, ${role}`);
      const [input, output] = [join(folder, `${role}.txt`), join(folder, `${role}.npy`)];
      await Deno.writeTextFile(input, texts.join("\n") + "\n");
      await runCommand(
        encodeCommand,
        folder,
        ...["--model", path, "--input", input, "--output", output, "--prompt", promptName],
      );
      assertNear(`encode --prompt ${promptName}`, (await readEmbeddings(output)).data, expected[role], 1e-6);
    }
    await opened.close();

    const corpus = join(folder, "corpus.csv");
    await Deno.writeTextFile(corpus, ["text", ...positives, ""].join("\n"));
    const found = await runCommand(
      searchCommand,
      join(folder, "cache"),
      ...["--model", path, "--corpus", corpus, "--queries", join(folder, "query.txt")],
    );
    for (const [i, { hits }] of found.queries.entries()) {
      assert.equal(hits.length, positives.length);
      for (const { text, similarity: score } of hits) {
        const expected = cosines[i]![positives.indexOf(text)]!;
        assert.ok(Math.abs(score - expected) < 1e-4, `search: ${score} instead of ${expected}`);
      }
    }

    const pairs = { columns: { anchor: anchors, positive: positives }, rows: anchors.length };
    const { similarities } = await evaluateRows(engine, model, pairs as never, { kind: "retrieval" });
    assertNear("evaluate", similarities!, anchors.map((_, i) => cosines[i]![i]!), 1e-5);

    const data = join(folder, "pairs.csv");
    await Deno.writeTextFile(
      data,
      ["anchor,positive", ...anchors.map((text, i) => `${text},${positives[i]}`), ""].join("\n"),
    );
    const own = ["--model", path, "--train", data, "--batch-size", "3", "--max-steps", "1", "--logging-steps", "1"];
    const out = ["--hold-out", "0", "--output", join(folder, "out")];
    const report = await runCommand(trainCommand, join(folder, "cache"), ...own, ...out);
    // The loss of a first step says what was trained on.
    const loss = anchors.reduce((sum, _, i) => {
      const scores = cosines[i]!.map((cosine) => Math.exp(20 * cosine));
      return sum - Math.log(scores[i]! / scores.reduce((a, b) => a + b)) / anchors.length;
    }, 0);
    assertNear("train", [report.runs.main.training.loss[0][1]], [loss], 1e-5);

    const mined = join(folder, "mined");
    await runCommand(
      mineCommand,
      join(folder, "cache"),
      ...["--model", path, "--train", data, "--output-scores", "--num-negatives", "1", "--output", mined],
    );
    const { rows, columns } = await readTable(join(mined, "negatives.parquet"));
    for (let row = 0; row < rows; row++) {
      const cell = (name: string) => columns.get(name)![row]!;
      for (const kind of ["positive", "negative"]) {
        const expected = cosines[anchors.indexOf(`${cell("anchor")}`)]![positives.indexOf(`${cell(kind)}`)]!;
        const score = Number(cell(`${kind}_score`));
        assert.ok(Math.abs(score - expected) < 1e-4, `mine: ${score} instead of ${expected}`);
      }
    }
    engine.close();
  }));
