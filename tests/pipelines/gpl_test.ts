import assert from "node:assert/strict";
import { join } from "node:path";
import { command as gpl } from "../../pipelines/gpl.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

Deno.test("gpl makes queries, finds and labels negatives, trains, and is measured in the whole corpus", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(gpl, join(folder, "cache"), ...common, ...flags);
    const { evaluation, details, data, stages, metrics, training } = await go();
    assert.equal(evaluation.kind, "corpus");
    assert.ok(evaluation.held_out && metrics["cosine_ndcg@10"] > 0);
    assert.equal(details["queries"], 200);
    assert.equal(details["margins are of"], "logit");
    assert.ok(data.train.rows > 300, "two negatives of each query that is not held out");
    const named = (name: string) => stages.filter((stage: { name: string }) => stage.name === name);
    assert.equal(named("candidates").length, 1);

    // All negatives of a query in one row, each with its margin.
    const wide = await go("--negatives-per-row", "2");
    const { "negatives too few to fill a row": left } = wide.details;
    assert.ok(wide.data.train.rows > 150);
    assert.equal(2 * wide.data.train.rows + left, data.train.rows);
    assert.equal(wide.training.samples, training.samples);
    assert.ok(wide.training.tokens > training.tokens, "as many rows, each with a text more");
    assert.equal(wide.stages.find(({ name }: { name: string }) => name === "candidates").cached, true);
    await assert.rejects(go("--negatives-per-row", "3"), /do not fill its rows/);

    const again = await go();
    assert.equal(again.training.cached, true);
    assert.deepEqual(again.metrics, metrics);

    // Two encoders: the base, and what came of it. What was done before the negatives is not done again.
    const both = await go("--miner", [1, 2].map(() => join(folder, "out", "model")).join());
    assert.equal(both.stages.find(({ name }: { name: string }) => name === "queries").cached, true);
    assert.ok(both.stages.some(({ name }: { name: string }) => name === "merge-candidates"));
    await assert.rejects(go("--queries-per-passage", "2"), /there is none/);
    await assert.rejects(
      go("--train", join(folder, "own.txt"), "--model", join(folder, "out", "model")),
      /needs a judge/,
    );
  }));

Deno.test("a language model writes the queries of gpl, each asked for once", () =>
  withFolder(async (folder) => {
    let asked = 0;
    await using server = Deno.serve({ port: 0, onListen() {} }, async (request) => {
      await request.json();
      const content = `who was there, number ${++asked}`;
      return Response.json({ choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] });
    });
    const model = ["--generator-url", `http://127.0.0.1:${server.addr.port}/v1`, "--generator-model", "tiny"];
    const common = ["--preset", "test", "--limit", "30", "--max-steps", "1", "--output", join(folder, "out"), ...model];
    const go = (...flags: string[]) => runCommand(gpl, join(folder, "cache"), ...common, ...flags);
    const { details } = await go("--queries-per-passage", "2");
    assert.deepEqual([details["queries"], details["queries are by"], asked], [60, "tiny", 60]);
    await go("--queries-per-passage", "3", "--margins", "probability");
    assert.equal(asked, 90, "only the third query of each passage was new");
  }));
