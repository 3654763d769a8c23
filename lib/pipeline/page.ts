/**
 * The frame of every `report.html`: self-contained, without scripts, nothing is loaded from elsewhere.
 *
 * @module
 */
import { columnsInWords } from "../stage/progress.ts";
import { escapeHtml } from "./axis.ts";
import { type ReadingReport, shownPrompts } from "./card.ts";
import type { DataReport, ReportBase, ReportTable, RunReport } from "./report.ts";

const STYLE =
  `:root { color-scheme: light dark; --paper: light-dark(#fff, #12161d); --ink: light-dark(#1d2430, #e7eaf0);
  --soft: light-dark(#566073, #a9b2c2); --line: light-dark(#dfe4ec, #303949); --code: light-dark(#f3f5f8, #1b212b);
  --a: light-dark(#2563c4, #79aefc); --b: light-dark(#b4540a, #f2a65a); --c: light-dark(#17784b, #63cb9b);
  --d: light-dark(#7d3fc0, #c6a2f5); }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 66rem; margin: 2rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; }
.flag { white-space: nowrap; } p { color: var(--soft); margin: .3rem 0; } dl, figure { margin: 0; }
pre { background: var(--code); padding: .7rem .9rem; border-radius: .4rem; white-space: pre-wrap; font-size: .85rem; margin: .6rem 0; }
.table { overflow-x: auto; container-type: inline-size; margin: 0 0 1rem; background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
  linear-gradient(to right, var(--line), transparent) left / .9rem 100% no-repeat,
  linear-gradient(to left, var(--line), transparent) right / .9rem 100% no-repeat; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
caption span { display: inline-block; position: sticky; left: 0; max-width: 100cqi; overflow-wrap: anywhere; }
td, th { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; min-width: 3.2rem; }
th { font-weight: 600; } thead th { vertical-align: bottom; } tbody th { font-weight: 400; min-width: 6.5rem; } .t { min-width: 8.5rem; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; } td.n { white-space: nowrap; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 1.4rem; align-items: start; }
.row + *, figure + *, figure + .table, section + figure { margin-top: 1.4rem; } .row > * { margin-top: 0; min-width: 0; } figure { container-type: inline-size; }
figcaption { font-weight: 600; font-size: .95rem; } figure svg[role] { width: 100%; max-width: 34rem; height: auto; display: block; }
figure text { fill: var(--soft); font-size: 13px; } @container (min-width: 26rem) { figure text { font-size: 10px; } }
.grid { stroke: var(--line); } .axis { stroke: var(--soft); fill: none; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem .9rem; font-size: .85rem; } .key { width: 1.1em; height: .8em; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.facts > div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .8rem; }
dt { color: var(--soft); font-size: .85rem; } dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.warn { color: var(--b); border-left: 3px solid var(--b); padding-left: .7rem; }
@media (max-width: 34rem) { body { margin-top: 1rem; } td, th { padding: .3rem .35rem; } table { font-size: .82rem; } .t { min-width: 6.8rem; } }
@media print { :root { color-scheme: light; } body { max-width: none; margin: 0; font-size: 10.5pt; }
  h2, caption, figcaption { break-after: avoid; } figure, tr, .facts, pre { break-inside: avoid; } thead { display: table-header-group; }
  .table { overflow: visible; } .row { grid-template-columns: 1fr 1fr; } p, li { orphans: 3; widows: 3; } @page { margin: 16mm; } }`;

/** Text as HTML; flags stay whole, where a line would else end behind their hyphens. */
const words = (text: string) => escapeHtml(text).replaceAll(/(?<!\w)--[a-z][\w-]*/g, `<span class="flag">$&</span>`);

type Cell = string | number | boolean | null | undefined;

const show = (value: Cell, digits: number) => {
  if (value === undefined || value === null) return "";
  if (Number.isNaN(value)) return "–";
  if (typeof value !== "number") return words(`${value}`);
  if (Number.isInteger(value)) return `${value}`.replace("-", "−");
  const small = value !== 0 && Math.abs(value) < 10 ** -digits;
  return (small ? value.toExponential(2) : value.toFixed(digits)).replace(/^-/, "−");
};

/** A number as a cell has it, with its unit; nothing, or a dash, where there is none. */
const NUMBER = /^$|^–$|^[-+−]?[\d.,]+(\s?(%|×|G\S+\/s))?$/;

/** A column with a longer text than this is one of texts, whose lines may break anywhere; other words stay whole. */
const WORD = 24;

/**
 * A table with a caption, numbers to the right; the first cell of a row is what the row is about. Where the heading above it
 * says the same, the caption is not shown, and the table's region still has it as its name. One that is wider than the page
 * is moved within its own box, and its caption stays.
 */
export function htmlTable(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  { digits = 4, headed = false }: { readonly digits?: number; readonly headed?: boolean } = {},
): string {
  const isNumber = (cell: Cell | undefined) => typeof cell !== "string" || NUMBER.test(cell);
  const numeric = columns.map((_, j) => j > 0 && rows.every((row) => isNumber(row[j])));
  const isText = columns.map((_, j) => rows.some((row) => `${row[j] ?? ""}`.length > WORD));
  const type = (j: number) => numeric[j] ? ' class="n"' : isText[j] ? ' class="t"' : "";
  const heading = columns.map((name, j) => `<th scope="col"${type(j)}>${escapeHtml(name)}</th>`).join("");
  const lines = rows.map((row) =>
    `<tr>${
      columns.map((_, j) =>
        j === 0
          ? `<th scope="row"${type(j)}>${show(row[j], digits)}</th>`
          : `<td${type(j)}>${show(row[j], digits)}</td>`
      ).join("")
    }</tr>`
  );
  return `<div class="table" tabindex="0" role="region" aria-label="${escapeHtml(caption)}"><table>${
    headed ? "" : `<caption><span>${escapeHtml(caption)}</span></caption>`
  }<thead><tr>${heading}</tr></thead>\n<tbody>${lines.join("\n")}</tbody></table></div>`;
}

/** A section with a heading. */
export const section = (title: string, ...parts: readonly string[]): string =>
  `<section><h2>${escapeHtml(title)}</h2>\n${parts.join("\n")}</section>`;

/** Parts side by side, or below each other where there is no room. */
export const beside = (...parts: readonly string[]): string => `<div class="row">${parts.join("")}</div>`;

/** A few numbers that matter most. */
export const facts = (values: Readonly<Record<string, string | number>>): string =>
  `<dl class="facts">${
    Object.entries(values).map(([name, value]) => `<div><dt>${escapeHtml(name)}</dt><dd>${show(value, 4)}</dd></div>`)
      .join("")
  }</dl>`;

/** How a model reads texts. */
export const readingFacts = (reading: ReadingReport): string =>
  facts({
    "longest text, in tokens": reading.max_seq_length ?? "any",
    "prompts": shownPrompts(reading) ?? "none",
  });

/** A table of the report. */
export const tableSection = ({ title, columns, rows }: ReportTable): string =>
  section(title, htmlTable(title, columns, rows, { headed: true }));

/** Rows of the data, by what they are for. */
export function dataTable(data: { readonly train: DataReport; readonly eval?: DataReport }): string {
  const counts = ({ counts = {} }: DataReport) =>
    Object.entries(counts).filter(([name]) => name !== "dropped" && name !== "named").map(([name, count]) =>
      `${name} ${count}`
    ).join(", ");
  return htmlTable(
    "Data",
    ["data", "source", "rows", "left out", "counted"],
    Object.entries(data).map(([name, part]) => [name, part.source, part.rows, part.dropped, counts(part)]),
  );
}

/** A setting as it would be typed: .001 stays .001. */
const asWritten = (value: string | number | boolean | undefined) => value === undefined ? "" : `${value}`;

/** The hyper-parameters that each training held, side by side. */
export function settingsTable(runs: Readonly<Record<string, Pick<RunReport, "settings">>>): string {
  const names = [...new Set(Object.values(runs).flatMap(({ settings }) => Object.keys(settings)))];
  const columns = Object.keys(runs).map((name) => name === "main" ? "product" : name);
  return htmlTable(
    "Hyper-parameters that held",
    ["setting", ...columns],
    names.map((name) => [name, ...Object.values(runs).map(({ settings }) => asWritten(settings[name]))]),
  );
}

/** What a page shows of its report beside its own sections. */
export interface PageParts {
  /** One line below the heading. */
  readonly lead: string;
  /** What it is about. */
  readonly sections: readonly string[];
  /** What was run, beside the command and the engine: data, hyper-parameters. */
  readonly run?: readonly string[];
}

/** A page with a heading, warnings, its sections, what was run, and the stages. */
export function page(report: ReportBase, { lead, sections, run = [] }: PageParts): string {
  const { engine, versions } = report;
  const computed = Object.entries({
    "engine": engine.name,
    "kernels": engine.kernels,
    "device": engine.device,
    "precision": engine.precision,
    "why this engine": engine.reason,
    "the same bits": engine.identical_bits,
    "seed": report.seed,
    "preset": report.preset,
    ...versions,
  });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(report.pipeline)} · Kindred</title>
<style>
${STYLE}
</style>
</head>
<body>
<header>
<h1>${escapeHtml(report.pipeline.replaceAll("_", " "))}</h1>
<p>${escapeHtml(lead)}</p>
${report.warnings.map((warning) => `<p class="warn">${words(warning)}</p>`).join("\n")}
</header>
<main>
${sections.join("\n")}
${
    section(
      "What was run",
      `<pre><code>${words(report.command)}</code></pre>`,
      ...run,
      ...(report.columns.length === 0 ? [] : [
        htmlTable(
          "Columns that were read",
          ["source", "columns"],
          report.columns.map((read) => [read.source, columnsInWords(read)]),
        ),
      ]),
      beside(
        htmlTable("What computed it", ["", "value"], computed),
        htmlTable(
          "Flags, with the defaults that held",
          ["flag", "value"],
          Object.entries(report.flags).map(([flag, value]) => [`--${flag}`, asWritten(value)]),
        ),
      ),
      htmlTable(
        "Stages",
        ["stage", "key", "from the cache", "seconds"],
        report.stages.map(({ name, key, cached, seconds }) => [name, key.slice(0, 12), cached ? "yes" : "no", seconds]),
        { digits: 2 },
      ),
    )
  }
</main>
</body>
</html>
`;
}
