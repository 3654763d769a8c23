import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleLists } from "../../lib/data/sample/mod.ts";
import { run, withFolder } from "./user.ts";

Deno.test("cross_encoder learns from mined lists and from rows by query, held out by query and stopped by NDCG", () =>
  withFolder(async (folder) => {
    const cache = ["--cache-dir", join(folder, "cache"), "--json", "--quiet"];
    const mined = await run(
      "hard_negatives",
      ...["--preset", "test", "--rows", "labeled-list", "--output", join(folder, "mined"), ...cache],
    );
    assert.equal(mined.code, 0, mined.out + mined.err);
    const lists = join(folder, "mined", "negatives.jsonl");
    const { columns, rows } = sampleLists({ rows: 40 });
    const csv = ["frage,text,note"];
    for (let row = 0; row < rows; row++) {
      csv.push(`${columns.query[row]},${columns.document[row]},${columns.relevance[row]}`);
    }
    const graded = join(folder, "graded.csv");
    await Deno.writeTextFile(graded, csv.join("\n"));

    const short = ["--batch-size", "8", "--max-steps", "6"];
    const first = await run(
      "cross_encoder",
      ...["--loss", "list-net", "--train", lists, "--hold-out", "10", ...short, ...cache],
      ...["--model", await sampleBaseModel(), "--output", join(folder, "1")],
    );
    assert.equal(first.code, 0, first.out + first.err);
    const one = JSON.parse(first.out);
    assert.deepEqual(Object.keys(one.metrics), ["map", "mrr@10", "ndcg@10"]);
    assert.ok(one.baseline.jaccard > 0 && one.evaluations === undefined && one.before === undefined);

    const second = await run(
      "cross_encoder",
      ...["--loss", "lambda", "--loss-options", "weighting=lambda-rank,k=3", "--train", graded, ...short, ...cache],
      ...["--model", one.model],
      ...["--columns", "query=frage,documents=text,labels=note", "--eval-steps", "1", "--patience", "2"],
      ...["--relevant-from", "4", "--output", join(folder, "2")],
    );
    assert.equal(second.code, 0, second.out + second.err);
    const two = JSON.parse(second.out);
    assert.deepEqual([two.settings["weighting"], two.settings["k"], two.settings["keep best"]], [
      "lambda_rank",
      3,
      "ndcg@10",
    ]);
    assert.deepEqual(Object.keys(two.before), Object.keys(two.metrics), "a judge is measured before as well");
    const best = Math.max(
      ...two.evaluations.map(([, metrics]: [number, Record<string, number>]) => metrics["ndcg@10"]),
    );
    assert.equal(two.metrics["ndcg@10"], best, "the best weights are kept");
    const page = await Deno.readTextFile(join(folder, "2", "report.html"));
    assert.match(
      page,
      /4 lists of \d+ documents.*ndcg@10 on the way.*Scores of documents.*most relevant document of a list/s,
    );
    const card = await Deno.readTextFile(join(folder, "2", "model", "README.md"));
    assert.match(card, /CrossEncoder\("path/);
    assert.match(card, /36 lists of \d+ documents/);
    assert.match(first.err + second.err, /^$/);

    const refused = await run("cross_encoder", "--loss", "lamda", ...cache);
    assert.equal(refused.code, 2);
    assert.match(JSON.parse(refused.out).error.message, /--loss must be one of adr-mse,/);
  }));
