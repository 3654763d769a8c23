/**
 * CSV that a person opens in a spreadsheet.
 *
 * @module
 */
/** What a spreadsheet takes for a formula, or has been kept from taking for one. */
const FORMULA = /^'*[=+\-@\t\r]/;

/**
 * A text that no spreadsheet takes for a formula: one that begins like it gets an apostrophe in front.
 *
 * @param text Any text.
 * @returns The same text, or `'` and the text; {@linkcode withoutApostrophe} undoes it.
 *
 * @example
 * ```ts
 * import { withApostrophe, withoutApostrophe } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * assert.equal(withApostrophe("=1+1"), "'=1+1");
 * assert.equal(withoutApostrophe(withApostrophe("-5 degrees")), "-5 degrees");
 * assert.equal(withApostrophe("5 degrees"), "5 degrees");
 * ```
 */
export function withApostrophe(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

/**
 * Undoes {@linkcode withApostrophe}.
 *
 * @param text A cell, as it stands in the file.
 * @returns The text as it was.
 */
export function withoutApostrophe(text: string): string {
  return text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
}

/**
 * A CSV file's contents. Texts get an apostrophe where a spreadsheet would take them for a formula; numbers stay as they
 * are, and what is null or not a number is left empty.
 *
 * @param columns Names, for the first line.
 * @param rows Cells, row by row.
 * @returns Lines that end with a line break, quoted where it is needed.
 *
 * @example
 * ```ts
 * import { csvText } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const text = csvText(["text", "score"], [["a, b", -0.5], ["=1", null]]);
 * assert.deepEqual(text.split("\r\n"), ["text,score", '"a, b",-0.5', "'=1,", ""]);
 * ```
 */
export function csvText(columns: readonly string[], rows: Iterable<readonly CsvCell[]>): string {
  return csvRows([columns]) + csvRows(rows);
}

/** What stands in a cell. */
export type CsvCell = string | number | null | undefined;

/**
 * Further rows of such a file: for one that is written while its rows come.
 *
 * @param rows Cells, row by row.
 * @returns Lines, as {@linkcode csvText} has them.
 *
 * @example
 * ```ts
 * import { csvRows } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * assert.equal(csvRows([["a, b", 1], ["c", NaN]]), '"a, b",1\r\nc,\r\n');
 * ```
 */
export function csvRows(rows: Iterable<readonly CsvCell[]>): string {
  const cell = (value: CsvCell) =>
    typeof value === "string" ? quoted(withApostrophe(value)) : Number.isFinite(value) ? `${value}` : "";
  let text = "";
  for (const row of rows) text += row.map(cell).join(",") + "\r\n";
  return text;
}

/** A cell in quotes where it holds what parts cells or lines; lines end as RFC 4180 has it. */
const quoted = (text: string) => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
