import assert from "node:assert/strict";
import { join } from "node:path";
import {
  asMarginRows,
  asRankedDocuments,
  documentLists,
  holdOutLists,
  listOffsets,
  rankedDocuments,
  readTable,
} from "../../lib/data/mod.ts";
import { parseColumns } from "../../lib/data/column_mapping.ts";
import { sampleLists, sampleSts } from "../../lib/data/sample/mod.ts";
import { DatasetError } from "../../lib/error.ts";
import { withFolder } from "../folder.ts";
import { goldenPath } from "../golden/golden.ts";

async function tableOf(folder: string, name: string, text: string) {
  await Deno.writeTextFile(join(folder, name), text);
  return await readTable(join(folder, name));
}

const FRANCE = ["The capital of France is Paris.", "Paris is the capital of France.", "Paris is quite large."];

Deno.test("lists are read from JSON lines, JSON and Parquet, by the names that others give them", () =>
  withFolder(async (folder) => {
    const mined = [
      { anchor: "hot", documents: ["warm", "cold"], labels: [1, 0], scores: [0.9, 0.2] },
      { anchor: "hot", documents: ["boiling"], labels: [1], scores: [0.8] },
    ];
    const lines = mined.map((row) => JSON.stringify(row)).join("\n");
    const { columns, rows } = asRankedDocuments(await tableOf(folder, "lists.jsonl", lines));
    assert.equal(rows, 3);
    assert.deepEqual([...columns.list], [0, 0, 1]); // two lists of one query stay two
    assert.deepEqual(columns.document, ["warm", "cold", "boiling"]);
    assert.deepEqual([...columns.relevance], [1, 0, 1]);
    const mapping = { query: "q", documents: "d", labels: "l" };
    const named = await tableOf(folder, "lists.json", '[{"q": "hot", "d": ["warm", "cold"], "l": [0.5, true]}]');
    assert.deepEqual([...asRankedDocuments(named, mapping).columns.relevance], [0.5, 1]);
    for (const [name, labels] of [["list_columns", [1, 0.5, 0]], ["list_columns_whole", [2, 1, 0]]] as const) {
      const lists = documentLists(asRankedDocuments(await readTable(goldenPath(`${name}.parquet`))));
      assert.deepEqual([lists[1]!.query, lists[1]!.documents], ["What is the capital of France?", FRANCE]);
      assert.deepEqual(Array.from(lists[1]!.labels), labels);
    }
  }));

Deno.test("rows of a query, a document and a label are gathered by query", () =>
  withFolder(async (folder) => {
    const csv = "anchor,document,label\nhot,warm,2\nwet,dry,0\nhot,cold,0\nwet,moist,1\n";
    const data = asRankedDocuments(await tableOf(folder, "rows.csv", csv));
    assert.deepEqual(data.columns.query, ["hot", "hot", "wet", "wet"]);
    assert.deepEqual(data.columns.document, ["warm", "cold", "dry", "moist"]);
    assert.deepEqual([...listOffsets(data)], [0, 2, 4]);
    const bare = asRankedDocuments(await tableOf(folder, "bare.csv", '"what is hot?","the warm thing",1\n"x","y",0\n'));
    assert.deepEqual(bare.columns.document, ["the warm thing", "y"]);
  }));

Deno.test("lists that cannot be are refused, with the line", () =>
  withFolder(async (folder) => {
    const wrong: readonly [RegExp, string][] = [
      [/wants documents, and a label for each.*:1/s, '{"query": "a", "docs": ["b", "c"], "labels": [1]}'],
      [/:2/, '{"query": "a", "docs": ["b"], "labels": [1]}\n{"query": "a", "docs": [], "labels": []}'],
      [/docs is not a list of texts.*:1/s, '{"query": "a", "docs": ["b", 3], "labels": [1, 0]}'],
      [/labels is not a list of numbers/, '{"query": "a", "docs": ["b"], "labels": ["x"]}'],
      [/docs is not a list of texts.*:2/s, '{"query": "a", "docs": ["b"], "labels": [1]}\n{"query": "a", "docs": "c"}'],
      [/no column of labels/, '{"query": "a", "docs": ["b"]}'],
    ];
    for (const [message, text] of wrong) {
      const table = await tableOf(folder, "wrong.jsonl", text);
      assert.throws(() => asRankedDocuments(table), (error) => {
        assert.ok(error instanceof DatasetError);
        assert.match(`${error.message} ${error.where}`, message);
        return true;
      });
    }
    // Only losses over lists have these columns.
    assert.throws(() => parseColumns("query=q"), /nothing uses/);
    assert.deepEqual(parseColumns("query=q", ["query"]), { query: "q" });
  }));

Deno.test("all lists of a query are on one side, documents may be on both", () => {
  const lists = Array.from({ length: 90 }, (_, i) => ({
    query: `question ${i % 60}`,
    documents: ["the answer", `text ${i}`, "another"].slice(0, 1 + i % 3),
    labels: [1, 0, 0].slice(0, 1 + i % 3),
  }));
  const data = rankedDocuments(lists);
  const { train, heldOut } = holdOutLists(data, { seed: 1 });
  const [trained, held] = [documentLists(train), documentLists(heldOut)];
  assert.ok(held.length > 6 && held.length <= 9 && trained.length + held.length === 90);
  const queries = (part: typeof held) => new Set(part.map(({ query }) => query));
  assert.equal(queries(trained).intersection(queries(held)).size, 0);
  for (const list of [...trained, ...held]) {
    assert.ok(lists.some(({ query, documents }) => query === list.query && `${documents}` === `${list.documents}`));
  }
});

Deno.test("margins are read as lists, as numbers, and as mined tuples have them", () =>
  withFolder(async (folder) => {
    const mined = "anchor,positive,negative_1,negative_2,positive_score,negative_1_score,negative_2_score\n" +
      "a,b,c,d,0.9,0.2,0.1\n";
    const { columns } = asMarginRows(await tableOf(folder, "mined.csv", mined));
    assert.deepEqual(Object.keys(columns), [
      ...["anchor", "positive", "negative", "negative_2"],
      ...["score", "score_2", "score_3"],
    ]);
    const lists = '{"query": "a", "positive": "b", "negative": "c", "labels": [2, 1.5]}';
    const { score, score_2 } = asMarginRows(await tableOf(folder, "lists.jsonl", lists)).columns as Record<
      string,
      unknown
    >;
    assert.deepEqual([score, score_2], [Float64Array.of(2), Float64Array.of(1.5)]);
    const one = asMarginRows(await tableOf(folder, "one.csv", "query,positive,negative,score\na,b,c,0.7\n"));
    assert.deepEqual(Object.keys(one.columns), ["anchor", "positive", "negative", "score"]);
    const torn = await tableOf(folder, "torn.jsonl", `${lists}\n${lists.replace("[2, 1.5]", "[2]")}`);
    assert.throws(() => asMarginRows(torn), /not a list of numbers/);
  }));

Deno.test("lists of the sample have documents of several grades, in any order, and no sentence of the graded pairs", () => {
  const lists = documentLists(sampleLists({ rows: 60 }));
  assert.equal(lists.length, 60);
  assert.deepEqual(documentLists(sampleLists({ rows: 60 })), lists);
  const graded = new Set([...sampleSts().columns.sentence1, ...sampleSts().columns.sentence2]);
  for (const { query, documents, labels } of lists) {
    assert.ok(documents.length >= 3 && documents.length <= 6 && new Set(Array.from(labels)).size > 1);
    assert.ok(![query, ...documents].some((text) => graded.has(text)));
  }
  assert.ok(new Set(lists.map(({ labels }) => labels[0])).size > 3);
});
