/**
 * The tables that benchmarks write: rows one by one, and nothing else of the file.
 */
import assert from "node:assert/strict";
import { wantedRows, withRows } from "../bench/results.ts";
import { ROWS } from "../bench/rows.ts";

const table = {
  title: "Speed: a processor",
  story: "How.",
  columns: ["work", "us", "them", "when"],
  names: ["a", "b, c"],
};
const before = "# Results\n\n## Other\n\n| a | 9 | 9 | 9 |\n";

Deno.test("rows that were measured anew take the place of the old ones, the others stay or are open", () => {
  const first = withRows(before, table, [["a", ["a", "1", "2", "today"]], ["b, c", undefined]]);
  assert.equal(
    first,
    `${before}\n## Speed: a processor\n\nHow.\n\n| work | us | them | when |\n| --- | --- | --- | --- |\n` +
      '| a | 1 | 2 | today |\n| b, c | open |  | `--only "b, c"` |\n',
  );
  const second = withRows(first, table, [["b, c", ["b, c", "3", "4", "later"]]]);
  assert.equal(second, first.replace(/\| b, c .*/, "| b, c | 3 | 4 | later |"));
  assert.equal(withRows(second, table, [["a", undefined]]), second, "what could not be measured keeps what it had");
});

Deno.test("another processor has a table of its own, and what follows a table stays", () => {
  const first = withRows(before, table, []);
  const both = withRows(first, { ...table, title: "Speed: another" }, [["a", ["a", "5", "6", "now"]]]);
  assert.ok(both.startsWith(first));
  const again = withRows(both, table, [["a", ["a", "7", "8", "now"]]]);
  assert.equal(again, both.replace('| a | open |  | `--only "a"` |', "| a | 7 | 8 | now |"));
});

Deno.test("--only asks for groups or for one row, whose name may hold commas; no two rows have one name", () => {
  const names = (only: string) => wantedRows(only, ROWS).map(({ name }) => name);
  assert.equal(names("").length, ROWS.length);
  assert.equal(new Set(names("")).size, ROWS.length);
  const [starts, tokens] = [names("start"), names("tokens")];
  assert.deepEqual(names("start,tokens"), [...starts, ...tokens]);
  assert.equal(starts.length + tokens.length, ROWS.filter(({ group }) => /^(start|tokens)$/.test(group)).length);
  assert.deepEqual(names("encode, int8, OpenVINO"), ["encode, int8, OpenVINO"]);
  assert.throws(() => names("encode, int8"), /neither a row nor one of minilm, /);
});
