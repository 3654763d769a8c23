import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { datasetOf } from "../../lib/data/mod.ts";
import { teacherScores } from "../../lib/pipeline/stages/teacher_scores.ts";
import { encode, predict } from "../../lib/simple/mod.ts";
import { pairwiseSimilarities } from "../../lib/embed/mod.ts";
import { runStages, valueOf } from "../../lib/stage/mod.ts";
import { given } from "../../lib/stage/run.ts";
import { model } from "../../lib/stage/roots.ts";
import { command as finetuning } from "../../pipelines/supervised_finetune.ts";
import { command as ranking } from "../../pipelines/multiple_negatives_ranking.ts";
import { goldenPath } from "../golden/golden.ts";
import { runCommand } from "./in_process.ts";
import { run, withFolder } from "./user.ts";

const base = goldenPath("training/model");
const words = "red green blue fish bird tree runs sings grows".split(" ");
const texts = (step: number) => Array.from({ length: 40 }, (_, i) => `${words[(i + step) % 9]} ${i}`);

Deno.test("--loss gist leaves out what a guide with another tokenizer finds near, by margins of both kinds", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(ranking, join(folder, "cache"), ...common, ...flags);
    const gist = ["--loss", "gist", "--guide", goldenPath("folders/static")];
    const { runs, model, stages } = await go(...gist, "--loss-options", "margin=.1,margin-strategy=relative");
    const { loss, margin, "margin strategy": strategy } = runs.main.settings;
    assert.deepEqual([loss, margin, strategy], ["gist_embed", 0.1, "relative"]);
    assert.match(await Deno.readTextFile(join(model, "README.md")), /gist_embed \(Solatorio[^]*guide.*static/);
    assert.ok(stages.some(({ name }: { name: string }) => name === "guide"));
    const other = await go(...gist, "--loss-options", "margin=-.5");
    const before = other.stages.find(({ name }: { name: string }) => name === "guide");
    assert.ok(
      before.cached && !other.training.cached,
      "the guide has embedded these texts, the training is another one",
    );
    await assert.rejects(go("--loss", "gist"), /expected: --guide MODEL|leaves out negatives/);
    await assert.rejects(go("--guide", base), /no use for a guide/);
    await assert.rejects(go(...gist, "--loss-options", "margin=.1,scale=3"), /no option scale/);
  }));

Deno.test("margin-mse and distill-kl learn the scores that rows have, or those of any teacher", () =>
  withFolder(async (folder) => {
    const common = ["--max-steps", "2", "--batch-size", "8", "--output", join(folder, "out"), "--force"];
    const go = (...flags: string[]) => runCommand(finetuning, join(folder, "cache"), ...common, ...flags);
    const own = ["--model", base, "--train", join(folder, "rows.jsonl"), "--hold-out", "8"];
    const [query, positive, negative, negative_2] = [0, 1, 2, 3].map(texts);
    const write = (more: (row: number) => object) =>
      Deno.writeTextFile(
        join(folder, "rows.jsonl"),
        query!.map((query, i) =>
          JSON.stringify({ query, positive: positive![i], negative: negative![i], ...more(i) }) + "\n"
        ).join(""),
      );
    await write((i) => ({ negative_2: negative_2![i], score: [3, 1, i / 40] }));
    const kl = await go(...own, "--loss", "distill-kl", "--loss-options", "temperature=2,similarity=cosine");
    assert.equal(kl.runs.main.settings["loss"], "distill_kl_div");
    assert.equal(kl.evaluation.kind, "retrieval", "who learns scores is asked to find");
    assert.ok(kl.metrics["cosine_ndcg@10"] > 0);
    await write((i) => ({ score: i / 10 }));
    const margins = await go(...own, "--loss", "margin-mse");
    assert.equal(margins.data.train.rows, 32);
    await assert.rejects(go(...own, "--loss", "distill-kl"), /2 columns? of texts|does not fit|, 2 of them/);

    await write(() => ({}));
    const taught = await go(...own, "--loss", "distill-kl", "--teacher", goldenPath("folders/static"));
    assert.ok(taught.stages.some(({ name }: { name: string }) => name === "teacher-scores"));
    await assert.rejects(go(...own, "--loss", "margin-mse"), /no column for score[^]*--teacher MODEL/);
    await assert.rejects(go(...own, "--teacher", base), /no use for a teacher/);
    await write(() => ({ negative: undefined }));
    const alone = ["--loss", "margin-mse", "--teacher", goldenPath("folders/static"), "--negatives", "none"];
    await assert.rejects(go(...own, ...alone), /each row has one alone[^]*--negatives semi-hard/);
    await assert.rejects(go("--train", join(folder, "rows.jsonl"), "--teacher", base), /knows only the sample's words/);
  }));

Deno.test("on the sample, the judge of margin-mse is trained by the run itself; the command line says so", () =>
  withFolder(async (folder) => {
    const places = ["--cache-dir", join(folder, "cache"), "--output", join(folder, "out"), "--kernels", "wasm"];
    const { code, out, err } = await run("multiple_negatives_ranking", ...places, ...[
      ...["--preset", "test", "--limit", "60", "--max-steps", "1", "--loss", "margin-mse", "--json"],
    ]);
    assert.equal(code, 0, err);
    const { stages, runs } = JSON.parse(out);
    const names = stages.map(({ name }: { name: string }) => name);
    assert.ok(names.indexOf("cross-encoder") >= 0 && names.includes("teacher-scores"), names.join());
    assert.equal(runs.main.settings["loss"], "margin_mse");
    const wrong = await run("multiple_negatives_ranking", ...places, "--loss", "gits");
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /gist/);
  }));

Deno.test("a teacher's scores are those of its pairs: logits or probabilities of a cross-encoder, cosines of another model", () =>
  withFolder(async (cacheDir) => {
    const columns = { anchor: texts(0), positive: texts(1), negative: texts(2) };
    const judge = goldenPath("cross_encoder/bert_score");
    const scored = await runStages(
      Effect.gen(function* () {
        const rows = yield* given(datasetOf(columns));
        const by = (teacher: string, scale?: "probability") =>
          Effect.flatMap(model(teacher), (teacher) => teacherScores({ teacher, rows }, { scale }));
        return [
          yield* valueOf(yield* by(judge)),
          yield* valueOf(yield* by(judge, "probability")),
          yield* valueOf(yield* by(base)),
        ].map(({ columns }) => columns as unknown as Record<string, Float64Array>);
      }),
      { cacheDir },
    );
    for (const [name, documents] of [["score", columns.positive], ["score_2", columns.negative]] as const) {
      const said = await predict(judge, columns.anchor.map((text, i) => [text, documents[i]!]));
      const queries = await encode(base, columns.anchor, { promptName: "query" });
      const found = await encode(base, documents);
      const { cosine } = pairwiseSimilarities(queries, found);
      for (let i = 0; i < 40; i++) {
        const [logit, probability, similarity] = scored.map((columns) => columns[name]![i]!);
        assert.ok(Math.abs(1 / (1 + Math.exp(-logit!)) - probability!) < 1e-6);
        assert.ok(Math.abs(said[i]![0]! - Math.tanh(logit!)) < 1e-6, "this judge has an activation of its own");
        assert.ok(Math.abs(cosine[i]! - similarity!) < 1e-6);
      }
    }
  }));
