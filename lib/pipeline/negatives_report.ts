/**
 * The end of the mining of negatives: the rows as a file, statistics, a page.
 *
 * @module
 */
import { tableLines } from "./table_lines.ts";
import { counted } from "../counted.ts";
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../attempt.ts";
import type { Dataset, Pairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { type Candidates, exportReview, type NegativeStatistics, type ScoreSummary } from "../negatives/mod.ts";
import { type CountedDataset, type ModelFolder, readJson, summaryOf } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import { reportBase } from "./report_base.ts";
import { readingOfModel, type ReadingReport } from "./card.ts";
import { writeOutput } from "./output.ts";
import { beside, htmlTable, page, readingFacts, section, tableSection } from "./page.ts";
import { histogramChart } from "./charts.ts";
import { fileLines, type ReportBase, type ReportTable } from "./report.ts";
import { text } from "./settings.ts";
import type { Artifact, Services } from "../stage/stage.ts";

/** What report.json of the command holds. */
export interface NegativesReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-negatives/1";
  /** Pairs that negatives were looked for. */
  readonly pairs: { readonly source: string; readonly rows: number };
  /** How the encoder reads texts by which negatives were looked for; undefined: none was asked. */
  readonly reading?: ReadingReport | undefined;
  /** Who chose them: see `--negatives` and `--hard-by`. */
  readonly negatives: string;
  /** Rows that were written, and what was counted. */
  readonly rows: number;
  /** Left out by bounds, verdicts, … */
  readonly counts: Readonly<Record<string, number>>;
  /** Scores of positives, negatives, and their difference; undefined for rows that nobody has scored. */
  readonly statistics?: NegativeStatistics | undefined;
  /** Some of them. */
  readonly examples: ReportTable;
  /** The file of the rows. */
  readonly file: string;
}

/** What `--export` gives. */
export interface ExportReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-review/1";
  /** The file. */
  readonly file: string;
  /** Lines for a person to judge. */
  readonly rows: number;
}

/** Writes candidates for a person. */
export const exportCandidates: (
  invocation: Invocation,
  candidates: Artifact<Candidates>,
) => Effect.Effect<ExportReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, candidates) {
  const file = text(invocation.values, "export")!;
  const rows = yield* attempt(async () => await exportReview(await candidates.read(), file));
  return { schema: "kindred-review/1", ...yield* reportBase(invocation), file, rows };
});

const STATISTICS = ["mean", "median", "std", "min", "lowerQuartile", "upperQuartile", "max"] as const;

/** Rows of the page's table of examples. */
const EXAMPLES = 20;

/** Writes the folder of results: `negatives.parquet` or `negatives.jsonl`, report and page. */
export const finishNegatives: (
  invocation: Invocation,
  output: string,
  pairs: Artifact<Dataset<Pairs>>,
  negatives: Artifact<CountedDataset<Columns>>,
  miner?: Artifact<ModelFolder>,
) => Effect.Effect<NegativesReport, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, output, pairs, negatives, miner) {
    const { values } = invocation;
    const reading = miner && (yield* readingOfModel(miner));
    const list = text(values, "rows") === "labeled-list";
    const rowsFile = list ? "negatives.jsonl" : "negatives.parquet";
    const base = yield* reportBase(invocation, { output, files: [rowsFile, "report.json", "report.html"] });
    return yield* attempt(async () => {
      const { rows, counts } = await summaryOf(negatives);
      const [folder] = negatives.paths as [string];
      const file = join(output, rowsFile);
      const statistics = await readJson<NegativeStatistics>(join(folder, "statistics.json")).catch(() => undefined);
      const report: NegativesReport = {
        schema: "kindred-negatives/1",
        ...base,
        pairs: { source: text(values, "train") ?? "sample", rows: (await summaryOf(pairs)).rows },
        ...(reading !== undefined && { reading }),
        negatives: text(values, "negatives")!,
        rows,
        counts,
        ...(statistics !== undefined && { statistics }),
        examples: await examples(negatives),
        file,
      };
      await writeOutput(output, {
        "report.html": page(report, {
          lead: `${counted(rows, "row")} from ${counted(report.pairs.rows, "pair")}; negatives: ${report.negatives}`,
          sections: [
            ...(reading === undefined ? [] : [readingFacts(reading)]),
            ...(Object.keys(counts).length === 0
              ? []
              : [section("Counts", htmlTable("What was counted", ["what", "how many"], Object.entries(counts)))]),
            ...(statistics === undefined ? [] : [scoreSection(statistics)]),
            tableSection(report.examples),
          ],
        }),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      });
      await Deno.copyFile(join(folder, list ? "lists.jsonl" : "data.parquet"), `${file}.tmp`);
      await Deno.rename(`${file}.tmp`, file);
      return report;
    });
  },
);

async function examples(negatives: Artifact<CountedDataset<Columns>>): Promise<ReportTable> {
  const { columns, rows } = await negatives.read();
  const names = Object.keys(columns);
  const shown = Math.min(EXAMPLES, rows);
  return {
    title: "Some of the rows",
    columns: names,
    rows: Array.from({ length: shown }, (_, i) => {
      const row = Math.floor(i * rows / shown);
      return names.map((name) => columns[name]![row]!);
    }),
  };
}

function scoreSection(statistics: NegativeStatistics): string {
  const { positive, negative, difference } = statistics;
  const chart = (title: string, across: string, groups: readonly (readonly [string, ScoreSummary])[]) =>
    histogramChart(
      { title, across, up: "%" },
      groups.map(([name, { histogram }]) => ({ name, histogram })),
    );
  return section(
    "Scores",
    beside(
      chart("Positives and negatives", "score with the anchor", [["positive", positive], ["negative", negative]]),
      chart("How much better the positive is", "positive − negative", [["difference", difference]]),
    ),
    htmlTable("Scores", ...((table) => [table.columns, table.rows] as const)(statisticsTable(statistics))),
  );
}

function statisticsTable({ positive, negative, difference }: NegativeStatistics): ReportTable {
  return {
    title: "Scores",
    columns: ["", "positive", "negative", "difference"],
    rows: STATISTICS.map((key) => [key, positive[key], negative[key], difference[key]]),
  };
}

/** The report in a few lines. */
export function negativesSummary(report: NegativesReport | ExportReport): string {
  if (report.schema === "kindred-review/1") {
    return `${
      counted(report.rows, "candidate")
    } to judge in ${report.file}: fill in the column answers (yes, no), then --import it`;
  }
  return [
    `${report.pipeline} (${report.preset}): ${counted(report.rows, "row")} from ${
      counted(report.pairs.rows, "pair")
    }, ${report.negatives}`,
    ...Object.entries(report.counts).map(([name, count]) => `  ${name.padEnd(24)}${count}`),
    ...(report.statistics === undefined ? [] : tableLines(statisticsTable(report.statistics))),
    ...tableLines({ ...report.examples, rows: report.examples.rows.slice(0, 3) }),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    `  rows: ${report.file}`,
    ...fileLines(report),
  ].join("\n");
}
