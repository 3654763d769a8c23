import assert from "node:assert/strict";
import { axisOf, rangeOf, tickText } from "../../lib/pipeline/axis.ts";
import { lineChart, scatterPlot } from "../../lib/pipeline/charts.ts";
import { histogramOf } from "../../lib/numeric/mod.ts";
import { shellQuote } from "../../lib/pipeline/command_line.ts";
import { htmlTable, tableSection } from "../../lib/pipeline/page.ts";
import { VERSION } from "../../lib/version.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("axes cover all values with round numbers", () => {
  assert.deepEqual(axisOf([-0.43, 0.98], 5), { low: -0.5, high: 1, ticks: [-0.5, 0, 0.5, 1] });
  assert.deepEqual(axisOf([0, 7], 5, true).ticks, [0, 2, 4, 6, 8]);
  for (const range of [[3, 3], [1e-7, 2e-7], [-5e5, 3], [0, 0]] as const) {
    const { low, high, ticks } = axisOf(range);
    assert.ok(low <= range[0] && high >= range[1] && low < high && ticks.length >= 2 && ticks.length < 12);
    assert.ok(ticks.every((tick) => tickText(tick).length < 9), ticks.map(tickText).join(" "));
  }
  assert.equal(rangeOf([NaN, Infinity]), undefined);
});

Deno.test("negative cosines have places of their own in a scatter plot", () => {
  const svg = scatterPlot({ title: "t", across: "x", up: "y" }, [[0, -0.4], [1, 0], [2, 0.9]]);
  const heights = [...svg.matchAll(/cy="([\d.]+)"/g)].map(([, y]) => Number(y));
  assert.ok(heights[0]! > heights[1]! && heights[1]! > heights[2]!);
});

Deno.test("a chart says in words what it shows, and names are escaped", () => {
  const svg = lineChart({ title: "<Loss>", across: "update", up: "loss" }, [{
    name: 'a"b',
    points: [[1, 2], [5, 0.25]],
  }]);
  assert.match(svg, /role="img" aria-label="&lt;Loss&gt;: a&quot;b, from 2 at 1 to 0.2500 at 5"/);
  assert.match(
    htmlTable("<c>", ["<a>"], [["<b>"]]),
    /<caption>&lt;c&gt;<\/caption>.*scope="col">&lt;a&gt;.*scope="row">&lt;b&gt;/s,
  );
  const measured = htmlTable("c", ["a", "numbers", "words"], [["x", "1.5 GB/s", "2 texts"], ["y", "12.3 %", "all"]]);
  assert.match(measured, /<th scope="col" class="n">numbers<.*<th scope="col">words</s);
});

Deno.test("every value is in one bin of a histogram", () => {
  assert.deepEqual(histogramOf([0, 1, 2, 3, 4], { bins: 2 }), { low: 0, high: 4, counts: [2, 3] });
  assert.deepEqual(histogramOf([2, 2], { bins: 3 }).counts, [2, 0, 0]);
  assert.deepEqual(histogramOf([], { bins: 2 }).counts, [0, 0]);
});

Deno.test("what a shell reads back is the word", async () => {
  for (const word of ["--query", 'it\'s "here"; rm $HOME', "", "a b", "*", "ü", "#split", "~"]) {
    const { stdout } = await new Deno.Command("sh", { args: ["-c", `printf %s ${shellQuote(word)}`] }).output();
    assert.equal(new TextDecoder().decode(stdout), word);
  }
});

Deno.test("the version is that of the package", () => assert.equal(VERSION, config.version));

Deno.test("a table right under a heading of the same words does not say them again, and its region has them", () => {
  const shown = tableSection({ title: "On the way", columns: ["what", "value"], rows: [["rows", 3]] });
  assert.match(shown, /<h2>On the way<\/h2>[^]*aria-label="On the way"/);
  assert.doesNotMatch(shown, /<caption>/);
});
