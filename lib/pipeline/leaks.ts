/**
 * Evaluation rows that a model was trained on: what is measured on them does not hold for others.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";

/** What of the evaluation occurs in the training data. */
export interface Leaks {
  /** Rows whose texts stand together in a row that was trained on, in any order. */
  readonly rows: number;
  /** Evaluation rows in all. */
  readonly of: number;
  /** Distinct texts that were trained on, as negatives as well. */
  readonly texts: readonly string[];
  /** Distinct evaluation texts in all. */
  readonly distinct: number;
  /** Texts of a row: 1, or 2 of a pair. */
  readonly width: number;
}

/**
 * Looks for evaluation rows in the training data.
 *
 * @param evaluation Rows that are measured on; their first two columns of texts count.
 * @param training Rows that were trained on.
 * @returns What occurs in both.
 */
export function leaksOf(evaluation: Dataset<Columns>, training: Dataset<Columns>): Leaks {
  const measured = textColumns(evaluation).slice(0, 2);
  const trained = textColumns(training);
  const known = new Set(trained.flat());
  const rowOf = (columns: readonly (readonly string[])[], row: number) =>
    JSON.stringify(columns.map((column) => column[row]!).sort());
  const together = trained.slice(0, measured.length);
  const knownRows = new Set(Array.from({ length: training.rows }, (_, row) => rowOf(together, row)));
  const rows = Array.from({ length: evaluation.rows }, (_, row) => rowOf(measured, row));
  const texts = [...new Set(measured.flat())];
  return {
    rows: rows.filter((row) => knownRows.has(row)).length,
    of: evaluation.rows,
    texts: texts.filter((text) => known.has(text)),
    distinct: texts.length,
    width: measured.length,
  };
}

const textColumns = (dataset: Dataset<Columns>) =>
  Object.values(dataset.columns).filter((column): column is readonly string[] => Array.isArray(column));

/**
 * What is said of it; nothing where nothing occurs in both. `what` names the rows, where there are several kinds, and `whose`
 * the training data.
 */
export function leakWarning(
  { rows, of, texts, distinct, width }: Leaks,
  what = "evaluation",
  whose = "the training data",
): string[] {
  if (texts.length === 0) return [];
  const pairs = width === 1 ? "" : `${rows} of ${counted(of, `${what} row`)} and `;
  const are = pairs === "" && texts.length === 1 ? "is" : "are";
  return [
    `${pairs}${texts.length} of ${counted(distinct, `${what} text`)} ${are} in ${whose}: ` +
    "what is measured on them says nothing of new texts",
  ];
}
