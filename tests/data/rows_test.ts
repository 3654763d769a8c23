import assert from "node:assert/strict";
import { datasetOf, dedupe, firstRows, selectRows, split } from "../../lib/data/rows.ts";
import { DatasetError } from "../../lib/error.ts";

const letters = datasetOf({ text: ["a", "b", "a", "c"], label: Int32Array.of(0, 1, 0, 2) });

Deno.test("rows are picked and cut with the types of their columns", () => {
  const picked = selectRows(letters, [3, 0]);
  assert.deepEqual(picked.columns, { text: ["c", "a"], label: Int32Array.of(2, 0) });
  assert.deepEqual(firstRows(letters, 1).columns, { text: ["a"], label: Int32Array.of(0) });
  assert.equal(firstRows(letters, 9), letters);
  assert.throws(() => datasetOf({ a: ["x"], b: ["x", "y"] }), DatasetError);
});

Deno.test("of equal rows the first is kept, the others are counted", () => {
  const { dataset, dropped } = dedupe(letters);
  assert.deepEqual(dataset.columns, { text: ["a", "b", "c"], label: Int32Array.of(0, 1, 2) });
  assert.equal(dropped, 1);
  const tricky = datasetOf({ a: ["x,", "x"], b: ["y", ",y"] });
  assert.equal(dedupe(tricky).dropped, 0);
});

Deno.test("a split holds out rows by seed, all rows are in one part, equal texts stay together", () => {
  const text = Array.from({ length: 1000 }, (_, row) => `text ${row >> 2}`);
  const row = Int32Array.from(text, (_, index) => index);
  const dataset = datasetOf({ text, row });
  const { train, validation } = split(dataset, { validation: 0.1, seed: 1 });
  assert.deepEqual([train.rows, validation.rows], [900, 100]);
  assert.deepEqual([...train.columns.row, ...validation.columns.row].sort((a, b) => a - b), [...row]);
  assert.deepEqual(split(dataset, { validation: 100, seed: 1 }).validation, validation);
  assert.notDeepEqual(split(dataset, { validation: 100, seed: 2 }).validation, validation);
  const grouped = split(dataset, { validation: 0.1, seed: 1, together: "text" });
  assert.equal(grouped.validation.rows, 100);
  const held = new Set(grouped.validation.columns.text);
  assert.ok(grouped.train.columns.text.every((text) => !held.has(text)));
  for (const validation of [0, 1000, -1, 1.5]) {
    assert.throws(() => split(dataset, { validation, seed: 1 }), DatasetError);
  }
});

Deno.test("columns that are no lists of texts are refused where they come in, by name and row", () => {
  const refused = (column: unknown, where: string, found: string) =>
    assert.throws(() => datasetOf({ text: column as string[] }), (error) => {
      assert.ok(error instanceof DatasetError);
      assert.deepEqual([error.where, error.found], [where, found]);
      return true;
    });
  refused(undefined, "column text", "nothing");
  refused("abc", "column text", "string");
  refused(["a", 2], "column text, row 2", "number");
  refused(["a", null], "column text, row 2", "nothing");
  assert.equal(datasetOf({ text: ["a", ""], score: Float64Array.of(0, 1) }).rows, 2);
});
