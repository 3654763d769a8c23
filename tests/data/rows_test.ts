import assert from "node:assert/strict";
import { datasetOf, dedupe, firstRows, selectRows } from "../../lib/data/rows.ts";
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
