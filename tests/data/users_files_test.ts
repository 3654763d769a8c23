import assert from "node:assert/strict";
import { join } from "node:path";
import { columnsText, parseColumns } from "../../lib/data/column_mapping.ts";
import {
  asLabelledTexts,
  asPairsOrTriplets,
  asScoredPairs,
  numbers,
  texts,
  usedColumns,
} from "../../lib/data/columns.ts";
import { asMarginRows } from "../../lib/data/margins.ts";
import { readChunks, readTable } from "../../lib/data/table.ts";
import type { Table, TableOptions } from "../../lib/data/table_builder.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";
import { withFolder } from "../folder.ts";

async function tableOf(name: string, contents: string | Uint8Array, options: TableOptions = {}): Promise<Table> {
  let table: Table;
  await withFolder(async (folder) => {
    const path = join(folder, name);
    await Deno.writeFile(path, typeof contents === "string" ? new TextEncoder().encode(contents) : contents);
    table = await readTable(path, options);
  });
  return table!;
}

async function refusal(run: () => unknown): Promise<DatasetError> {
  try {
    await run();
  } catch (error) {
    assert.ok(error instanceof DatasetError, String(error));
    return error;
  }
  throw new Error("nothing was refused");
}

Deno.test("pandas' row numbers are no texts: an empty first name is part of a header", async () => {
  const plain = await tableOf("a.csv", ",review,topic\n0,The oven is hot.,kitchen\n1,A bicycle.,street\n");
  assert.deepEqual(plain.names, ["Unnamed: 0", "review", "topic"]);
  const error = await refusal(() => texts(plain, "text"));
  assert.equal(error.found, "Unnamed: 0, review, topic");
  assert.equal(error.hint, "map one with --columns text=NAME");
  const mapped = asLabelledTexts(plain, parseColumns("text=review,label=topic"));
  assert.deepEqual(mapped.dataset.columns.text, ["The oven is hot.", "A bicycle."]);
  const labelled = await tableOf("a.csv", ",text,label\n0,a b c,x\n1,d e f,y\n");
  assert.deepEqual(asLabelledTexts(labelled).dataset.columns.text, ["a b c", "d e f"]);
});

Deno.test("columns that pandas counts for want of names are a header, and a number is no alias then", async () => {
  for (const contents of ["0,1\nThe oven is hot.,1\n", ",0,1\n0,The oven is hot.,1\n"]) {
    const table = await tableOf("a.csv", contents);
    assert.equal(table.rows, 1);
    await refusal(() => texts(table, "text"));
    assert.deepEqual(texts(table, "text", parseColumns("text=0")), ["The oven is hot."]);
  }
  const bare = await tableOf("a.csv", "The oven is hot.,1\nA bicycle is fast.,0\n");
  assert.deepEqual(texts(bare, "text"), ["The oven is hot.", "A bicycle is fast."]);
  const error = await refusal(() => texts(bare, "negative"));
  assert.deepEqual([error.found, error.hint], [
    "2 columns without names; the first row: The oven is hot., 1",
    "map one by its number, with --columns 1=negative",
  ]);
});

Deno.test("a spreadsheet's file: semicolons, decimal commas, capitals, Windows-1252, UTF-16, the sheet itself", async () => {
  const table = await tableOf("a.csv", "\ufeffSentence 1;Sentence 2;Score\r\nwell, yes;no;0,5\r\n");
  assert.deepEqual(texts(table, "sentence1"), ["well, yes"]);
  const score = await refusal(() => numbers(table, "score"));
  assert.match(score.hint!, /0\.5 instead of 0,5/);

  const bytes = new TextEncoder().encode("text;label\nein Haus;1\nein S?fchen;0\n");
  bytes[bytes.indexOf(0x3f)] = 0xe4;
  const latin = await refusal(() => tableOf("a.csv", bytes));
  assert.match(latin.where!, /a\.csv:3$/);
  assert.equal(latin.found, "at byte 27: 0xe4, which Windows-1252 reads as “ä”");
  assert.match(latin.hint!, /CSV UTF-8.*iconv -f WINDOWS-1252 -t UTF-8/);

  for (const start of ["\ufeff", ""]) {
    const utf16 = new Uint8Array(new Uint16Array(Array.from(`${start}text,label\n`, (c) => c.charCodeAt(0))).buffer);
    assert.match((await refusal(() => tableOf("a.csv", utf16))).hint!, /iconv -f UTF-16 -t UTF-8/);
  }
  const sheet = await refusal(() => tableOf("a.csv", Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0)));
  assert.match(sheet.message, /spreadsheet/);
  assert.match((await refusal(() => tableOf("a.xlsx", "PK"))).hint!, /CSV UTF-8/);
});

Deno.test("a bad row is named and can be left out; quotes within an unquoted field are letters", async () => {
  const stray = 'sentence1,sentence2,score\nthe 5" pipe,a disc,.5\na "b" c,d,.1\n';
  assert.deepEqual(asScoredPairs(await tableOf("a.csv", stray)).columns.sentence1, ['the 5" pipe', 'a "b" c']);
  const long = `text,label\n"${"the man is playing ".repeat(110_000)}",a\nyou run,b\n`;
  assert.deepEqual(texts(await tableOf("a.csv", long), "text").map(({ length }) => length), [2_090_000, 7]);
});

Deno.test("JSON: arrays of objects, pandas' columns, an object a line whatever the extension", async () => {
  const rows = [{ text: "a", label: 1 }, { text: "b", label: 0 }];
  const files: Record<string, string> = {
    "array.json": JSON.stringify(rows, null, 2),
    "columns.json": '{"text":{"0":"a","1":"b"},"label":{"0":1,"1":0}}',
    "lists.json": '{"text":["a","b"],"label":[1,0]}',
    "lines.json": rows.map((row) => JSON.stringify(row)).join("\n"),
    "lines.ndjson": `${rows.map((row) => JSON.stringify(row)).join("\r\n\r\n")}\r\n\n`,
  };
  for (const [name, contents] of Object.entries(files)) {
    const table = await tableOf(name, contents);
    assert.deepEqual([table.columns.get("text"), table.columns.get("label")], [["a", "b"], [1, 0]], name);
  }
  const one = await tableOf("one.json", '{"text":"a","label":1}');
  assert.deepEqual([one.rows, one.columns.get("text")], [1, ["a"]]);
  assert.match((await refusal(() => tableOf("a.json", '[{"text":"a"},7]'))).where!, /a\.json:2$/);
  assert.match((await refusal(() => tableOf("a.json", '"text"'))).message, /not JSON/);
  assert.match((await refusal(() => tableOf("a.json", "[1, 2"))).message, /not JSON/);
});

Deno.test("cells of JSON lines that are no texts: null, numbers, objects, and nothing", async () => {
  const table = await tableOf("a.jsonl", '{"text":"a"}\n{"text":null}\n');
  const empty = await refusal(() => texts(table, "text"));
  assert.deepEqual([empty.summary, empty.found], ["text has no text", "an empty cell"]);
  assert.match(empty.where!, /a\.jsonl:2$/);
  const cases: [string, string][] = [['{"text":7}', "7"], ['{"text":{"en":"a"}}', '{"en":"a"}'], ['{"x":1}', "text"]];
  for (const [line, found] of cases) {
    const error = await refusal(async () => texts(await tableOf("a.jsonl", `{"text":"a"}\n${line}\n`), "text"));
    assert.ok(error.where!.endsWith(":2") && (error.found === found || error.found === "an empty cell"));
  }
  const deep = `{"text":${"[".repeat(200_000)}${"]".repeat(200_000)}}\n`;
  assert.match((await refusal(async () => texts(await tableOf("a.jsonl", deep), "text"))).found!, /^\[{80}…$/);
});

Deno.test("as many names as rows, and names that objects have already, in linear time and memory", async () => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `{"k${i}":${i}}\n`).join("");
  const started = performance.now();
  const table = await tableOf("a.jsonl", lines);
  assert.equal(table.names.length, 20_000);
  assert.equal(table.columns.get("k777")![777], 777);
  assert.equal(table.columns.get("k777")![778], undefined);
  const error = await refusal(() => texts(table, "text"));
  assert.ok(error.found!.endsWith("and 19980 more"));
  const wide = await tableOf(
    "a.csv",
    [1, 2].map((n) => Array.from({ length: 100_000 }, (_, i) => `c${i + n}`)).join("\n"),
  );
  assert.deepEqual([wide.names.length, wide.columns.get("c100000")], [100_000, ["c100001"]]);
  assert.ok(performance.now() - started < 10_000, "44 s for 6,000 names before");

  const odd = await tableOf("a.jsonl", '{"constructor":"a","__proto__":"b"}\n{"text":"c"}\n');
  assert.deepEqual(odd.names, ["constructor", "__proto__", "text"]);
  assert.deepEqual(odd.columns.get("constructor"), ["a", undefined]);
  assert.deepEqual(odd.columns.get("__proto__"), ["b", undefined]);
  const csv = await tableOf("a.csv", "constructor,__proto__\na,b\n");
  assert.deepEqual(texts(csv, "constructor"), ["a"]);
  assert.deepEqual(texts(csv, "text", { text: "__proto__" }), ["b"]);
  await refusal(() => texts(csv, "toString"));
});

Deno.test("--columns the wrong way round, twice, or for nothing", () => {
  const wrong = (columns: string, ours: string[] = []) => {
    try {
      parseColumns(columns, ours);
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error;
    }
    throw new Error("nothing was refused");
  };
  const reversed = wrong("question=anchor");
  assert.equal(reversed.hint, "our name comes first: --columns anchor=question");
  assert.deepEqual(parseColumns("anchor=positive,positive=anchor"), { anchor: "positive", positive: "anchor" });
  assert.match(wrong("colour=red").message, /nothing uses/);
  assert.match(wrong("text=a,text=b").message, /twice/);
  assert.deepEqual(parseColumns("colour=red,labels=x", ["colour", "labels"]), { colour: "red", labels: "x" });
  assert.deepEqual(parseColumns("2=text,negative_2=x"), { text: "2", negative_2: "x" });
});

Deno.test("readChunks() gives the rows of readTable() a few at a time, and stops at the limit", async () => {
  await withFolder(async (folder) => {
    const line = (i: number) => `{"text":"row ${i} ${"x".repeat(80)}"}\n`;
    const files = ["a.jsonl", "b.jsonl"].map((name) => join(folder, name));
    const count = 9_000; // of 100 bytes: several pieces
    for (const [n, file] of files.entries()) {
      await Deno.writeTextFile(file, Array.from({ length: count }, (_, i) => line(n * count + i)).join(""));
    }
    let rows = 0;
    let chunks = 0;
    for await (const table of readChunks(folder, { chunkRows: 500, limit: 17_500 })) {
      assert.ok(table.rows > 0 && table.rows < 4000);
      assert.match(String(table.columns.get("text")![0]), new RegExp(`^row ${rows} `));
      assert.equal(table.where(0), `${files[Math.floor(rows / count)]}:${rows % count + 1}`);
      rows += table.rows;
      chunks++;
    }
    assert.equal(rows, 17_500);
    assert.ok(chunks > 5);
  });
});

Deno.test("asPairsOrTriplets() finds a judgement in any spelling", async () => {
  const table = await tableOf("a.csv", "Question,Answer,Gold label\nq,a,1\n");
  assert.match((await refusal(() => asPairsOrTriplets(table))).message, /no use for the column Gold label/);
});

Deno.test("a line or a record that no memory should hold is refused by name, however the file goes on", async () => {
  const long = "the man plays ".repeat(1 << 21); // 29 million characters
  const line = await refusal(() => tableOf("a.jsonl", `{"text":"a"}\n{"text":"${long}"}\n`));
  assert.match(line.where!, /a\.jsonl:2$/);
  assert.match(line.message, /a line is too long/);
  for (
    const text of [
      `text,label\na,b\n"${long}",c\n`,
      `text,label\na,b\n${long},c\n`,
      `text,label\na,b\n${",".repeat(1 << 25)}\n`,
    ]
  ) {
    const row = await refusal(() => tableOf("a.csv", text));
    assert.match(row.where!, /a\.csv:3$/);
    assert.match(row.message, /a row is too long/);
  }
});

Deno.test("readChunks() gives chunks of equal size, smaller ones of long texts, and every column of an earlier one", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a.jsonl");
    const long = { text: "x".repeat(3 << 20) };
    const rows = [...Array.from({ length: 1100 }, (_, i) => ({ id: i, text: "a" })), long, long, long];
    await Deno.writeTextFile(path, rows.map((row) => JSON.stringify(row)).join("\n"));
    const chunks = await Array.fromAsync(readChunks(path));
    assert.deepEqual(chunks.map((table) => table.rows), [512, 512, 78, 1]);
    assert.deepEqual(chunks[3]!.columns.get("id"), [undefined]);
  });
});

Deno.test("a first row that has a mapped name is a header, however long its names are", async () => {
  const contents = "Frage für neue Ärzte;Die Antwort dazu\nwo?;dort\n";
  const columns = { anchor: "Frage für neue Ärzte", positive: "Die Antwort dazu" };
  assert.equal((await tableOf("a.csv", contents)).rows, 2);
  const table = await tableOf("a.csv", contents, { mapping: columns });
  assert.deepEqual([table.names, table.rows], [Object.values(columns), 1]);
  assert.deepEqual(asPairsOrTriplets(table, columns).columns, { anchor: ["wo?"], positive: ["dort"] });
  // A column's number may stand in the data.
  const numbered = { sentence1: "1", sentence2: "2", score: "3" };
  const bare = await tableOf("a.csv", "the dog runs,the dog is fast,1\na,b,0\n", { mapping: numbered });
  assert.deepEqual([...asScoredPairs(bare, numbered).columns.score], [1, 0]);
  const mistyped = { anchor: "Frage für neue Arzte" };
  const refused = await tableOf("a.csv", contents, { mapping: mistyped });
  const error = await refusal(() => texts(refused, "anchor", mistyped));
  assert.equal(error.found, "2 columns without names; the first row: Frage für neue Ärzte, Die Antwort dazu");
  assert.match(error.hint!, /1=anchor; did you mean Frage für neue Ärzte\?$/);
});

Deno.test("names that look alike are the same: marks of letters apart from them, and spaces around", async () => {
  const table = await tableOf("a.csv", "Fra\u0308ge , Antwort\nwo?,dort\n");
  const columns = parseColumns('anchor=Fräge,positive=" Antwort "');
  assert.deepEqual(asPairsOrTriplets(table, columns).columns, { anchor: ["wo?"], positive: ["dort"] });
  assert.deepEqual(usedColumns(table, ["anchor"], columns), { anchor: "Fra\u0308ge" });
});

Deno.test("a column may have no name in JSON", async () => {
  const table = await tableOf("a.jsonl", '{"": "who?", "b": "me"}\n');
  const columns = { anchor: "", positive: "b" };
  assert.deepEqual(parseColumns(columnsText(columns)), columns);
  assert.deepEqual(asPairsOrTriplets(table, columns).columns, { anchor: ["who?"], positive: ["me"] });
  const error = await refusal(async () => texts(await tableOf("a.csv", ",b\n1,me\n"), "anchor", columns));
  assert.deepEqual([error.expected, error.found], ['""', "Unnamed: 0, b"]);
  const listed = await refusal(async () => texts(await tableOf("a.csv", '"a, b",c\n1,me\n'), "anchor"));
  assert.equal(listed.found, '"a, b", c');
});

Deno.test("each negative is read once, whether it is mapped or named as we do", async () => {
  const rows = await tableOf("a.csv", "a,b,n1,n2\nhot,warm,cold,dry\n");
  const mapped = parseColumns("anchor=a,positive=b,negative=n1,negative_2=n2");
  assert.deepEqual(asPairsOrTriplets(rows, mapped).columns, {
    anchor: ["hot"],
    positive: ["warm"],
    negative: ["cold"],
    negative_2: ["dry"],
  });
  assert.deepEqual(usedColumns(rows, Object.keys(mapped), mapped), mapped);
  const mined = await tableOf("a.csv", "anchor,positive,negative_1,negative_2\nhot,warm,cold,dry\n");
  const first = parseColumns("negative=negative_1");
  const expected = { anchor: ["hot"], positive: ["warm"], negative: ["cold"], negative_2: ["dry"] };
  assert.deepEqual(asPairsOrTriplets(mined, first).columns, expected);
  assert.deepEqual(asPairsOrTriplets(mined).columns, expected);
  assert.equal(usedColumns(mined, ["negative"])["negative"], "negative_1");
  const taught = await tableOf("a.csv", "a,b,n1,n2,score\nhot,warm,cold,dry,1\n");
  assert.deepEqual(Object.keys(asMarginRows(taught, mapped).columns), [
    ...["anchor", "positive", "negative", "negative_2", "score"],
  ]);
});
