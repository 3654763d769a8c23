/**
 * The report of a run: report.json, metrics.jsonl and report.html.
 *
 * @module
 */
import type { EngineInfo } from "../engine/engine.ts";
import type { Metrics } from "../train/record.ts";

/** How training went. */
export interface TrainingReport {
  /** Updates. */
  readonly steps: number;
  /** Rows. */
  readonly samples: number;
  /** Tokens. */
  readonly tokens: number;
  /** Wall time of the step loop alone. */
  readonly seconds: number;
  /** samples / seconds */
  readonly samples_per_second: number;
  /** tokens / seconds */
  readonly tokens_per_second: number;
  /** [update, mean loss since the last entry] */
  readonly loss: readonly (readonly [number, number])[];
  /** The values are those of an earlier run. */
  readonly cached?: boolean;
}

/** What report.json holds. */
export interface Report {
  /** Version of this shape. */
  readonly schema: "kindred-report/1";
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** sample, chapter or test. */
  readonly preset: string;
  /** The command line. */
  readonly command: string;
  /** The seed. */
  readonly seed: number;
  /** What computed. */
  readonly engine: EngineInfo;
  /** The data. */
  readonly data: Readonly<Record<"train" | "eval", { source: string; rows: number; dropped: number }>>;
  /** Spearman correlation of word overlap on the evaluation pairs. */
  readonly baseline: { readonly jaccard: number; readonly tfidf: number };
  /** What ran, and what came from the cache. */
  readonly stages: readonly { name: string; key: string; cached: boolean; seconds: number }[];
  /** How training went. */
  readonly training: TrainingReport;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
  /** Folder of the model. */
  readonly model: string;
  /** Every model that was trained. */
  readonly runs: Readonly<
    Record<string, { role: string; training: TrainingReport; before: Metrics; metrics: Metrics; model: string }>
  >;
  /** [update, metrics] */
  readonly evaluations: readonly (readonly [number, Metrics])[];
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** What the page shows beyond the report. */
export interface PageData {
  /** Evaluation pairs and their similarity before and after. */
  readonly pairs: readonly { first: string; second: string; gold: number; before: number; after: number }[];
  /** Evaluation sentences that occur in the training data. */
  readonly leaks: readonly string[];
}

/** The report in a few lines for the terminal. */
export function summary(report: Report): string {
  const { before, metrics, training, baseline } = report;
  const row = (name: string, values: readonly (number | undefined)[]) =>
    `  ${name.padEnd(22)}${values.map((value) => (value === undefined ? "" : value.toFixed(4)).padStart(10)).join("")}`;
  return [
    `${report.pipeline} (${report.preset}): ${training.steps} steps, ${
      training.samples_per_second.toFixed(0)
    } samples/s${training.cached ? " (from the cache)" : ""}`,
    `  ${"".padEnd(22)}    before     after`,
    ...["pearson_cosine", "spearman_cosine"].map((key) => row(key, [before[key], metrics[key]])),
    row("word overlap, Jaccard", [baseline.jaccard]),
    row("word overlap, TF-IDF", [baseline.tfidf]),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  model: ${report.model}`,
  ].join("\n");
}

const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The page: self-contained, nothing is loaded from elsewhere. */
export function reportPage(report: Report, page: PageData): string {
  const { before, metrics, training, baseline, engine } = report;
  const keys = Object.keys(metrics);
  const range = scaleOf(page.pairs.map(({ gold }) => gold));
  const scatter = (side: "before" | "after") => page.pairs.map((pair) => [range(pair.gold), pair[side]] as const);
  const gap = (pair: PageData["pairs"][number]) => Math.abs(range(pair.gold) - pair.after);
  const worst = [...page.pairs].sort((a, b) => gap(b) - gap(a)).slice(0, 10);
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(report.pipeline)} · Kindred</title>
<style>
:root { color-scheme: light dark; --ink: light-dark(#1d2430, #e7eaf0); --soft: light-dark(#667085, #98a2b3); --line: light-dark(#e3e7ee, #2d3542); --a: #3b7ddd; --b: #d9822b; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: light-dark(#fff, #12161d); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; } p { color: var(--soft); margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.row { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1.5rem; } svg { width: 100%; height: auto; } .warn { color: var(--b); }
</style>
<h1>${escape(report.pipeline)}</h1>
<p>${training.steps} steps · ${training.samples} rows · ${training.samples_per_second.toFixed(1)} samples/s · ${
    escape(engine.name)
  }, ${escape(engine.gemm)} ${escape(engine.library)}, ${engine.threads} threads · seed ${report.seed}</p>
${report.warnings.map((warning) => `<p class="warn">${escape(warning)}</p>`).join("\n")}
<div class="row"><div><h2>Loss</h2>${lineChart(training.loss)}</div>
<div><h2>spearman_cosine</h2>${
    lineChart([
      [0, before["spearman_cosine"] ?? 0],
      ...report.evaluations.map(([step, m]) => [step, m["spearman_cosine"] ?? 0] as const),
      [
        training.steps,
        metrics["spearman_cosine"] ?? 0,
      ],
    ])
  }</div></div>
<h2>Evaluation</h2>
<table><tr><th>metric<th class="n">before<th class="n">after<th class="n">change</tr>
${
    keys.map((key) =>
      `<tr><td>${key}<td class="n">${before[key]?.toFixed(4) ?? ""}<td class="n">${
        metrics[key]!.toFixed(4)
      }<td class="n">${before[key] === undefined ? "" : (metrics[key]! - before[key]!).toFixed(4)}</tr>`
    ).join("\n")
  }
<tr><td>word overlap, Jaccard (spearman)<td class="n"><td class="n">${baseline.jaccard.toFixed(4)}<td></tr>
<tr><td>word overlap, TF-IDF (spearman)<td class="n"><td class="n">${baseline.tfidf.toFixed(4)}<td></tr></table>
<h2>Predicted against gold similarity</h2>
<div class="row"><div><p>before</p>${scatterPlot(scatter("before"))}</div><div><p>after</p>${
    scatterPlot(scatter("after"))
  }</div></div>
<h2>Worst predicted pairs</h2>
<table><tr><th>first<th>second<th class="n">gold<th class="n">before<th class="n">after</tr>
${
    worst.map(({ first, second, gold, before, after }) =>
      `<tr><td>${escape(first)}<td>${escape(second)}<td class="n">${Number(gold.toFixed(3))}<td class="n">${
        before.toFixed(3)
      }<td class="n">${after.toFixed(3)}</tr>`
    ).join("\n")
  }</table>
<h2>Leak check</h2>
<p>${page.leaks.length} evaluation sentences occur in the training data${
    page.leaks.length > 0 ? `, among them: ${escape(page.leaks.slice(0, 5).join(" · "))}` : "."
  }</p>
<h2>Stages</h2>
<table><tr><th>stage<th>key<th>from the cache<th class="n">seconds</tr>
${
    report.stages.map(({ name, key, cached, seconds }) =>
      `<tr><td>${name}<td><code>${key.slice(0, 12)}</code><td>${cached ? "yes" : "no"}<td class="n">${
        seconds.toFixed(2)
      }</tr>`
    ).join("\n")
  }</table>
</html>
`;
}

function scaleOf(values: readonly number[]): (value: number) => number {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return (value) => high === low ? 0 : (value - low) / (high - low);
}

function lineChart(points: readonly (readonly [number, number])[]): string {
  if (points.length === 0) return "<p>no values</p>";
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [scaleOf(xs), scaleOf(ys)];
  const at = ([a, b]: readonly [number, number]) => `${(40 + 340 * x(a)).toFixed(1)},${(150 - 130 * y(b)).toFixed(1)}`;
  return `<svg viewBox="0 0 400 180" role="img"><g fill="var(--soft)" font-size="11"><text x="2" y="24">${
    Math.max(...ys).toPrecision(3)
  }</text><text x="2" y="154">${Math.min(...ys).toPrecision(3)}</text><text x="40" y="174">${
    xs[0]
  }</text><text x="380" y="174" text-anchor="end">${
    xs.at(-1)
  }</text></g><path d="M40 155H385M40 155V15" stroke="var(--line)" fill="none"/><polyline fill="none" stroke="var(--a)" stroke-width="2" points="${
    points.map(at).join(" ")
  }"/>${
    points.length < 40
      ? points.map((point) =>
        `<circle r="2.5" fill="var(--a)" cx="${at(point).split(",")[0]}" cy="${at(point).split(",")[1]}"/>`
      ).join("")
      : ""
  }</svg>`;
}

function scatterPlot(points: readonly (readonly [number, number])[]): string {
  const dots = points.map(([x, y]) =>
    `<circle r="2" cx="${(30 + 340 * x).toFixed(1)}" cy="${(230 - 200 * Math.max(0, Math.min(1, y))).toFixed(1)}"/>`
  );
  return `<svg viewBox="0 0 400 260" role="img"><path d="M30 230H375M30 230V25" stroke="var(--line)" fill="none"/><g fill="var(--a)" fill-opacity=".35">${
    dots.join("")
  }</g><g fill="var(--soft)" font-size="11"><text x="200" y="252" text-anchor="middle">gold</text><text x="2" y="30">1</text><text x="2" y="234">0</text></g></svg>`;
}
