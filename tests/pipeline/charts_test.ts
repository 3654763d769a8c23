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
    /<caption><span>&lt;c&gt;<\/span><\/caption>.*scope="col">&lt;a&gt;.*scope="row">&lt;b&gt;/s,
  );
  const measured = htmlTable("c", ["a", "numbers", "words"], [["x", "1.5 GB/s", "2 texts"], ["y", "12.3 %", "all"]]);
  assert.match(measured, /<th scope="col" class="n">numbers<.*<th scope="col">words</s);
});

Deno.test("a series of a single point is said in words: it makes no curve", () => {
  const titles = { title: "Loss", across: "update", up: "loss" };
  const alone = lineChart(titles, [{ name: "Loss", points: [[8, 0.1934]] }]);
  assert.equal(alone, "<figure><figcaption>Loss</figcaption><p>0.1934 at update 8</p></figure>");
  const both = lineChart(titles, [{ name: "<a>", points: [[8, 2]] }, { name: "b", points: [[8, NaN], [9, 1]] }]);
  assert.match(both, /<p>&lt;a&gt;: 2 at update 8; b: 1 at update 9<\/p>/);
  assert.match(lineChart(titles, [{ name: "a", points: [[8, 2]] }, { name: "b", points: [[8, 2], [9, 1]] }]), /<svg/);
});

Deno.test("numbers across a chart have room: of long ones fewer are written", () => {
  for (const top of [8, 90, 12_345, 700_000]) {
    const svg = lineChart({ title: "t", across: "x", up: "y" }, [{ name: "a", points: [[0, 1], [top, 2]] }]);
    const marks = [...svg.matchAll(/<text x="([\d.]+)" y="[\d.]+" text-anchor="middle">(\d+)</g)];
    assert.ok(marks.length > 1);
    const places = marks.map(([, x, text]) => ({ x: Number(x), half: 4 * text!.length }));
    places.forEach(({ x, half }, i) => i === 0 || assert.ok(x - half > places[i - 1]!.x + places[i - 1]!.half));
    assert.ok(places.at(-1)!.x + places.at(-1)!.half <= 336, "the last one is not cut");
  }
});

Deno.test("in a table, columns of texts may break and other words stay whole", () => {
  const table = htmlTable("c", ["metric", "text"], [["spearman_euclidean", "a man plays a guitar in the park"]]);
  assert.match(table, /<th scope="col">metric<.*<th scope="col" class="t">text<.*<td class="t">/s);
});

Deno.test("a flag is not broken behind its hyphens", () => {
  const table = htmlTable("c", ["flag", "value"], [["--learning-rate", "as --lora-rank says; a--b"]]);
  assert.match(
    table,
    /<span class="flag">--learning-rate<\/span>.*as <span class="flag">--lora-rank<\/span> says; a--b</s,
  );
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
