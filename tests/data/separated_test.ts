import assert from "node:assert/strict";
import { type FieldRecord, recordsOf } from "../../lib/data/separated.ts";
import { DatasetError } from "../../lib/error.ts";

async function* inPieces(pieces: Iterable<string>) {
  for (const piece of pieces) yield piece;
}

/** Records of pieces of text: fields by row, and the lines that they begin on. */
async function read(pieces: Iterable<string>, extension = ".csv"): Promise<[string[][], number[]]> {
  const records: FieldRecord[] = [];
  for await (const piece of recordsOf("file", inPieces(pieces), extension)) records.push(...piece);
  return [records.map(({ cells }) => [...cells]), records.map(({ line }) => line)];
}

Deno.test("records are pandas', wherever the pieces end", async () => {
  const { cases } = JSON.parse(await Deno.readTextFile(new URL("../golden/separated.json", import.meta.url)));
  const without = (row: string[]) => row.slice(0, row.findLastIndex((cell) => cell !== "") + 1);
  const lead = `${"x".repeat(1 << 16)},y\n`; // what is looked at for the separator: pieces behind it stay pieces
  for (const [text, rows] of cases as [string, string[][] | null][]) {
    for (const pieces of [["x,y\n", text], [lead, ...text]]) {
      if (rows === null) {
        await assert.rejects(() => read(pieces), { summary: "a quote is never closed" }, JSON.stringify(text));
        continue;
      }
      const [found] = await read(pieces);
      const own = found.slice(1).map(without);
      assert.deepEqual(own, rows, JSON.stringify(text));
    }
  }
});

Deno.test("a record knows the line it begins on; an open quote names the line where it opens", async () => {
  const [, lines] = await read(['a,b\r\n"c\nc",d\n\n \ne,"""\n\n"\nf,g']);
  assert.deepEqual(lines, [1, 2, 6, 9]);
  await assert.rejects(() => read(['a,b\nc,d\ne,"f\ng,h\n']), (error) => {
    assert.ok(error instanceof DatasetError);
    return error.where === "file:3";
  });
});

Deno.test("the separator: what makes the first records equally long, the comma before others", async () => {
  const first = async (text: string) => (await read([text]))[0][0];
  assert.deepEqual(await first("text;label\nwell, yes;1\nno;0\n"), ["text", "label"]);
  assert.deepEqual(await first("text\tlabel\nwell, yes; so\t1\nno\t0\n"), ["text", "label"]);
  assert.deepEqual(await first("text|label\nwell, yes|1\n"), ["text", "label"]);
  assert.deepEqual(await first("text,label\na;b,1\nc;d,2\n"), ["text", "label"]);
  assert.deepEqual(await first('a;"x\ny";1\nb;"z;";2\n'), ["a", "x\ny", "1"]);
  assert.deepEqual(await first("text\na; b\nc\n"), ["text"]);
  assert.deepEqual(await first("only; one line, with both\n"), ["only; one line", " with both"]);
});

Deno.test("quotes in a file with tabs quote as pandas writes them, and are letters as GLUE writes them", async () => {
  const second = async (lines: string) => (await read(lines.split(/(?<=\n)/), ".tsv"))[0].map(([, cell]) => cell);
  // pandas quotes what needs it, or all of it.
  assert.deepEqual(await second('i\tt\n1\t"a\tb"\n2\t"He said ""no"""\n3\t"two\nlines"\n4\tthe 5" pipe\n'), [
    "t",
    "a\tb",
    'He said "no"',
    "two\nlines",
    'the 5" pipe',
  ]);
  assert.deepEqual(await second('"i"\t"t"\n"1"\t"a"\n'), ["t", "a"]);
  // GLUE does not: quotes that end anywhere, or that nothing needs.
  assert.deepEqual(await second('i\tt\n1\t"Yes," he said\n2\t"a ""b""\n'), ["t", '"Yes," he said', '"a ""b""']);
  assert.deepEqual(await second('i\tt\n1\t"All of it."\n2\tb\n'), ["t", '"All of it."', "b"]);
  assert.deepEqual(await second('i\tt\n1\t"open\n2\tb\n'), ["t", '"open', "b"]);
});

Deno.test("fields of any length, and as many as there are, in linear time", async () => {
  const long = "a word ".repeat(1 << 19);
  const [rows] = await read(["t,l\n", '"', long, long, '",1\n', long, ",2\n"]);
  assert.deepEqual(rows.map(([text]) => text!.length), [1, 2 * long.length, long.length]);
  const many = Array.from({ length: 100_000 }, (_, i) => `c${i}`).join(",");
  assert.equal((await read([many, "\n", many]))[0][1]!.length, 100_000);
});
