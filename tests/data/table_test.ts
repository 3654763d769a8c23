import assert from "node:assert/strict";
import { join } from "node:path";
import {
  asLabelledPairs,
  asPairsOrTriplets,
  asScoredPairs,
  numbers,
  parseColumns,
  texts,
} from "../../lib/data/columns.ts";
import { writeParquet } from "../../lib/data/parquet.ts";
import { readTable, type Table, type TableOptions } from "../../lib/data/table.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Reads one file with these contents. */
async function tableOf(name: string, contents: string | Uint8Array, options: TableOptions = {}): Promise<Table> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, name);
    await Deno.writeFile(path, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    return await readTable(path, options);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The error that reading raises: where it points and what it says. */
async function refusal(run: () => Promise<unknown>): Promise<DatasetError> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof DatasetError, String(error));
    return error;
  }
  throw new Error("nothing was refused");
}

Deno.test("a CSV file with quotes, line breaks in quotes, a byte-order mark and blank lines", async () => {
  const table = await tableOf(
    "a.csv",
    '\ufeffsentence1,sentence2,score\r\n"He said ""no"", twice.","two\nlines",4.5\r\n\r\nplain,words,0\r\n',
  );
  const { columns, rows } = asScoredPairs(table);
  assert.equal(rows, 2);
  assert.deepEqual(columns.sentence1, ['He said "no", twice.', "plain"]);
  assert.deepEqual(columns.sentence2, ["two\nlines", "words"]);
  assert.deepEqual([...columns.score], [4.5, 0]);
});

Deno.test("a TSV file of GLUE: quotes are letters", async () => {
  const table = await tableOf("a.tsv", 'index\tsentence1\tsentence2\tscore\n0\tA "man sings.\tHe\'s "singing\t3.8\n');
  const { columns } = asScoredPairs(table);
  assert.deepEqual(columns.sentence1, ['A "man sings.']);
  assert.deepEqual(columns.sentence2, ["He's \"singing"]);
});

Deno.test("files without a header have columns by number, which can be given names", async () => {
  const table = await tableOf("a.csv", "A man sings a song.,Someone sings.,4\nA dog runs.,A cat sleeps.,0.5\n");
  assert.deepEqual(table.names, ["1", "2", "3"]);
  assert.deepEqual([...asScoredPairs(table).columns.score], [4, 0.5]);
  const swapped = asScoredPairs(table, parseColumns("2=sentence1,1=sentence2"));
  assert.deepEqual(swapped.columns.sentence1, ["Someone sings.", "A cat sleeps."]);
});

Deno.test("whether the first row is a header", async () => {
  assert.deepEqual((await tableOf("a.csv", ",sentence1,label\n0,a b,1\n")).names, ["1", "sentence1", "label"]);
  assert.deepEqual((await tableOf("a.csv", "dog,cat\nhorse,cow\n")).rows, 1);
  assert.deepEqual((await tableOf("a.csv", "dog,cat\nhorse,cow\n", { header: false })).rows, 2);
});

Deno.test("columns are mapped by name, and a wrong name lists those that exist", async () => {
  const table = await tableOf("a.csv", "q,a\nwho?,me\n");
  assert.deepEqual(asPairsOrTriplets(table, parseColumns("anchor=q,positive=a")).columns.positive, ["me"]);
  const error = await refusal(() => Promise.resolve().then(() => asPairsOrTriplets(table, { anchor: "question" })));
  assert.equal(error.found, "q, a");
  assert.throws(() => parseColumns("anchor"), UsageError);
  assert.throws(() => parseColumns("a=b=c"), UsageError);
});

Deno.test("JSON lines; a broken line is named, or skipped and counted", async () => {
  const lines = '{"text":"one"}\n\n{"text":"two"\n[1]\n{"text":"thrée"}';
  const error = await refusal(() => tableOf("a.jsonl", lines));
  assert.match(error.where!, /a\.jsonl:3$/);
  const table = await tableOf("a.jsonl", lines, { skipBadRows: true });
  assert.deepEqual(texts(table, "text"), ["one", "thrée"]);
  assert.equal(table.dropped, 2);
  assert.match(table.where(1), /a\.jsonl:5$/);
});

Deno.test("rows with a field too many or too few are named, or skipped and counted", async () => {
  for (const [name, separator] of [["a.csv", ","], ["a.tsv", "\t"]] as const) {
    const contents = ["sentence1,sentence2", "a,b", "a,b,c", "a", "c,d"].join("\n").replaceAll(",", separator);
    const error = await refusal(() => tableOf(name, contents));
    assert.match(error.where!, /:3$/);
    assert.match(error.found!, /3/);
    const table = await tableOf(name, contents, { skipBadRows: true });
    assert.deepEqual([table.rows, table.dropped], [2, 2]);
  }
});

Deno.test("a broken quote, bytes that are not UTF-8, an empty file, an unknown type, no file", async () => {
  const quote = await refusal(() => tableOf("a.csv", 'sentence1,sentence2\na,b\n"c,d\n'));
  assert.match(quote.where!, /a\.csv/);
  const bytes = await refusal(() => tableOf("a.tsv", Uint8Array.of(0x61, 0x09, 0x62, 0x0a, 0xff, 0xfe)));
  assert.match(bytes.message, /UTF-8/);
  assert.match(bytes.where!, /a\.tsv.*line/);
  for (const name of ["a.csv", "a.tsv", "a.jsonl", "a.parquet"]) {
    assert.match((await refusal(() => tableOf(name, ""))).message, /empty/);
  }
  assert.match((await refusal(() => tableOf("a.csv", "sentence1,sentence2\n"))).message, /empty/);
  assert.match((await refusal(() => tableOf("a.xlsx", "x"))).found!, /xlsx/);
  assert.match((await refusal(() => readTable("no/such.csv"))).where!, /such/);
});

Deno.test("scores that are no numbers and unknown labels name the row", async () => {
  const scores = await tableOf("a.csv", "sentence1,sentence2,score\na,b,1\nc,d,high\n");
  assert.match((await refusal(() => Promise.resolve().then(() => asScoredPairs(scores)))).where!, /a\.csv:3$/);
  assert.match((await refusal(() => Promise.resolve().then(() => numbers(scores, "sentence1")))).found!, /"a"/);
  const labels = await tableOf("a.csv", "premise,hypothesis,label\na,b,entailment\nc,d,-1\ne,f,2\n");
  const { dataset, dropped } = asLabelledPairs(labels);
  assert.deepEqual([...dataset.columns.label], [0, 2]);
  assert.equal(dropped, 1);
  const unknown = await tableOf("a.csv", "premise,hypothesis,label\na,b,7\n");
  assert.match((await refusal(() => Promise.resolve().then(() => asLabelledPairs(unknown)))).found!, /7/);
});

Deno.test("a label that the loss would ignore is an error", async () => {
  const table = await tableOf("a.csv", "anchor,positive,label\na,b,1\n");
  assert.match((await refusal(() => Promise.resolve().then(() => asPairsOrTriplets(table)))).message, /label/);
});

Deno.test("Parquet: written and read again over several row groups, with a limit, in a folder", async () => {
  await inFolder(async (folder) => {
    const rows = 25_000;
    const sentence1 = Array.from({ length: rows }, (_, row) => `sentence ${row} “ü” \u{1F600}`);
    const sentence2 = sentence1.map((text) => `${text}!`);
    const score = Float64Array.from(sentence1, (_, row) => row / 7);
    const label = Int32Array.from(sentence1, (_, row) => row % 3);
    const path = join(folder, "b.parquet");
    await writeParquet(path, { columns: { sentence1, sentence2, score, label }, rows });
    assert.deepEqual(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), ["b.parquet"]);
    const table = await readTable(path);
    assert.deepEqual(table.names, ["sentence1", "sentence2", "score", "label"]);
    assert.deepEqual(texts(table, "sentence1"), sentence1);
    assert.deepEqual(numbers(table, "score"), score);
    assert.deepEqual([...numbers(table, "label")], [...label]);
    const first = await readTable(path, { limit: 12_345 });
    assert.deepEqual(texts(first, "sentence2"), sentence2.slice(0, 12_345));

    await Deno.writeTextFile(join(folder, "a.csv"), "sentence1,sentence2,score,label\nx,y,1,0\n");
    const both = await readTable(folder, { limit: 3 });
    assert.deepEqual(texts(both, "sentence1"), ["x", sentence1[0], sentence1[1]]);
    assert.match(both.where(0), /a\.csv:2$/);
    assert.match(both.where(2), /b\.parquet:2$/);

    const bytes = await Deno.readFile(path);
    for (const length of [3, 100, bytes.length >> 1, bytes.length - 9]) {
      await Deno.writeFile(path, bytes.subarray(0, length));
      assert.match((await refusal(() => readTable(path))).where!, /b\.parquet$/);
    }
  });
});

Deno.test("packed files are read like others; a cut one says that it is", async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => `{"text": "row ${i} ${crypto.randomUUID()}"}\n`).join("");
  const stream = new Blob([lines]).stream().pipeThrough(new CompressionStream("gzip"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const table = await tableOf("rows.jsonl.gz", packed);
  assert.equal(table.rows, 3000);
  assert.match(String(table.columns.get("text")![2999]), /^row 2999 /);
  assert.equal((await tableOf("rows.jsonl.gz", packed, { limit: 2 })).rows, 2);
  const error = await refusal(() => tableOf("rows.jsonl.gz", packed.subarray(0, packed.length / 2)));
  assert.match(error.message, /cannot be unpacked/);
});
