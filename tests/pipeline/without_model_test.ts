import assert from "node:assert/strict";
import { htmlTable } from "../../lib/pipeline/page.ts";
import { tableLines } from "../../lib/pipeline/table_lines.ts";
import { metricsTable } from "../../lib/pipeline/training_page.ts";
import { baselineOf, baselineRows } from "../../lib/pipeline/without_model.ts";

const pairs = (sentence2: readonly string[]) => ({
  columns: { sentence1: ["a dog runs", "we sing here"], sentence2, score: Float64Array.of(1, 3) },
  rows: 2,
});

Deno.test("words that are counted in few rows may find them all alike: a dash and the reason, and no NaN", () => {
  const baseline = baselineOf("similarity", pairs(["the cat sleeps", "nobody hears it"]));
  assert.deepEqual(baseline, { jaccard: null, tfidf: null });
  const rows = baselineRows(baseline);
  assert.deepEqual(rows[0], ["word overlap, Jaccard (alike in all rows)", "–"]);
  const metrics = { spearman_cosine: 0.5 };
  const shown = [
    metricsTable({ before: metrics, metrics, baseline }),
    ...tableLines({ title: "T", columns: ["", "after"], rows: [["spearman_cosine", 0.5], ...rows] }),
  ].join("\n");
  assert.match(shown, /Jaccard \(alike in all rows\) +–$/m);
  assert.match(shown, /<td class="n">–<\/td>/);
  assert.doesNotMatch(shown, /NaN/);
});

Deno.test("words that differ are counted as ever", () => {
  const baseline = baselineOf("similarity", pairs(["the cat sleeps", "we sing there"]));
  assert.deepEqual(baselineRows(baseline), [["word overlap, Jaccard", 1], ["word overlap, TF-IDF", 1]]);
});

Deno.test("a number that is none is a dash in every table", () => {
  const table = { title: "T", columns: ["", "value"], rows: [["one", NaN], ["other", 0.5]] };
  assert.deepEqual(tableLines(table).slice(2), ["    one         –", "    other  0.5000"]);
  assert.match(htmlTable("T", table.columns, table.rows), /<td class="n">–<\/td>/);
});
