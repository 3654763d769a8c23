/**
 * `report.html`: self-contained, nothing is loaded from elsewhere.
 *
 * @module
 */
import type { Dataset, Pairs, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { principalComponents } from "../numeric/projection.ts";
import type { Evaluation } from "../stage/artifact.ts";
import { escapeHtml, lineChart, mapPlot, scaleOf, scatterPlot } from "./charts.ts";
import { BASELINE_TITLES } from "./evaluation.ts";
import { evaluatedOn, type Report, type ReportBase, type ReportTable } from "./report.ts";
import { sentencesOf } from "./stages/evaluate.ts";

/** What the page shows beyond the report. */
export interface PageData {
  /** Evaluation rows. */
  readonly rows: Dataset<Columns>;
  /** Before training. */
  readonly before: Evaluation;
  /** After it. */
  readonly after: Evaluation;
  /** Embeddings of the distinct sentences before training. */
  readonly beforeEmbeddings: Embeddings;
  /** And after it. */
  readonly afterEmbeddings: Embeddings;
  /** Evaluation sentences that occur in the training data. */
  readonly leaks: readonly string[];
}

const STYLE =
  `:root { color-scheme: light dark; --ink: light-dark(#1d2430, #e7eaf0); --soft: light-dark(#667085, #98a2b3);
  --line: light-dark(#e3e7ee, #2d3542); --a: #3b7ddd; --b: #d9822b; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#fff, #12161d); max-width: 62rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; } p { color: var(--soft); margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.5rem; }
svg { width: 100%; height: auto; } .warn { color: var(--b); }`;

type Cell = string | number | null | undefined;

const show = (value: Cell, digits: number) =>
  value === undefined || value === null
    ? ""
    : typeof value === "string"
    ? escapeHtml(value)
    : Number.isInteger(value)
    ? `${value}`
    : value.toFixed(digits);

/** A table: numbers to the right. */
export function htmlTable(columns: readonly string[], rows: readonly (readonly Cell[])[], digits = 4): string {
  const numeric = columns.map((_, j) => j > 0 && rows.every((row) => typeof row[j] !== "string"));
  const line = (tag: "td" | "th", cells: readonly string[]) =>
    `<tr>${cells.map((cell, j) => `<${tag}${numeric[j] ? ' class="n"' : ""}>${cell}</${tag}>`).join("")}</tr>`;
  return `<table>${line("th", columns.map(escapeHtml))}\n${
    rows.map((row) => line("td", columns.map((_, j) => show(row[j], digits)))).join("\n")
  }</table>`;
}

/** A page with a heading, what computed, warnings, these sections and the stages. */
export function page(report: ReportBase, lead: string, sections: readonly string[]): string {
  const { engine } = report;
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(report.pipeline)} · Kindred</title>
<style>
${STYLE}
</style>
<h1>${escapeHtml(report.pipeline)}</h1>
<p>${escapeHtml(lead)} · ${escapeHtml(engine.name)}, ${
    escapeHtml(`${engine.gemm} ${engine.library}`.trim())
  }, ${engine.threads} threads · seed ${report.seed}</p>
<p><code>${escapeHtml(report.command)}</code></p>
${report.warnings.map((warning) => `<p class="warn">${escapeHtml(warning)}</p>`).join("\n")}
${sections.join("\n")}
<h2>Stages</h2>
${
    htmlTable(
      ["stage", "key", "from the cache", "seconds"],
      report.stages.map(({ name, key, cached, seconds }) => [name, key.slice(0, 12), cached ? "yes" : "no", seconds]),
      2,
    )
  }
</html>
`;
}

/** A section with a heading. */
export const section = (title: string, ...parts: readonly string[]): string =>
  `<h2>${escapeHtml(title)}</h2>\n${parts.join("\n")}`;

/** Parts side by side. */
export const beside = (...parts: readonly string[]): string =>
  `<div class="row">${parts.map((part) => `<div>${part}</div>`).join("")}</div>`;

/** The page of a training; `data` where something was evaluated. */
export function reportPage(report: Report, data?: PageData): string {
  const { training, evaluation } = report;
  const lead = `${training.steps} steps · ${training.samples} rows · ${
    training.samples_per_second.toFixed(1)
  } samples/s`;
  const loss = section("Loss", lineChart(training.loss));
  const tables = (report.tables ?? []).map(tableSection);
  if (evaluation === undefined || data === undefined) return page(report, lead, [loss, ...tables]);
  const { metric } = evaluation;
  const curve = [
    [0, report.before[metric] ?? 0],
    ...report.evaluations.map(([step, values]) => [step, values[metric] ?? 0] as const),
    [training.steps, report.metrics[metric] ?? 0],
  ] as const;
  const { first, sentences } = sentencesOf(data.rows);
  return page(report, lead, [
    beside(loss, section(metric, lineChart(curve))),
    section("Evaluation", `<p>${escapeHtml(evaluatedOn(report))}</p>`, metricsTable(report)),
    ...tables,
    ...(evaluation.kind === "similarity" ? similaritySections(data) : []),
    ...(evaluation.kind === "retrieval" ? [hardestQueries(data)] : []),
    section(
      "Map of the evaluation texts",
      beside(
        `<p>before</p>${sentenceMap(data.beforeEmbeddings, sentences)}`,
        `<p>after</p>${sentenceMap(data.afterEmbeddings, sentences)}`,
      ),
    ),
    section(
      "Nearest neighbours",
      neighbourTable(data, sentences, 1 + first.reduce((most, row) => Math.max(most, row), 0)),
    ),
    section(
      "Leak check",
      `<p>${data.leaks.length} of ${sentences.length} evaluation texts occur in the training data${
        data.leaks.length > 0 ? `, among them: ${escapeHtml(data.leaks.slice(0, 5).join(" · "))}` : "."
      }</p>`,
    ),
  ]);
}

/** Every metric before and after, beside controls and baselines. */
function metricsTable({ before, metrics, baseline, control, control_equal_steps: equal }: Report): string {
  const columns = [
    "metric",
    "before",
    "after",
    "change",
    ...(control === undefined ? [] : ["control"]),
    ...(equal === undefined ? [] : ["control, equal steps"]),
  ];
  const rows = Object.keys(metrics).map((key) => [
    key,
    before[key],
    metrics[key],
    before[key] === undefined ? undefined : metrics[key]! - before[key],
    ...(control === undefined ? [] : [control.metrics[key]]),
    ...(equal === undefined ? [] : [equal.metrics[key]]),
  ]);
  const overlaps = Object.entries(baseline).map(([name, value]) => [BASELINE_TITLES[name] ?? name, undefined, value]);
  return htmlTable(columns, [...rows, ...overlaps]);
}

/** Predicted against gold similarity, and the pairs that are furthest off. */
function similaritySections(data: PageData): readonly string[] {
  const { sentence1, sentence2, score } = data.rows.columns as ScoredPairs;
  const gold = scaleOf(score);
  const scatter = ({ similarities }: Evaluation) => similarities.map((cosine, i) => [gold(score[i]!), cosine] as const);
  const gap = (i: number) => Math.abs(gold(score[i]!) - data.after.similarities[i]!);
  const worst = Array.from(score.keys()).sort((a, b) => gap(b) - gap(a)).slice(0, 10);
  return [
    section(
      "Predicted against gold similarity",
      beside(
        `<p>before</p>${scatterPlot(scatter(data.before), "gold")}`,
        `<p>after</p>${scatterPlot(scatter(data.after), "gold")}`,
      ),
    ),
    section(
      "Worst predicted pairs",
      htmlTable(
        ["first", "second", "gold", "before", "after"],
        worst.map((i) => [
          sentence1[i]!,
          sentence2[i]!,
          Number(score[i]!.toFixed(3)),
          data.before.similarities[i]!,
          data.after.similarities[i]!,
        ]),
        3,
      ),
    ),
  ];
}

/** Anchors whose positive stands furthest down after training. */
function hardestQueries(data: PageData): string {
  const { anchor, positive } = data.rows.columns as Pairs;
  const row = new Map<string, number>(); // the first of each anchor
  anchor.forEach((text, i) => row.has(text) || row.set(text, i));
  const queries = [...row.keys()];
  const rank = ({ ranks }: Evaluation, query: number) => ranks![query]! || Infinity;
  const hardest = [...queries.keys()].sort((a, b) => rank(data.after, b) - rank(data.after, a)).slice(0, 10);
  const shown = (place: number) => place === Infinity ? "not among 100" : `${place}`;
  return section(
    "Hardest anchors",
    htmlTable(
      ["anchor", "positive", "place before", "place after"],
      hardest.map((query) => [
        queries[query]!,
        positive[row.get(queries[query]!)!]!,
        shown(rank(data.before, query)),
        shown(rank(data.after, query)),
      ]),
    ),
  );
}

/** A table of the report. */
export const tableSection = ({ title, columns, rows }: ReportTable): string => section(title, htmlTable(columns, rows));

/** Sentences of a map: more of them would only cover each other. */
const MAPPED = 1000;

function sentenceMap(embeddings: Embeddings, sentences: readonly string[]): string {
  const { data, width } = embeddings;
  const rows = Math.min(MAPPED, sentences.length);
  const { projected } = principalComponents({ data: data.subarray(0, rows * width), rows, width });
  return mapPlot(
    sentences.slice(0, rows).map((text, i) => ({ x: projected[2 * i]!, y: projected[2 * i + 1]!, text })),
  );
}

/** Ten of the first `spread` sentences, evenly spread, and the nearest other one of all before and after. */
function neighbourTable(data: PageData, sentences: readonly string[], spread: number): string {
  const count = Math.min(10, spread);
  const rows = Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i * spread / count);
    const [before, after] = [nearestTo(data.beforeEmbeddings, row), nearestTo(data.afterEmbeddings, row)];
    const told = ({ row, cosine }: { row: number; cosine: number }) =>
      row < 0 ? "" : `${sentences[row]} (${cosine.toFixed(2)})`;
    return [sentences[row]!, told(before), told(after)];
  });
  return htmlTable(["sentence", "nearest before", "nearest after"], rows);
}

function nearestTo({ data, rows, width }: Embeddings, row: number): { row: number; cosine: number } {
  const own = data.subarray(row * width, (row + 1) * width);
  const best = { row: -1, cosine: -Infinity };
  for (let other = 0; other < rows; other++) {
    if (other === row) continue;
    let [dot, a, b] = [0, 0, 0];
    for (let i = 0; i < width; i++) {
      const [x, y] = [own[i]!, data[other * width + i]!];
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    const cosine = dot / (Math.sqrt(a * b) || 1);
    if (cosine > best.cosine) Object.assign(best, { row: other, cosine });
  }
  return best;
}
