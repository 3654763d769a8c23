import assert from "node:assert/strict";
import { sentenceLines, tableLines, textLines } from "../../lib/pipeline/table_lines.ts";

Deno.test("a table that fits stands as it is, with words to the left and numbers to the right", () => {
  assert.deepEqual(
    tableLines({
      title: "Efforts",
      columns: ["", "inferences", "recall", "how"],
      rows: [["one way", 300, 1, "measured"], ["another", 44850, 0.5, null]],
    }),
    [
      "  Efforts",
      "             inferences  recall  how",
      "    one way         300  1.0000  measured",
      "    another       44850  0.5000",
    ],
  );
});

Deno.test("one that is too wide has its headings folded", () => {
  const columns = ["model", ...Array.from({ length: 5 }, (_, i) => `evaluation ${i} accuracy`)];
  const lines = tableLines({ title: "T", columns, rows: [["base", 1, 2, 3, 4, 5]] });
  assert.ok(lines.every((line) => line.length <= 80), lines.join("\n"));
  assert.equal(lines.length, 1 + 3 + 1);
  assert.match(lines[3]!, /model( {2}accuracy| +accuracy){5}/);
});

Deno.test("one of numbers that is still too wide changes rows and columns", () => {
  const metrics = [
    "target pearson_cosine",
    "target spearman_cosine",
    "general pearson_cosine",
    "general spearman_cosine",
  ];
  const lines = tableLines({
    title: "Each step",
    columns: ["model", ...metrics],
    rows: [["adapted and trained", 0.1, 0.2, 0.3, 0.4], ["trained without adaptation", 0.5, 0.6, 0.7, 0.8]],
  });
  assert.ok(lines.every((line) => line.length <= 80), lines.join("\n"));
  assert.match(lines.at(-1)!, /^ {4}general spearman_cosine +0\.4000 +0\.8000$/);
});

Deno.test("rows of long texts become paragraphs", () => {
  const text = "a long text about nothing ".repeat(6).trim();
  const lines = tableLines({ title: "Rows", columns: ["anchor", "score"], rows: [[text, 0.25], ["short", null]] });
  assert.ok(lines.every((line) => line.length <= 80), lines.join("\n"));
  assert.match(lines[1]!, /^ {4}anchor {2}a long text/);
  assert.deepEqual(lines.slice(-4), ["    score   0.2500", "", "    anchor  short", "    score"]);
});

Deno.test("a user's text tells the terminal nothing, keeps within 80 columns, and says that there is more of it", () => {
  assert.deepEqual(textLines("  0.5  ", "a \x1b[31mred\x00\x9b text\n\nof\ttwo lines"), [
    "  0.5  a [31mred text of two lines",
  ]);
  for (const text of ["the queen ".repeat(100), "x".repeat(5000), "👩‍👧 ".repeat(200), "", "   "]) {
    const lines = textLines("    0.1234  ", text, " (cosine)");
    assert.ok(lines.every((line) => line.length <= 80), lines.join("\n"));
    assert.ok(lines.length <= 4 && lines.at(-1)!.endsWith("(cosine)"), lines.join("\n"));
    assert.equal(lines.some((line) => line.includes("…")), text.length > 500);
  }
  assert.deepEqual(textLines("  ", "why", " (cosine)"), ["  why (cosine)"]);
  assert.ok(
    tableLines({ title: "T", columns: ["a", "b"], rows: [["\x1b[2J", "y"]] }).every((line) => !line.includes("\x1b")),
  );
  assert.deepEqual(sentenceLines("word ".repeat(20).trim()).map((line) => line.length), [76, 28]);
});
