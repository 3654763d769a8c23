import assert from "node:assert/strict";
import { evaluateTask } from "../../../lib/evaluate/mteb/evaluate.ts";
import { openDatasetFolder } from "../../../lib/evaluate/mteb/files.ts";
import type { MtebTask } from "../../../lib/evaluate/mteb/task.ts";
import { taskNamed } from "../../../lib/evaluate/mteb/tasks.ts";
import { golden, inFolder, jsonLines, withTable } from "./golden.ts";

/** The files of a run, as the hub or BEIR lays them out. */
function filesOf(data: Record<string, Record<string, unknown>>): Record<string, string> {
  if (data["corpus"] === undefined) {
    return Object.fromEntries(
      Object.entries(data).map(([split, columns]) => [
        `data/${split}-00000-of-00001.jsonl`,
        jsonLines(columns as Record<string, readonly unknown[]>),
      ]),
    );
  }
  const [corpus, queries] = [data["corpus"], data["queries"]!];
  const judged = Object.entries(data["relevant"] as Record<string, Record<string, number>>);
  const files: Record<string, string> = {
    "corpus.jsonl": jsonLines({
      _id: Object.keys(corpus),
      title: Object.keys(corpus).map(() => ""),
      text: Object.values(corpus),
    }),
    "queries.jsonl": jsonLines({ _id: Object.keys(queries), text: Object.values(queries) }),
    "qrels/test.tsv": "query-id\tcorpus-id\tscore\n" +
      judged.flatMap(([query, documents]) =>
        Object.entries(documents).map(([document, score]) => `${query}\t${document}\t${score}\n`)
      ).join(""),
  };
  const listed = data["top_ranked"];
  if (listed !== undefined) {
    files["top_ranked.jsonl"] = jsonLines({ "query-id": Object.keys(listed), "corpus-ids": Object.values(listed) });
  }
  return files;
}

/** Compares scores, also those in lists and maps; what is not a number in mteb is null or NaN here. */
function compare(path: string, found: unknown, expected: unknown): void {
  if (typeof expected === "number") {
    assert.ok(typeof found === "number", `${path}: ${found} instead of ${expected}`);
    assert.ok(Math.abs(found - expected) <= 2e-6, `${path}: ${found} instead of ${expected}`);
  } else if (expected === null) {
    assert.ok(found === null || Number.isNaN(found), `${path}: ${found} instead of nothing`);
  } else if (typeof expected === "object") {
    assert.deepEqual(Object.keys(found as object).sort(), Object.keys(expected).sort(), path);
    for (const [name, value] of Object.entries(expected)) {
      compare(`${path}.${name}`, (found as Record<string, unknown>)[name], value);
    }
  } else assert.equal(found, expected, path);
}

const BORNHOLM: MtebTask = {
  name: "BornholmBitextMining",
  type: "BitextMining",
  eval_splits: ["test"],
  eval_langs: ["dan-Latn"],
};

// deno-lint-ignore no-explicit-any
for (const [key, run] of Object.entries(golden.runs as Record<string, any>)) {
  Deno.test(`${key}: every score of mteb`, async () => {
    const known = run.task === BORNHOLM.name ? BORNHOLM : taskNamed(run.task);
    const { columns: _, ...settings } = known;
    const task = { ...settings, ...run.attributes } as MtebTask;
    const [split] = task.eval_splits;
    const result = await inFolder(
      filesOf(run.data),
      (folder) =>
        withTable(async (embedder) => await evaluateTask(embedder, task, { folder: await openDatasetFolder(folder) })),
    );
    const { mteb_version: version, languages, ...expected } = run.scores;
    const { mteb_version: mine, languages: own, ...found } = result.scores[split!]![0]!;
    assert.equal(mine, version);
    if (key !== "bitext_mining") assert.deepEqual(own, languages);
    compare(key, found, expected);
  });
}
