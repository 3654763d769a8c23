import assert from "node:assert/strict";
import { csvText, withApostrophe, withoutApostrophe } from "../../lib/data/csv_text.ts";
import { readTable } from "../../lib/data/table.ts";

const TEXTS = ['a "b", c', "two\nlines", "a\r\nb", "=1+1", "-5 degrees", "'quoted", "'=x", "@me", "plain", "", "ü, 𠮷"];

Deno.test("what is written for a spreadsheet is read back as it was, and holds no formula", async () => {
  const path = await Deno.makeTempFile({ suffix: ".csv" });
  try {
    const text = csvText(["text", "number"], TEXTS.map((text, i) => [text, i % 2 === 0 ? -1 - i : null]));
    assert.ok(!/^[=@]/m.test(text));
    await Deno.writeTextFile(path, text);
    const { columns, rows } = await readTable(path, { header: true });
    assert.equal(rows, TEXTS.length);
    assert.deepEqual(columns.get("text")!.map((cell) => withoutApostrophe(`${cell ?? ""}`)), TEXTS);
    assert.deepEqual(columns.get("number")!.map((cell) => cell === "" ? null : Number(cell)).slice(0, 3), [
      -1,
      null,
      -3,
    ]);
  } finally {
    await Deno.remove(path);
  }
  for (const text of TEXTS) assert.equal(withoutApostrophe(withApostrophe(text)), text);
});
