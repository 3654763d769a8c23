import assert from "node:assert/strict";
import { join } from "node:path";
import { columnsText, parseColumns } from "../../lib/data/column_mapping.ts";
import { asLabelledPairs, asPairsOrTriplets, asScoredPairs, numbers, texts } from "../../lib/data/columns.ts";
import { writeParquet } from "../../lib/data/parquet.ts";
import { readTable } from "../../lib/data/table.ts";
import type { Table, TableOptions } from "../../lib/data/table_builder.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";
import { withFolder } from "../folder.ts";

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
  assert.deepEqual((await tableOf("a.csv", ",sentence1,label\n0,a b,1\n")).names, [
    "Unnamed: 0",
    "sentence1",
    "label",
  ]);
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

Deno.test("a name with a comma or an equals sign stands in quotes, as in CSV", async () => {
  const named = {
    anchor: "question, long",
    positive: "a=b",
    negative: 'the "best"',
    score: '"x"',
    text: " y",
    label: "z\n",
  };
  const written = 'anchor="question, long",positive="a=b",negative=the "best",score="""x""",text=" y",label="z\n"';
  assert.equal(columnsText(named), written);
  assert.deepEqual(parseColumns(written), named);
  assert.deepEqual(parseColumns(' anchor = "question, long" , positive = a b '), {
    anchor: "question, long",
    positive: "a b",
  });
  const table = await tableOf("a.csv", '"question, long",a=b\nwho?,me\n');
  assert.deepEqual(
    asPairsOrTriplets(table, parseColumns(columnsText({ anchor: "question, long", positive: "a=b" }))).columns,
    {
      anchor: ["who?"],
      positive: ["me"],
    },
  );
  const error = await refusal(() =>
    Promise.resolve().then(() => asPairsOrTriplets(table, { anchor: "Question, long", positive: "a=b" }))
  );
  assert.match(error.hint!, /did you mean "question, long"\?$/);
  const refused = (text: string) => {
    try {
      return parseColumns(text);
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return `${error.summary}: ${error.found}; ${error.expected}`;
    }
  };
  const open = "--columns has a quote that is not closed";
  assert.equal(
    refused('anchor="question, long'),
    `${open}: "question, long; a name in quotes, anchor="a, b", and a quote in it doubled`,
  );
  const unread = "--columns cannot be read";
  const expected = `name=column,…; in quotes where a name has a comma or an equals sign: 'anchor="a, b"'`;
  assert.equal(refused("anchor=question, long"), `${unread}: long; ${expected}`);
  assert.equal(refused("anchor=a=b"), `${unread}: anchor=a=b; ${expected}`);
  assert.equal(refused('anchor="a"b'), `${unread}: anchor="a"b; ${expected}`);
  assert.equal(refused("anchor=a,"), `${unread}: nothing behind a comma; ${expected}`);
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

Deno.test("plain text: a text on each line, whatever stands in it; a folder's other files come first", async () => {
  const table = await tableOf("a.txt", '\ufeffone, "two"\r\n\n  \t\nthr\tee\nlast');
  assert.deepEqual([table.names, table.header, table.rows], [["text"], true, 3]);
  assert.deepEqual(texts(table, "text"), ['one, "two"', "thr\tee", "last"]);
  assert.match(table.where(1), /a\.txt:4$/);
  assert.equal((await tableOf("a.txt", "a\nb\nc\n", { limit: 2 })).rows, 2);
  await withFolder(async (folder) => {
    const write = (name: string, text: string) => Deno.writeTextFile(join(folder, name), text);
    await write("LICENSE.txt", "yours");
    assert.deepEqual(texts(await readTable(folder), "text"), ["yours"]);
    await write("rows.json", '[{"text":"json"}]');
    assert.deepEqual(texts(await readTable(folder), "text"), ["json"]);
    await write("rows.csv", "text\ncsv\n");
    assert.deepEqual(texts(await readTable(folder), "text"), ["csv"]);
  });
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
  for (const name of ["a.csv", "a.tsv", "a.jsonl", "a.parquet"]) {
    assert.match((await refusal(() => tableOf(name, ""))).message, /empty/);
  }
  assert.match((await refusal(() => tableOf("a.csv", "sentence1,sentence2\n"))).message, /empty/);
  assert.match((await refusal(() => tableOf("a.xlsx", "x"))).found!, /xlsx/);
  assert.match((await refusal(() => readTable("no/such.csv"))).where!, /such/);
});

Deno.test("bytes that are not UTF-8 are named by line and byte, wherever the reader's pieces end", async () => {
  const piece = 1 << 18;
  const cases: [number, number[], number][] = [
    [0, [0xff, 0x61], 0],
    [100, [0xe9, 0x2c], 100], // Latin-1: é,
    [piece - 1, [0xe2, 0x2c], piece - 1], // cut at the end of a piece, and wrong in the next
    [piece + 5, [0xc3, 0x28], piece + 5],
    [300, [0xf0, 0x9f], 300], // a cut character at the end of the file
  ];
  for (const [at, bad, byte] of cases) {
    const bytes = new Uint8Array(at + bad.length).fill(0x61);
    for (let i = 50; i <= at; i += 50) bytes[i - 1] = 0x0a;
    bytes.set(bad, at);
    const error = await refusal(() => tableOf("a.tsv", bytes, { header: false }));
    assert.match(error.message, /UTF-8/);
    const [line, found] = [Number(/:(\d+)$/.exec(error.where!)![1]), Number(/\d+/.exec(error.found!)![0])];
    assert.ok(Math.abs(found - byte) <= 2, `byte ${found} instead of ${byte}`);
    assert.equal(line, 1 + Math.floor(byte / 50));
  }
  for (const cut of [piece - 1, piece - 2, piece - 3]) { // 🙂 across two pieces
    const text = `${"a".repeat(cut)}🙂\n`;
    assert.deepEqual(texts(await tableOf("a.tsv", text, { header: false }), "text"), [text.trim()]);
  }
});

Deno.test("two columns of one name are refused: one of them would be lost", async () => {
  for (const name of ["a.csv", "a.tsv"]) {
    const contents = "sentence1,sentence1,score\na,b,1\n".replaceAll(",", name === "a.csv" ? "," : "\t");
    assert.match((await refusal(() => tableOf(name, contents))).message, /one name/);
  }
});

Deno.test("labels: any case, names of SNLI, numbers in any column type; other words are no labels", async () => {
  const labels = async (contents: string) => {
    const { dataset, dropped } = asLabelledPairs(await tableOf("a.csv", contents));
    return [[...dataset.columns.label], dropped];
  };
  assert.deepEqual(
    await labels("premise,hypothesis,label\na,b, Entailment\nc,d,NEUTRAL\ne,f,2.0\n"),
    [[0, 1, 2], 0],
  );
  assert.deepEqual(await labels("gold_label,sentence1,sentence2\n-,a,b\ncontradiction,c,d\n"), [[2], 1]);
  for (const word of ["toString", "__proto__", "maybe", "0.5", "3", "NaN"]) {
    const table = await tableOf("a.csv", `premise,hypothesis,label\na,b,${word}\n`);
    const error = await refusal(() => Promise.resolve().then(() => asLabelledPairs(table)));
    assert.ok(error.found!.includes(word) && error.where!.endsWith("a.csv:2"));
  }
  const empty = await tableOf("a.csv", 'premise,hypothesis,label\na,b,""\n');
  await refusal(() => Promise.resolve().then(() => asLabelledPairs(empty)));
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

Deno.test("a label that the loss would ignore is an error, whatever it is called", async () => {
  const cases: [string, string][] = [
    ["anchor,positive,label\na,b,1\n", ""],
    ["sentence1,sentence2,gold_label\na,b,neutral\n", ""],
    ["sentence1,sentence2,similarity_score\na,b,1\n", ""],
    ["q,a,rating\nx,y,5\n", "anchor=q,positive=a,label=rating"],
    ["q,a,rating\nx,y,5\n", "anchor=q,positive=a,score=rating"],
    ["A man sings.,Someone sings.,4.5\nA dog runs.,A cat sleeps.,0\n", ""], // no header: the third column is no text
  ];
  for (const [contents, mapping] of cases) {
    const table = await tableOf("a.csv", contents);
    const columns = mapping === "" ? {} : parseColumns(mapping);
    const error = await refusal(() => Promise.resolve().then(() => asPairsOrTriplets(table, columns)));
    assert.match(error.summary, /no use for the column (label|gold_label|similarity_score|rating|3)$/);
  }
  const renamed = await tableOf("a.csv", "q,label,x\nwho,me,1\n");
  assert.deepEqual(asPairsOrTriplets(renamed, parseColumns("anchor=q,positive=label")).columns.positive, ["me"]);
});

Deno.test("one negative or several, in the order of the file", async () => {
  const names = async (contents: string, mapping = "") => {
    const table = await tableOf("a.csv", contents);
    return asPairsOrTriplets(table, mapping === "" ? {} : parseColumns(mapping)).columns;
  };
  assert.deepEqual(Object.keys(await names("anchor,positive\na,b\n")), ["anchor", "positive"]);
  assert.deepEqual(await names("anchor,positive,negative_1,negative_2,id\na,b,c,d,7\n"), {
    anchor: ["a"],
    positive: ["b"],
    negative: ["c"],
    negative_2: ["d"],
  });
  assert.deepEqual(Object.keys(await names("anchor,positive,negative,negative_2\na,b,c,d\n")), [
    "anchor",
    "positive",
    "negative",
    "negative_2",
  ]);
  const triplet = await names("A man sings.,Someone sings.,A cat sleeps.\n", "");
  assert.deepEqual(triplet, { anchor: ["A man sings."], positive: ["Someone sings."], negative: ["A cat sleeps."] });
});

Deno.test("Parquet: written and read again over several row groups, with a limit, in a folder", async () => {
  await withFolder(async (folder) => {
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

Deno.test("readTable() reads the parts of a dataset as one table, and knows where each row stands", () =>
  withFolder(async (folder) => {
    const parts = ["a.jsonl", "b.jsonl"].map((name) => `${folder}/${name}`);
    await Deno.writeTextFile(parts[0]!, '{"text":"one"}\n{"text":"two"}\n');
    await Deno.writeTextFile(parts[1]!, '{"text":"three","label":1}\n');
    const table = await readTable(parts);
    assert.deepEqual(table.columns.get("text"), ["one", "two", "three"]);
    assert.deepEqual(table.columns.get("label"), [undefined, undefined, 1]);
    assert.equal(table.where(2), `${parts[1]}:1`);
    assert.equal((await readTable(parts, { limit: 2 })).rows, 2);
  }));

Deno.test("rows of JSON with names of their own are refused when there are too many names", async () => {
  const path = await Deno.makeTempFile({ suffix: ".jsonl" });
  const names = (from: number, count: number) =>
    JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${from + i}`, 1])));
  await Deno.writeTextFile(path, `${names(0, 99_999)}\n${names(99_999, 1)}\n`);
  assert.equal((await readTable(path)).names.length, 100_000);
  await Deno.writeTextFile(path, `${names(0, 99_999)}\n${names(99_999, 2)}\n`);
  await assert.rejects(readTable(path), { where: `${path}:2`, summary: "the rows have too many columns" });
  await Deno.remove(path);
});
