/**
 * The page of a training on several data sets: each with its own loss, its own evaluation.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { TrainingRecord } from "../train/record.ts";
import { lineChart } from "./charts.ts";
import { evaluationSections, type PageData } from "./evaluation_page.ts";
import { beside, facts, htmlTable, page, section, settingsTable, tableSection } from "./page.ts";
import { dimensionChart, dimensionTable } from "./matryoshka.ts";
import type { ReportTable } from "./report.ts";
import { setEvaluatedOn, type SetReport, type SetsReport, turnsTable } from "./sets_report.ts";
import { metricsTable, trainingCurves } from "./training_page.ts";

/** The page; `data` has what is shown of the sets that were evaluated, by name. */
export function setsPage(
  report: SetsReport,
  record: TrainingRecord,
  data: Readonly<Record<string, PageData>>,
): string {
  const { training, sets, mixing, temperature } = report;
  const entries = Object.entries(sets);
  const rows = entries.reduce((sum, [, { data }]) => sum + data.train.rows, 0);
  const how = temperature === undefined ? mixing : `${mixing} ${temperature}`;
  return page(report, {
    lead: `One model was trained on ${counted(rows, "row")} of ${
      counted(entries.length, "data set")
    } (${how}); each batch is of one of them, and goes by its loss.`,
    run: [dataOfSets(sets), settingsOfSets(report)],
    sections: [
      facts({
        ...Object.fromEntries(entries.flatMap(([name, { evaluation, before, metrics }]) => {
          if (evaluation === undefined) return [];
          const { metric } = evaluation;
          const was = before[metric] === undefined ? "" : `${before[metric].toFixed(4)} → `;
          return [[`${name}: ${metric}`, `${was}${metrics[metric]!.toFixed(4)}`]];
        })),
        "updates": training.steps,
        "rows seen": training.samples,
        "rows per second": training.samples_per_second.toFixed(0),
      }),
      tableSection({ ...turnsTable(report), title: "What was trained on" }),
      section("The loss of each data set", beside(...entries.map(([name, set]) => lossChart(name, set)))),
      trainingCurves({ main: record }),
      ...(report.tables ?? []).map(tableSection),
      ...entries.flatMap(([name, set]) => setSections(report, name, set, data[name])),
    ],
  });
}

const lossChart = (name: string, { loss, settings }: SetReport) =>
  lineChart({ title: `${name}: ${settings["loss"]}`, across: "update", up: "loss" }, [{ name, points: loss }]);

/** What came of one set. */
function setSections(
  { evaluations, training }: SetsReport,
  name: string,
  set: SetReport,
  data: PageData | undefined,
): readonly string[] {
  const { evaluation, before, metrics } = set;
  if (evaluation === undefined || data === undefined) {
    return [section(name, "<p>nothing was evaluated</p>")];
  }
  const { metric } = evaluation;
  const key = `${name}_${metric}`;
  const course = [
    [0, before[metric] ?? NaN],
    ...evaluations.filter(([step]) => step !== training.steps).map(([step, values]) =>
      [step, values[key] ?? NaN] as const
    ),
    [training.steps, metrics[metric] ?? NaN],
  ] as const;
  const leaks = Object.entries(set.leaks);
  return [
    section(
      `${name}: ${setEvaluatedOn(set)}`,
      metricsTable(set),
      ...(set.dimensions === undefined ? [] : [
        htmlTable("Cut to their first numbers", ...tableOf(dimensionTable(metric, set.dimensions))),
        dimensionChart(metric, set.dimensions),
      ]),
      lineChart({ title: `${metric} on the way`, across: "update", up: metric }, [{ name: metric, points: course }]),
      htmlTable(
        "Its evaluation rows in the training data",
        ["trained on", "rows", "of", "texts", "of distinct texts"],
        leaks.map(([other, { rows, of, texts, distinct }]) => [other, rows, of, texts, distinct]),
      ),
    ),
    ...evaluationSections(evaluation.kind, data, `: ${name}`),
  ];
}

const tableOf = ({ columns, rows }: ReportTable) => [columns, rows] as const;

function dataOfSets(sets: SetsReport["sets"]): string {
  const rows = Object.entries(sets).flatMap(([name, { data }]) =>
    Object.entries(data).map(([part, { source, rows, dropped }]) => [name, part, source, rows, dropped])
  );
  return htmlTable("Data", ["data set", "part", "source", "rows", "left out"], rows);
}

const settingsOfSets = ({ settings, sets }: SetsReport) => settingsTable({ "all sets": { settings }, ...sets });
