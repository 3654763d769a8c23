/**
 * The page of a training of a bi-encoder.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import { lineChart } from "./charts.ts";
import { evaluationSections, type PageData } from "./evaluation_page.ts";
import { dimensionChart } from "./matryoshka.ts";
import { beside, dataTable, facts, htmlTable, page, section, settingsTable, tableSection } from "./page.ts";
import { evaluatedOn, type Report } from "./report.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { baselineRows } from "./without_model.ts";

/** Loss, learning rate and gradient norm of every training, each on axes of its own. */
export function trainingCurves(records: Readonly<Record<string, TrainingRecord>>): string {
  const parts = Object.entries(records).map(([name, { log }]) => {
    const who = name === "main" ? "" : ` (${name.replaceAll("_", " ")})`;
    const curve = (title: string, value: (entry: typeof log[number]) => number) =>
      lineChart({ title: title + who, across: "update", up: title.toLowerCase() }, [
        { name: title, points: log.map((entry) => [entry.step, value(entry)]) },
      ]);
    return beside(
      curve("Loss", ({ loss }) => loss),
      curve("Learning rate", ({ learning_rate }) => learning_rate),
      curve("Gradient norm", ({ gradient_norm }) => gradient_norm),
    );
  });
  return section("How training went", ...parts);
}

/** The page of a training; `data` where something was evaluated. */
export function reportPage(
  report: Report,
  records: Readonly<Record<string, TrainingRecord>>,
  data?: PageData,
): string {
  const { training, evaluation, before, metrics, control } = report;
  const curves = trainingCurves(records);
  const tables = [
    ...(report.tables ?? []),
    ...(report.details === undefined
      ? []
      : [{ title: "On the way", columns: ["what", "value"], rows: Object.entries(report.details) }]),
  ].map(tableSection);
  const count = Object.keys(report.runs).length;
  const metric = evaluation?.metric ?? "";
  const score = (name: string, values: Metrics | undefined) =>
    values?.[metric] === undefined ? {} : { [name]: values[metric] };
  const head = {
    lead: `${count === 1 ? "One model was" : `${count} models were`} trained on ${
      counted(report.data.train.rows, "row")
    }; ${evaluatedOn(report)}.`,
    run: [dataTable(report.data), settingsTable(report.runs)],
  };
  const numbers = facts({
    ...score(`${metric} before`, before),
    ...score(`${metric} after`, metrics),
    ...score("of the control", control?.metrics),
    "updates": training.steps,
    "rows seen": training.samples,
    "rows per second": training.samples_per_second.toFixed(0),
  });
  if (evaluation === undefined || data === undefined) {
    return page(report, { ...head, sections: [numbers, ...tables, curves] });
  }
  const apart = report.evaluations_on;
  const onTheWay = apart === undefined ? metric : PRIMARY_METRIC.similarity;
  const course = apart !== undefined
    ? report.evaluations.map(([step, values]) => [step, values[onTheWay] ?? NaN] as const)
    : [
      [0, before[metric] ?? NaN],
      ...report.evaluations.filter(([step]) => step !== training.steps).map(([step, values]) =>
        [step, values[metric] ?? NaN] as const
      ),
      [training.steps, metrics[metric] ?? NaN],
    ] as const;
  return page(report, {
    ...head,
    sections: [
      numbers,
      section("Evaluation", metricsTable(report)),
      ...tables,
      ...(report.dimensions === undefined ? [] : [dimensionChart(metric, report.dimensions)]),
      curves,
      lineChart(
        {
          title: `${onTheWay} on the way${apart === undefined ? "" : `, on ${apart}`}`,
          across: "update",
          up: onTheWay,
        },
        [{ name: onTheWay, points: course }],
      ),
      ...evaluationSections(evaluation.kind, data),
    ],
  });
}

/** Every metric before and after, beside controls and baselines. */
export function metricsTable(
  { before, metrics, baseline, control, control_equal_steps: equal }: Pick<
    Report,
    "before" | "metrics" | "baseline" | "control" | "control_equal_steps"
  >,
): string {
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
  const overlaps = baselineRows(baseline).map(([title, value]) => [title, undefined, value]);
  return htmlTable("Metrics, and what is reached without a model", columns, [...rows, ...overlaps]);
}
