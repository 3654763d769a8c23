import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { readTable } from "../../lib/data/table.ts";
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
